//! Drafts of KMS keys, kept on disk as one types: one file a draft, for its owner alone.
//!
//! A draft tells also how far the key is made. It is written before a request is sent that must not be sent twice, so
//! that after a crash its outcome is looked up. It holds what the person has said and what AWS has told of the key;
//! never a secret, for the wizard asks for none.

mod store;
mod writer;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::store::DraftStore;
pub use self::writer::DraftWriter;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::submission::Submission;

/// Which AWS a draft is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftTarget {
    /// The bundled AWS whose data is in this directory.
    Bundled(String),
    /// The AWS at this host and port.
    Endpoint(String),
    /// AWS itself.
    Aws,
}

/// Where a draft belongs: only there it is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftScope {
    /// Which AWS.
    pub world: DraftTarget,
    /// The account; empty when it was not known. Without it nothing is sent, so such a draft belongs to each.
    pub account: String,
    /// The Region.
    pub region: String,
}

impl DraftScope {
    /// Whether a draft of this place may go on in `other`.
    pub fn is_available_in(&self, other: &Self) -> bool {
        let is_open = self.account.is_empty() && !other.account.is_empty();
        *self == if is_open { Self { account: String::new(), ..other.clone() } } else { other.clone() }
    }
}

/// A field that has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFocus {
    /// The field.
    pub field: Field,
    /// The line of its text that the cursor is in, and the characters before it in that line.
    #[serde(default)]
    pub cursor: (usize, usize),
}

/// What is kept of a wizard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedDraft {
    /// Where it belongs.
    pub place: DraftScope,
    /// How the wizard was entered.
    pub method: Method,
    /// The step it stood at.
    pub step: Step,
    /// The field that had the focus, if one had it.
    #[serde(default)]
    pub focus: Option<SavedFocus>,
    /// The places of the steps that were visited.
    pub visited: BTreeSet<usize>,
    /// What the person has said.
    pub draft: KeyDraft,
    /// How far the key is made.
    pub submission: Submission,
}

/// A draft on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftEntry {
    /// Its name: that of its file, without `.json`.
    pub name: String,
    /// When it was saved, and what; or why it can't be read. What can't be read is left alone.
    pub saved: Result<(Timestamp, Box<SavedDraft>), String>,
    /// Whether a console has it open, this one or another.
    pub is_open: bool,
}

/// What a console asks of the drafts.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftRequest {
    /// All there are.
    List,
    /// Keep this. A name that is new begins a draft, which is open from then on.
    Save {
        /// The draft.
        name: String,
        /// What to keep.
        saved: Box<SavedDraft>,
        /// Whether somebody waits for it to be on the disk, and by which number.
        ticket: Option<u64>,
    },
    /// Open a draft, so that nobody else does.
    Open(String),
    /// Let others open it.
    Close(String),
    /// Remove it, unless another console has it open.
    Discard(String),
}

impl DraftRequest {
    /// The draft that is meant.
    fn name(&self) -> Option<&str> {
        match self {
            Self::List => None,
            Self::Save { name, .. } | Self::Open(name) | Self::Close(name) | Self::Discard(name) => Some(name),
        }
    }
}

/// What is told of the drafts.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftResponse {
    /// All there are, the newest first; or why they can't be told.
    Listed(Result<Vec<DraftEntry>, String>),
    /// Whether a draft is on the disk, or why not.
    Saved {
        /// The number that was asked with.
        ticket: Option<u64>,
        /// Why it is not.
        result: Result<(), String>,
    },
    /// The draft that is open now, or why it is not.
    Opened(String, Result<Box<SavedDraft>, String>),
    /// Why a draft is still there.
    DiscardFailed(String),
}

/// What of `asks` is to be done: a draft that is saved again, or discarded, right afterwards need not be saved before.
fn coalesce(requests: Vec<DraftRequest>) -> Vec<DraftRequest> {
    let is_outdone = |at: usize, name: &str| {
        let next = requests[at + 1..].iter().find(|later| later.name() == Some(name));
        matches!(next, Some(DraftRequest::Save { .. } | DraftRequest::Discard(_)))
    };
    let needed = |at: usize| match &requests[at] {
        DraftRequest::Save { name, ticket: None, .. } => !is_outdone(at, name),
        _ => true,
    };
    let keep: Vec<bool> = (0..requests.len()).map(needed).collect();
    requests.into_iter().zip(keep).filter_map(|(ask, needed)| needed.then_some(ask)).collect()
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::create_key::testing::draft;

    pub fn saved(alias: &str) -> SavedDraft {
        SavedDraft {
            place: DraftScope {
                world: DraftTarget::Bundled("/data".to_owned()),
                account: "111122223333".to_owned(),
                region: "us-west-2".to_owned(),
            },
            method: Method::FromKeyStore { custom_key_store_id: "cks-1".to_owned() },
            step: Step::Tags,
            focus: None,
            visited: BTreeSet::from([0, 1, 2]),
            draft: KeyDraft { alias: alias.to_owned(), ..draft() },
            submission: Submission::NotSent,
        }
    }

    pub fn save(name: &str, alias: &str) -> DraftRequest {
        DraftRequest::Save { name: name.to_owned(), saved: Box::new(saved(alias)), ticket: None }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{save, saved};
    use super::*;

    #[test]
    fn consecutive_saves_of_a_draft_are_coalesced() {
        let waited = DraftRequest::Save { name: "a".to_owned(), saved: Box::new(saved("2")), ticket: Some(1) };
        let requests = vec![save("a", "1"), waited.clone(), save("b", "1"), save("a", "3"), save("a", "4")];
        assert_eq!(coalesce(requests), [waited, save("b", "1"), save("a", "4")]);
        let discard = DraftRequest::Discard("a".to_owned());
        assert_eq!(coalesce(vec![save("a", "1"), discard.clone()]), [discard]);
        let closed = vec![
            save("a", "1"),
            DraftRequest::Close("a".to_owned()),
            DraftRequest::Open("a".to_owned()),
            save("a", "2"),
        ];
        assert_eq!(coalesce(closed.clone()), closed);
    }

    #[test]
    fn draft_is_available_only_in_its_target_account_and_region() {
        let place = saved("").place;
        assert!(place.is_available_in(&place));
        for other in [
            DraftScope { world: DraftTarget::Aws, ..place.clone() },
            DraftScope { account: "444455556666".to_owned(), ..place.clone() },
            DraftScope { account: String::new(), ..place.clone() },
            DraftScope { region: "eu-west-1".to_owned(), ..place.clone() },
        ] {
            assert!(!place.is_available_in(&other), "{other:?}");
        }
        assert!(DraftScope { account: String::new(), ..place.clone() }.is_available_in(&place));
    }
}
