//! Drafts of KMS keys, saved while the user types: one file per draft, readable only by its owner.
//!
//! A draft includes the progress of creating the key. It is saved before each request that must not be sent twice, so
//! that the outcome can be looked up after a crash. It contains the values entered in the wizard and the properties of
//! the created key. It never contains a secret, because the wizard doesn't ask for one.

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

/// The AWS that a draft is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftTarget {
    /// The bundled AWS with this data directory.
    Bundled(String),
    /// A custom endpoint with this host and port.
    Endpoint(String),
    /// AWS.
    Aws,
}

/// The AWS, account, and Region that a draft belongs to. The console lists it only there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftScope {
    /// The AWS that the draft is for.
    pub world: DraftTarget,
    /// The account ID, or empty if it was unknown. No request is sent without an account, so such a draft belongs to
    /// every account.
    pub account: String,
    /// The Region.
    pub region: String,
}

impl DraftScope {
    /// Whether a draft of this scope can be resumed in `other`.
    pub fn is_available_in(&self, other: &Self) -> bool {
        let fits_any_account = self.account.is_empty() && !other.account.is_empty();
        *self == if fits_any_account { Self { account: String::new(), ..other.clone() } } else { other.clone() }
    }
}

/// The focused field and its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFocus {
    /// The field.
    pub field: Field,
    /// The line of the cursor, and the number of characters before the cursor in that line.
    #[serde(default)]
    pub cursor: (usize, usize),
}

/// The saved state of a wizard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedDraft {
    /// The AWS, account, and Region of the draft.
    pub place: DraftScope,
    /// How the wizard was started.
    pub method: Method,
    /// The current step.
    pub step: Step,
    /// The focused field, if a field had the focus.
    #[serde(default)]
    pub focus: Option<SavedFocus>,
    /// The indexes of the visited steps.
    pub visited: BTreeSet<usize>,
    /// The values entered in the wizard.
    pub draft: KeyDraft,
    /// The progress of creating the key.
    pub submission: Submission,
}

/// A draft on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftEntry {
    /// The name of the draft, which is the file name without `.json`.
    pub name: String,
    /// The time of the save and the draft, or the reason why the file can't be read. Unreadable files are never
    /// changed.
    pub saved: Result<(Timestamp, Box<SavedDraft>), String>,
    /// Whether this or another console has the draft open.
    pub is_open: bool,
}

/// A request to the draft store.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftRequest {
    /// Lists all drafts.
    List,
    /// Saves a draft. A new name creates a draft, which is then open in this console.
    Save {
        /// The name of the draft.
        name: String,
        /// The state to save.
        saved: Box<SavedDraft>,
        /// A number that identifies the response, if somebody waits for it.
        ticket: Option<u64>,
    },
    /// Opens a draft and locks it for other consoles.
    Open(String),
    /// Closes a draft so that other consoles can open it.
    Close(String),
    /// Deletes a draft, unless another console has it open.
    Discard(String),
}

impl DraftRequest {
    /// Returns the name of the draft that the request is about.
    fn name(&self) -> Option<&str> {
        match self {
            Self::List => None,
            Self::Save { name, .. } | Self::Open(name) | Self::Close(name) | Self::Discard(name) => Some(name),
        }
    }

    /// Whether the request can be delayed, because it only saves what the user types and no one is waiting for the response.
    fn can_wait(&self) -> bool {
        matches!(self, Self::Save { ticket: None, .. })
    }
}

/// A response from the draft store.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftResponse {
    /// All drafts, newest first, or the reason why they can't be listed.
    Listed(Result<Vec<DraftEntry>, String>),
    /// The result of a save.
    Saved {
        /// The ticket of the request.
        ticket: Option<u64>,
        /// The reason why the draft wasn't saved, on failure.
        result: Result<(), String>,
    },
    /// The name and content of the opened draft, or the reason why it can't be opened.
    Opened(String, Result<Box<SavedDraft>, String>),
    /// The reason why a draft couldn't be discarded.
    DiscardFailed(String),
}

/// Removes each save that is followed by another save or a discard of the same draft, because its result is obsolete.
fn coalesce(requests: Vec<DraftRequest>) -> Vec<DraftRequest> {
    let is_obsolete = |at: usize, name: &str| {
        let next = requests[at + 1..].iter().find(|later| later.name() == Some(name));
        matches!(next, Some(DraftRequest::Save { .. } | DraftRequest::Discard(_)))
    };
    let needed = |at: usize| match &requests[at] {
        DraftRequest::Save { name, ticket: None, .. } => !is_obsolete(at, name),
        _ => true,
    };
    let keep: Vec<bool> = (0..requests.len()).map(needed).collect();
    requests.into_iter().zip(keep).filter_map(|(request, needed)| needed.then_some(request)).collect()
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
        let with_ticket = DraftRequest::Save { name: "a".to_owned(), saved: Box::new(saved("2")), ticket: Some(1) };
        let requests = vec![save("a", "1"), with_ticket.clone(), save("b", "1"), save("a", "3"), save("a", "4")];
        assert_eq!(coalesce(requests), [with_ticket, save("b", "1"), save("a", "4")]);
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
        let scope = saved("").place;
        assert!(scope.is_available_in(&scope));
        for other in [
            DraftScope { world: DraftTarget::Aws, ..scope.clone() },
            DraftScope { account: "444455556666".to_owned(), ..scope.clone() },
            DraftScope { account: String::new(), ..scope.clone() },
            DraftScope { region: "eu-west-1".to_owned(), ..scope.clone() },
        ] {
            assert!(!scope.is_available_in(&other), "{other:?}");
        }
        assert!(DraftScope { account: String::new(), ..scope.clone() }.is_available_in(&scope));
    }
}
