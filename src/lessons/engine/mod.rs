//! The engine of a lesson: it begins steps, and finds out which goals are met.

use std::collections::BTreeMap;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::directory::LessonDirectory;
use super::format::{Lesson, Step};
use super::progress::{Progress, StepProgress};
use super::state::{AnswerState, GoalState, LessonRequest, LessonState, QuestionState};
use crate::bundled::BundledAws;
use crate::client::Client;
use crate::environment::Clock;
use crate::expectation::ExpectationError;
use crate::in_process;

/// A lesson on an account.
pub struct LessonEngine {
    lesson: Lesson,
    aws: BundledAws,
    /// Sends the requests of `before`, as the administrator of the account.
    administrator: Client,
    /// Reads the goals. Its requests leave no CloudTrail event.
    reader: Client,
    clock: Clock,
    /// Where the progress and the copies of the account are stored. `None` for an account in memory.
    directory: Option<LessonDirectory>,
    progress: Progress,
    goals: Vec<GoalState>,
    wrong_answer: Option<String>,
    /// Why the last step couldn't begin, or the progress couldn't be saved.
    problem: Option<String>,
    /// Why a goal can't be checked.
    check_problem: Option<String>,
}

impl std::fmt::Debug for LessonEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LessonEngine").field("lesson", &self.lesson.name).finish_non_exhaustive()
    }
}

impl LessonEngine {
    /// Creates the engine of a lesson on the account `aws`, whose clock is `clock`.
    pub fn new(lesson: Lesson, aws: BundledAws, clock: Clock) -> Self {
        Self {
            administrator: in_process::client(&aws, clock.clone()),
            reader: in_process::unrecorded_client(&aws, clock.clone()),
            progress: Progress::of(&lesson),
            lesson,
            aws,
            clock,
            directory: None,
            goals: Vec::new(),
            wrong_answer: None,
            problem: None,
            check_problem: None,
        }
    }

    /// Stores the progress in `directory`, and continues with `progress`.
    #[must_use]
    pub fn stored_in(mut self, directory: LessonDirectory, progress: Option<Progress>) -> Self {
        if let Some(mut progress) = progress {
            progress.describe(&self.lesson);
            self.progress = progress;
        }
        self.directory = Some(directory);
        self
    }

    /// Returns the progress.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Handles a request of the console, and returns the new state.
    pub async fn handle(&mut self, request: LessonRequest) -> LessonState {
        match request {
            LessonRequest::Begin if self.progress.steps.is_empty() => self.begin_step().await,
            LessonRequest::NextStep if self.can_begin_next() => self.begin_step().await,
            LessonRequest::Begin | LessonRequest::Check | LessonRequest::NextStep => {}
            LessonRequest::ShowHint => {
                let count = self.step().hints.len();
                self.change_step(|step| step.hints = (step.hints + 1).min(count));
            }
            LessonRequest::Answer(answer) => {
                let is_right = self.step().question.as_ref().is_some_and(|question| question.accepts(&answer));
                self.wrong_answer = (!is_right).then_some(answer);
                self.change_step(|step| step.is_answered |= is_right);
            }
        }
        self.check_goals().await;
        self.state()
    }

    /// The current step. If none has begun yet, this is the first one.
    fn step(&self) -> &Step {
        &self.lesson.steps[self.progress.steps.len().saturating_sub(1)]
    }

    fn can_begin_next(&self) -> bool {
        let is_done = self.progress.steps.last().is_none_or(|step| step.done.is_some());
        is_done && self.progress.steps.len() < self.lesson.steps.len()
    }

    /// Begins the step after those that have begun.
    async fn begin_step(&mut self) {
        let number = self.progress.steps.len() + 1;
        self.problem = match self.prepare_step(number).await {
            Ok(variables) => {
                let began = self.clock.machine_time();
                self.progress.steps.push(StepProgress::begin(began, variables));
                (self.goals, self.wrong_answer) = (Vec::new(), None);
                self.copy_account(number).err().or_else(|| self.save().err())
            }
            Err(reason) => {
                Some(format!("Couldn't prepare step {number}: {reason}. Quit, and reset the lesson with --reset."))
            }
        };
    }

