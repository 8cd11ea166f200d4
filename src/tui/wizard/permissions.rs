//! On *Review*: whether AWS may refuse what Finish does, and what an administrator has to allow. It never stands in the
//! way: only the real request knows everything that decides.

use super::Wizard;
use super::spots::Spot;
use crate::create_key::known::{Known, Loaded};
use crate::create_key::method::Step;
use crate::create_key::permissions::{self, Lack, Reason, Source};
use crate::create_key::submission::{self, Submission};
use crate::tui::effect::{Call, Failure};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;

impl Wizard {
    /// The question to ask on *Review*, unless it was asked for a draft that leads to the same calls.
    pub fn permissions_to_ask(&mut self, known: &Known) -> Option<Call> {
        let is_open = matches!(self.submission, Submission::NotSent | Submission::Failed { .. });
        if self.step != Step::Review || !is_open || !self.errors_of(Step::Review, known).is_empty() {
            return None;
        }
        let demand = permissions::demand(&self.draft, known);
        if demand == self.demand {
            return None;
        }
        self.demand.clone_from(&demand);
        self.permissions = Loaded::Idle;
        let demand = demand?;
        if demand.source == Source::Unknown {
            self.permissions = Loaded::Failed("AWS simulates the policies of users and roles only".to_owned());
            return None;
        }
        self.permissions = Loaded::Loading;
        Some(Call::Permissions(Box::new(demand)))
    }

    /// What IAM says no to, or why it could not be asked.
    pub fn permissions_told(&mut self, told: Result<Vec<Lack>, Failure>) {
        let here = self.here();
        self.permissions = match told {
            Ok(lacks) => Loaded::Ready(lacks),
            Err(failure) => Loaded::Failed(failure.code),
        };
        // Who has not moved yet sees what is new on top; everybody else stays.
        if self.spot > 0
            && let Some(place) = self.spots().iter().position(|spot| *spot == here)
        {
            self.spot = place;
        }
    }

    /// The refusal that the submission stands at, if the caller may not do what it does.
    fn refusal(&self) -> Option<&submission::Failure> {
        self.submission.failure().filter(|failure| failure.code.starts_with("AccessDenied"))
    }

    /// What AWS has refused, and what IAM says no to.
    fn lacks(&self) -> Vec<Lack> {
        let failure = self.refusal();
        let stage: &[&str] = match self.submission {
            Submission::Failed { .. } => &["kms:CreateKey", "kms:TagResource"],
            _ => &["kms:CreateAlias"],
        };
        let refused = failure.and_then(|failure| Some(self.demand.as_ref()?.refused(&failure.message, stage)));
        let mut lacks = refused.unwrap_or_default();
        if matches!(self.submission, Submission::NotSent | Submission::Failed { .. }) {
            let others = self.permissions.ready().into_iter().flatten();
            let others: Vec<Lack> =
                others.filter(|other| lacks.iter().all(|lack| lack.need != other.need)).cloned().collect();
            lacks.extend(others);
        }
        lacks
    }

    /// The policy for an administrator.
    pub(super) fn statement(&self) -> Option<String> {
        permissions::statement(&self.lacks())
    }

    pub(super) fn write_permissions(&self, paper: &mut Paper) {
        let lacks = self.lacks();
        if !lacks.is_empty() {
            self.write_lacks(paper, &lacks);
            return;
        }
        if self.submission != Submission::NotSent {
            return;
        }
        match &self.permissions {
            Loaded::Idle => {}
            Loaded::Loading => {
                paper.prose("… Looking whether your IAM policies allow what Finish does.", 2, theme::QUIET);
            }
            Loaded::Ready(_) => {
                paper.prose("✓ Your IAM policies allow what Finish does.", 2, theme::GOOD);
            }
            Loaded::Failed(reason) => {
                let words = format!("Whether your IAM policies allow what Finish does can't be checked ({reason}).");
                paper.prose(&words, 2, theme::QUIET);
            }
        }
    }

    fn write_lacks(&self, paper: &mut Paper, lacks: &[Lack]) {
        paper.gap();
        let is_refused = self.refusal().is_some();
        let lead = if is_refused { "!" } else { "! AWS may refuse this." };
        paper.prose(&format!("{lead} What is not allowed to you:"), 2, theme::WARNING);
        for lack in lacks {
            paper.prose(&format!("• {} on {}", lack.need.action, lack.need.resource), 4, theme::TEXT);
            match lack.reason {
                Reason::NotAllowed => {}
                Reason::Denied => {
                    paper.prose("A statement denies it: no other can allow it.", 6, theme::TEXT);
                }
                Reason::KeyPolicy => {
                    paper.prose("The key policy does not let you.", 6, theme::TEXT);
                }
            }
            if !lack.depends_on.is_empty() {
                paper.prose(&format!("It may depend on {}.", lack.depends_on.join(", ")), 6, theme::QUIET);
            }
        }
        if !is_refused {
            let words =
                "An estimate: other kinds of policies and the request itself decide too. Finish is open all the same.";
            paper.prose(words, 2, theme::QUIET);
        }
        if let Some(statement) = self.statement() {
            self.write_heading(paper, "Policy to give to an administrator (JSON)", Spot::CopyStatement, "Copy");
            paper.prose(&statement, 2, theme::QUIET);
        }
    }
}
