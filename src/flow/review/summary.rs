//! The result of a review.

use std::fmt;

use super::item::{Decision, ItemKind, ReviewItem};
use crate::flow::suite::{Outcome, Report, TapeResult};
use crate::text::plural;

/// The numbers of decisions, and the failures that are not part of the review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of screens that were accepted, or removed from their golden files.
    pub accepted_screens: usize,
    /// The number of golden files that were removed.
    pub removed_files: usize,
    /// The number of items that were rejected.
    pub rejected: usize,
    /// The number of items without a decision.
    pub undecided: usize,
    /// The tapes that failed for another reason than their screens, and the reasons.
    pub other_failures: Vec<String>,
}

impl Summary {
    pub(super) fn new(items: &[ReviewItem], report: &Report) -> Self {
        let count = |decision: Option<Decision>| items.iter().filter(|item| item.decision == decision).count();
        let is_removed =
            |item: &&ReviewItem| item.kind == ItemKind::LeftOverFile && item.decision == Some(Decision::Accepted);
        let removed_files = items.iter().filter(is_removed).count();
        Self {
            accepted_screens: count(Some(Decision::Accepted)) - removed_files,
            removed_files,
            rejected: count(Some(Decision::Rejected)),
            undecided: count(None),
            other_failures: report.results.iter().filter_map(other_failure).collect(),
        }
    }

    /// Whether everything was accepted and nothing else failed.
    pub fn is_success(&self) -> bool {
        self.rejected == 0 && self.undecided == 0 && self.other_failures.is_empty()
    }
}

/// Describes why a tape failed, if that can't be accepted.
fn other_failure(result: &TapeResult) -> Option<String> {
    let reason = match &result.outcome {
        Outcome::Passed | Outcome::Skipped { .. } => return None,
        Outcome::Differs => result.screens.iter().find_map(|screen| screen.problem.as_deref())?,
        other => other.word(),
    };
    let (width, height) = result.size;
    Some(format!("{} at {width}x{height}: {reason}", result.tape.display()))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.other_failures.is_empty() {
            let tapes = plural(self.other_failures.len(), "tape", "tapes");
            writeln!(f, "{tapes} failed for another reason and can't be accepted; see the report above:")?;
            for failure in &self.other_failures {
                writeln!(f, "  {failure}")?;
            }
        }
        write!(f, "{} accepted", plural(self.accepted_screens, "screen", "screens"))?;
        if self.removed_files > 0 {
            write!(f, ", {} removed", plural(self.removed_files, "golden file", "golden files"))?;
        }
        write!(f, ", {} rejected, {} undecided", self.rejected, self.undecided)
    }
}