    /// Sends the requests before a step, and returns the values of its variables.
    async fn prepare_step(&self, number: usize) -> Result<BTreeMap<String, String>, String> {
        let step = &self.lesson.steps[number - 1];
        let mut variables = self.progress.variables();
        for request in &step.before {
            let sent = request.send(&self.administrator, &variables).await;
            sent.map_err(|error| format!("{} failed: {error}", request.operation()))?;
        }
        let mut own = BTreeMap::new();
        for (name, query) in &step.variables {
            let found = query.evaluate(&self.reader, &variables).await;
            let value = match found.map_err(|error| format!("the variable `{name}` has no value: {error}"))? {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            variables.set(name, value.clone());
            own.insert(name.clone(), value);
        }
        Ok(own)
    }

    /// Finds out which goals of the current step are met, unless it is done.
    async fn check_goals(&mut self) {
        let variables = self.progress.variables();
        let Some(progress) = self.progress.steps.last() else { return };
        let is_done = progress.done.is_some();
        let is_answered = self.step().question.is_none() || progress.is_answered;
        let (mut goals, mut problem) = (Vec::new(), None);
        for goal in &self.step().goals {
            let is_met = is_done
                || match goal.expectation.evaluate(&self.reader, &variables).await {
                    Ok(()) => true,
                    Err(ExpectationError::NotMet(_)) => false,
                    Err(error) => {
                        problem = Some(format!("Couldn't check the goal \"{}\": {error}", goal.text));
                        false
                    }
                };
            goals.push(GoalState { text: goal.text.clone(), is_met });
        }
        self.check_problem = problem;
        let is_met = is_answered && goals.iter().all(|goal| goal.is_met);
        self.goals = goals;
        if is_met && !is_done {
            let now = self.clock.machine_time();
            self.change_step(|step| step.done = Some(now));
        }
    }

    /// Changes the progress of the current step, and saves it.
    fn change_step(&mut self, change: impl FnOnce(&mut StepProgress)) {
        if let Some(step) = self.progress.steps.last_mut() {
            change(step);
            self.problem = self.save().err();
        }
    }

    fn save(&self) -> Result<(), String> {
        let saved = self.directory.as_ref().map_or(Ok(()), |directory| directory.save(&self.progress));
        saved.map_err(|error| format!("Couldn't save the progress: {error}"))
    }

    fn copy_account(&self, step: usize) -> Result<(), String> {
        let copied = self.directory.as_ref().map_or(Ok(()), |directory| directory.copy_account(&self.aws, step));
        copied.map_err(|error| format!("Couldn't copy the account, so this step can't be reset: {error}"))
    }

    fn state(&self) -> LessonState {
        let (number, step) = (self.progress.steps.len().max(1), self.step());
        let progress = self.progress.steps.last();
        let hints = progress.map_or(0, |progress| progress.hints).min(step.hints.len());
        let answer = match (progress, &self.wrong_answer) {
            (Some(progress), _) if progress.is_answered => AnswerState::Right,
            (_, Some(wrong)) => AnswerState::Wrong(wrong.clone()),
            _ => AnswerState::Missing,
        };
        LessonState {
            title: self.lesson.title.clone(),
            step: number,
            step_count: self.lesson.steps.len(),
            step_title: step.title.clone(),
            text: step.text.clone(),
            goals: self.goals.clone(),
            question: step.question.as_ref().map(|question| QuestionState { text: question.text.clone(), answer }),
            hints: step.hints[..hints].to_vec(),
            hints_left: step.hints.len() - hints,
            is_step_done: progress.is_some_and(|progress| progress.done.is_some()),
            next_step: self.lesson.steps.get(number).map(|step| step.title.clone()),
            problem: self.problem.clone().or_else(|| self.check_problem.clone()),
        }
    }
}

/// The engine in a task of its own, so that the console never waits for it.
#[derive(Debug)]
pub struct LessonTask {
    requests: UnboundedSender<LessonRequest>,
    states: UnboundedReceiver<LessonState>,
}

impl LessonTask {
    /// Starts the task on the current runtime.
    pub fn spawn(mut engine: LessonEngine) -> Self {
        let (requests, mut inbox) = unbounded_channel();
        let (sender, states) = unbounded_channel();
        tokio::spawn(async move {
            let mut next = inbox.recv().await;
            while let Some(request) = next {
                let following = inbox.try_recv().ok();
                // Several changes in a row need one check, after the last of them.
                let is_superseded = request == LessonRequest::Check && following.is_some();
                if !is_superseded && sender.send(engine.handle(request).await).is_err() {
                    return;
                }
                next = match following {
                    Some(request) => Some(request),
                    None => inbox.recv().await,
                };
            }
        });
        Self { requests, states }
    }

    /// Sends a request to the engine.
    pub fn send(&self, request: LessonRequest) {
        // The task ends only with this handle.
        let _ = self.requests.send(request);
    }

    /// Waits for the next state.
    pub async fn next_state(&mut self) -> Option<LessonState> {
        self.states.recv().await
    }
}

#[cfg(test)]
mod tests;
