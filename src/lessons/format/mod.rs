//! The format of a lesson: a TOML file with a title, a scenario, and steps.
//!
//! ```toml
//! title = "Disable a key"
//! summary = "Take a key out of service, and see what that means."
//! minutes = 3
//! scenario = "default"
//!
//! [[step]]
//! title = "Disable the key"
//! text = "Press `m` on the page of the key, and choose *Disable*."
//! hints = ["Press Ctrl-K and type customer-db to find the key."]
//! goals = [
//!   { text = "The key customer-db is disabled", expect = 'kms:DescribeKey {"KeyId": "alias/customer-db"} .KeyMetadata.KeyState == "Disabled"' },
//! ]
//! ```
//!
//! The expectations, requests, and queries are those of [`expectation`](crate::expectation).

mod document;
mod place;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use self::document::{Document, StepDocument};
use self::place::Source;
use crate::bundled;
use crate::expectation::{Expectation, ParseError, Query, Request, is_variable_name};
use crate::text::{escape_controls_in_lines, nearest, strip_byte_order_mark};

/// Why there is no lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LessonError {
    /// No lesson of this program has this name.
    #[error("there is no lesson \"{name}\"; {hint}")]
    Unknown {
        /// The name.
        name: String,
        /// What to do.
        hint: String,
    },
    /// The file can't be read.
    #[error("couldn't read the lesson {file}: {problem}")]
    Read {
        /// The path of the file.
        file: String,
        /// Why it can't be read.
        problem: String,
    },
    /// The file isn't a valid lesson.
    #[error("{file}:{line}:{column}: {problem}")]
    Invalid {
        /// The path of the file, or the name of the lesson.
        file: String,
        /// The line, starting at 1.
        line: usize,
        /// The column in characters, starting at 1.
        column: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl LessonError {
    /// Returns the error with the path of the file as the user wrote it.
    pub(super) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Invalid { line, column, problem, .. } => {
                Self::Invalid { file: path.display().to_string(), line, column, problem }
            }
            other => other,
        }
    }
}

/// A lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// The name: that of the file, without its extension.
    pub name: String,
    /// The absolute path of the file. `None` for a lesson of this program.
    pub path: Option<PathBuf>,
    /// The title.
    pub title: String,
    /// One sentence for the list of lessons.
    pub summary: String,
    /// About how many minutes the lesson takes.
    pub minutes: u16,
    /// The scenario from which the account is filled.
    pub scenario: String,
    /// The steps, at least one.
    pub steps: Vec<Step>,
}

/// A step of a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The title.
    pub title: String,
    /// What to do, and why: paragraphs with a blank line between them.
    pub text: String,
    /// Hints, from the first to the one that says nearly everything.
    pub hints: Vec<String>,
    /// The requests that are sent when the step begins.
    pub before: Vec<Request>,
    /// The variables that get their values after these requests, in order.
    pub variables: Vec<(String, Query)>,
    /// What must be true when the step is done.
    pub goals: Vec<Goal>,
    /// A question that must be answered.
    pub question: Option<Question>,
}

/// A goal of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The goal as the learner reads it.
    pub text: String,
    /// What must be true in the account.
    pub expectation: Expectation,
}

/// A question of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// The right answers.
    pub answers: Vec<String>,
}

impl Question {
    /// Returns whether an answer is right. Case and spaces around it don't matter.
    pub fn accepts(&self, answer: &str) -> bool {
        let plain = |text: &str| text.trim().to_lowercase();
        self.answers.iter().any(|right| plain(right) == plain(answer))
    }
}

