//! Checks of a lesson on a new account: do the requests of `before` succeed, and is there something to do in each step?

use std::fmt;

use super::format::Lesson;
use crate::bundled::{BundledAws, OpenError};
use crate::environment::{Clock, Environment};
use crate::expectation::{ExpectationError, Variables};
use crate::in_process;

/// What a check found in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the step, starting at 1.
    pub step: usize,
    /// Whether the lesson can't work. Otherwise, it depends on what the learner does in earlier steps.
    pub is_error: bool,
    /// What was found, and what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}{}", self.step, if self.is_error { "" } else { "warning: " }, self.text)
    }
}

/// Checks `lesson` on a new account in memory. The learner's work in earlier steps is missing there, so what a later step
/// builds on it can't be checked. A tape of the lesson can.
///
/// # Errors
/// [`OpenError`] if the account can't be created.
pub async fn check(lesson: &Lesson) -> Result<Vec<Finding>, OpenError> {
    let aws = BundledAws::in_memory(&lesson.scenario, Environment::system())?;
    let administrator = in_process::client(&aws, Clock::System);
    let reader = in_process::unrecorded_client(&aws, Clock::System);
    let mut variables = Variables::default();
    let mut findings = Vec::new();
    for (index, step) in lesson.steps.iter().enumerate() {
        let number = index + 1;
        // Only the first step needs nothing from the learner.
        let mut add = |is_error, text| findings.push(Finding { step: number, is_error, text });
        for request in &step.before {
            if let Err(error) = request.send(&administrator, &variables).await {
                add(number == 1, format!("{} in `before` failed: {error}", request.operation()));
            }
        }
        let mut is_checked = true;
        for (name, query) in &step.variables {
            match query.evaluate(&reader, &variables).await {
                Ok(serde_json::Value::String(text)) => variables.set(name, text),
                Ok(other) => variables.set(name, other.to_string()),
                Err(error) => {
                    is_checked = false;
                    add(number == 1, format!("the variable `{name}` has no value on a new account: {error}"));
                }
            }
        }
        let mut is_met = step.question.is_none();
        for goal in step.goals.iter().filter(|_| is_checked) {
            match goal.expectation.evaluate(&reader, &variables).await {
                Ok(()) => {}
                // A variable of an earlier step without a value was reported there.
                Err(ExpectationError::NotMet(_) | ExpectationError::UndefinedVariable(_)) => is_met = false,
                Err(error) => add(true, format!("the goal \"{}\" can't be checked: {error}", goal.text)),
            }
        }
        if is_checked && is_met {
            let text = if number == 1 {
                "all goals are met when the step begins, so there is nothing to do; add a goal for what the step is about"
            } else {
                "all goals are met on a new account. If the step doesn't undo an earlier one, add a goal for what it is about"
            };
            add(number == 1, text.to_owned());
        }
    }
    Ok(findings)
}
