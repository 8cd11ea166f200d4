//! What the console shows of a lesson, and what it requests. Both are plain values.

/// The state of a lesson: its current step, and what is done of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LessonState {
    /// The title of the lesson.
    pub title: String,
    /// The number of the current step, starting at 1.
    pub step: usize,
    /// The number of steps.
    pub step_count: usize,
    /// The title of the step.
    pub step_title: String,
    /// The text of the step: paragraphs with a blank line between them.
    pub text: String,
    /// The goals of the step.
    pub goals: Vec<GoalState>,
    /// The question of the step.
    pub question: Option<QuestionState>,
    /// The hints that the learner asked for.
    pub hints: Vec<String>,
    /// The number of hints that are left.
    pub hints_left: usize,
    /// Whether the step is done. It stays done even if a goal is no longer met.
    pub is_step_done: bool,
    /// The title of the next step, if there is one.
    pub next_step: Option<String>,
    /// Why the step couldn't begin, or why a goal can't be checked, and what to do.
    pub problem: Option<String>,
}

impl LessonState {
    /// Whether all steps are done.
    pub fn is_finished(&self) -> bool {
        self.is_step_done && self.next_step.is_none()
    }

    /// Whether the question of the step waits for an answer.
    pub fn wants_answer(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.answer != AnswerState::Right)
    }
}

/// A goal, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalState {
    /// The goal.
    pub text: String,
    /// Whether it is met.
    pub is_met: bool,
}

/// A question, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionState {
    /// The question.
    pub text: String,
    /// The state of the answer.
    pub answer: AnswerState,
}

/// The state of the answer to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AnswerState {
    /// There is no answer yet.
    #[default]
    Missing,
    /// The last answer, which is wrong.
    Wrong(String),
    /// The question was answered.
    Right,
}

/// A request of the console to the lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonRequest {
    /// Begin the lesson, or resume it.
    Begin,
    /// Find out which goals are met, because the account may have changed.
    Check,
    /// Begin the next step, if the current one is done.
    NextStep,
    /// Show the next hint.
    ShowHint,
    /// Answer the question.
    Answer(String),
}