/// Parses the lesson `text`. `path` is that of its file; a lesson of this program has none.
///
/// # Errors
/// [`LessonError::Invalid`] with the place of the first problem.
pub fn parse(name: &str, path: Option<&Path>, text: &str) -> Result<Lesson, LessonError> {
    let text = strip_byte_order_mark(text);
    let file = path.map_or_else(|| format!("{name}.toml"), |path| path.display().to_string());
    let source = Source { file: &file, text };
    let document: Document = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
    let known = bundled::scenario_names();
    let scenario = match &document.scenario {
        Some(scenario) if !known.contains(&scenario.get_ref().as_str()) => {
            let hint = nearest(scenario.get_ref(), known.iter().copied())
                .map_or_else(|| format!("use one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
            return Err(
                source.error(scenario.span().start, format!("there is no scenario \"{}\"; {hint}", scenario.get_ref()))
            );
        }
        Some(scenario) => scenario.get_ref().clone(),
        None => "default".to_owned(),
    };
    if *document.minutes.get_ref() == 0 {
        return Err(source.error(document.minutes.span().start, "a lesson takes at least 1 minute; write how many"));
    }
    if document.step.is_empty() {
        return Err(source.error(text.len(), "the lesson has no steps; add one that begins with [[step]]"));
    }
    let mut known_variables = BTreeSet::new();
    let steps = document.step.iter().map(|step| read_step(source, step, &mut known_variables));
    Ok(Lesson {
        name: name.to_owned(),
        path: path.map(Path::to_owned),
        title: source.text_of(&document.title, "title")?,
        summary: source.text_of(&document.summary, "summary")?,
        minutes: *document.minutes.get_ref(),
        scenario,
        steps: steps.collect::<Result<_, _>>()?,
    })
}

/// Reads a step, and adds its variables to those of the steps before it.
fn read_step(
    source: Source<'_>,
    step: &Spanned<StepDocument>,
    known: &mut BTreeSet<String>,
) -> Result<Step, LessonError> {
    let at = step.span().start;
    let step = step.get_ref();
    let before = step.before.iter().map(|request| {
        let parsed = source.parse(request, Request::parse)?;
        source.check_variables(request, &parsed.variable_names(), known)?;
        Ok(parsed)
    });
    let before = before.collect::<Result<_, LessonError>>()?;
    let mut in_order: Vec<_> = step.variables.iter().collect();
    in_order.sort_by_key(|(_, query)| query.span().start);
    let mut variables = Vec::new();
    for (name, query) in in_order {
        if !is_variable_name(name) {
            let problem = format!("`{name}` is not the name of a variable; use letters, digits, and _");
            return Err(source.error(query.span().start, problem));
        }
        let parsed = source.parse(query, Query::parse)?;
        source.check_variables(query, &parsed.variable_names(), known)?;
        source.check_read_only(query, parsed.request())?;
        known.insert(name.clone());
        variables.push((name.clone(), parsed));
    }
    let goals = step.goals.iter().map(|goal| {
        let expectation = source.parse(&goal.expect, Expectation::parse)?;
        source.check_variables(&goal.expect, &expectation.variable_names(), known)?;
        source.check_read_only(&goal.expect, expectation.request())?;
        Ok(Goal { text: source.text_of(&goal.text, "text")?, expectation })
    });
    let goals: Vec<Goal> = goals.collect::<Result<_, LessonError>>()?;
    let question = match (&step.question, step.answers.as_slice()) {
        (Some(question), []) => {
            let problem = "the question has no answers; add a line such as answers = [\"BackupService\"]";
            return Err(source.error(question.span().start, problem));
        }
        (Some(question), answers) => {
            let answers = answers.iter().map(|answer| source.text_of(answer, "answers"));
            Some(Question { text: source.text_of(question, "question")?, answers: answers.collect::<Result<_, _>>()? })
        }
        (None, [answer, ..]) => {
            return Err(
                source.error(answer.span().start, "there are answers, but no question; add a line with the question")
            );
        }
        (None, []) => None,
    };
    if goals.is_empty() && question.is_none() {
        return Err(source.error(at, "the step has neither goals nor a question, so it would never be done; add goals"));
    }
    Ok(Step {
        title: source.text_of(&step.title, "title")?,
        text: source.text_of(&step.text, "text")?,
        hints: step.hints.iter().map(|hint| source.text_of(hint, "hints")).collect::<Result<_, _>>()?,
        before,
        variables,
        goals,
        question,
    })
}

impl Source<'_> {
    /// Returns a text without spaces around it. It must not be empty.
    fn text_of(self, text: &Spanned<String>, key: &str) -> Result<String, LessonError> {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() {
            return Err(self.error(text.span().start, format!("{key} is empty; write a text")));
        }
        Ok(escape_controls_in_lines(trimmed))
    }

    fn parse<T>(self, text: &Spanned<String>, parse: fn(&str) -> Result<T, ParseError>) -> Result<T, LessonError> {
        let inside = text.get_ref();
        parse(inside).map_err(|error| self.error(self.offset_inside(text.span(), error.column), error.problem))
    }

    fn check_variables(
        self,
        text: &Spanned<String>,
        names: &[String],
        known: &BTreeSet<String>,
    ) -> Result<(), LessonError> {
        let Some(name) = names.iter().find(|name| !known.contains(*name)) else { return Ok(()) };
        let problem =
            format!("the variable `{name}` has no value here; set it in [step.let] of this step or of one before it");
        Err(self.error(text.span().start, problem))
    }

    /// Checks that a request that is sent again and again leaves no trace.
    fn check_read_only(self, text: &Spanned<String>, request: &Request) -> Result<(), LessonError> {
        let operation = request.operation();
        if operation.to_string() == "xks-console:DescribeExternalKey" {
            let problem = "xks-console:DescribeExternalKey sends a request to the proxy, which the learner would find in the \
                           proxy's log; use xks-console:ListExternalKeys";
            return Err(self.error(text.span().start, problem));
        }
        if request.is_read_only() {
            return Ok(());
        }
        let problem = format!(
            "{operation} isn't a read-only operation, so it can only be sent in `before`; use one such as kms:DescribeKey"
        );
        Err(self.error(text.span().start, problem))
    }
}
