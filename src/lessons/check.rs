//! Checks of a lesson on a new account: do the requests of `before` succeed, and is there something to do in each step?

use std::fmt;

use super::format::Lesson;
use crate::bundled::{BundledAws, OpenError};
use crate::client::Client;
use crate::environment::{Clock, Environment};
use crate::expectation::{ExpectationError, Variables};
use crate::in_process;

/// What a check found in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the step, starting at 1.
    pub step: usize,
    /// Whether the lesson can't work. Otherwise, the step couldn't be checked.
    pub is_error: bool,
    /// What was found, and what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}{}", self.step, if self.is_error { "" } else { "not checked: " }, self.text)
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
        for (name, query) in &step.variables {
            match query.evaluate(&reader, &variables).await {
                Ok(serde_json::Value::String(text)) => variables.set(name, text),
                Ok(other) => variables.set(name, other.to_string()),
                Err(error) => add(number == 1, format!("the variable `{name}` has no value: {error}")),
            }
        }
        let mut is_checked = true;
        let mut is_met = step.question.is_none();
        for goal in &step.goals {
            match evaluate(goal, &reader, &variables).await {
                Ok(goal_is_met) => is_met &= goal_is_met,
                Err(reason) => {
                    is_checked = false;
                    add(number == 1, format!("the goal \"{}\" can't be checked: {reason}", goal.text));
                }
            }
        }
        if is_checked && is_met {
            let text = "all goals are met when the step begins, so there is nothing to do; add a goal for what the step is about";
            add(true, text.to_owned());
        }
    }
    Ok(findings)
}

async fn evaluate(goal: &super::Goal, reader: &Client, variables: &Variables) -> Result<bool, String> {
    match goal.expectation.evaluate(reader, variables).await {
        Ok(()) => Ok(true),
        Err(ExpectationError::NotMet(_)) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
