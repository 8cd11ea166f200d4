//! What a learner has done of a lesson.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::format::Lesson;
use crate::expectation::Variables;

/// The progress of a lesson. Steps after the last one in the list have not begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// The title of the lesson when it was last open.
    pub title: String,
    /// The path of its file. `None` for a lesson of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The number of its steps when it was last open.
    pub step_count: usize,
    /// The steps that have begun.
    pub steps: Vec<StepProgress>,
}

/// The progress of a step that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepProgress {
    /// When it began.
    pub began: Timestamp,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Timestamp>,
    /// The number of hints that were shown.
    #[serde(default)]
    pub hints: usize,
    /// Whether its question was answered.
    #[serde(default)]
    pub is_answered: bool,
    /// The variables that it set.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl StepProgress {
    /// Creates the progress of a step that begins now.
    pub fn begin(began: Timestamp, variables: BTreeMap<String, String>) -> Self {
        Self { began, done: None, hints: 0, is_answered: false, variables }
    }
}

impl Progress {
    /// Returns the progress of a lesson that has not begun.
    pub fn of(lesson: &Lesson) -> Self {
        let mut progress = Self::default();
        progress.describe(lesson);
        progress
    }

    /// Takes over the title, path, and number of steps, which may have changed since the lesson was last open.
    pub fn describe(&mut self, lesson: &Lesson) {
        self.title.clone_from(&lesson.title);
        self.path.clone_from(&lesson.path);
        self.step_count = lesson.steps.len();
        self.steps.truncate(lesson.steps.len());
    }

    /// Returns the number of steps that are done.
    pub fn done_count(&self) -> usize {
        self.steps.iter().filter(|step| step.done.is_some()).count()
    }

    /// Whether all steps are done.
    pub fn is_finished(&self) -> bool {
        self.step_count > 0 && self.done_count() == self.step_count
    }

    /// Returns the values of all variables.
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in self.steps.iter().flat_map(|step| &step.variables) {
            variables.set(name, value.clone());
        }
        variables
    }
}
