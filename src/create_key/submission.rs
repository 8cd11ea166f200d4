//! The requests of Finish as a state machine that can stop at any point and resume: CreateKey, CreateAlias, and
//! DescribeKey.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::requests;
use crate::aws::kms::{self, KeyMetadata};

/// A stage of creating a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Stage {
    FindKey,
    CreateKey,
    FindAlias,
    CreateAlias,
    DescribeKey,
}

impl Stage {
    /// Returns what happens in the stage, such as "Creating the KMS key".
    pub const fn progress(self) -> &'static str {
        match self {
            Self::FindKey => "Checking whether the KMS key was created",
            Self::CreateKey => "Creating the KMS key",
            Self::FindAlias => "Checking whether the alias was created",
            Self::CreateAlias => "Creating the alias",
            Self::DescribeKey => "Getting the KMS key",
        }
    }
}

/// Why a stage failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionFailure {
    /// The AWS error code, or a code of the console if no AWS error was received.
    pub code: String,
    /// The error message.
    pub message: String,
    /// The request ID; empty if no response was received.
    pub request_id: String,
    /// Whether the request might have succeeded despite the failure.
    pub outcome_unknown: bool,
}

impl SubmissionFailure {
    /// The code for a stage that was in progress when the console stopped.
    pub const INTERRUPTED: &str = "Interrupted";
    /// The code for a lookup that found keys but can't tell whether one of them is the requested key.
    pub const AMBIGUOUS: &str = "AmbiguousKey";
    /// The code for a request that wasn't sent because the draft, which is needed after a crash, couldn't be saved.
    pub const NOT_SAVED: &str = "DraftNotSaved";
}

/// The next request to AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmissionRequest {
    /// Creates the key.
    CreateKey(Box<kms::CreateKey>),
    /// Creates the alias.
    CreateAlias(kms::CreateAlias),
    /// Describes the key.
    DescribeKey(kms::DescribeKey),
    /// Looks up whether the requested KMS key exists.
    FindKey(Box<SentRequest>),
    /// Looks up the target key of an alias.
    FindAlias {
        /// The alias name, with `alias/`.
        alias_name: String,
    },
}

/// A response from AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmissionResponse {
    /// The key was created.
    KeyCreated(Box<KeyMetadata>),
    /// The alias was created.
    AliasCreated,
    /// The current properties of the key.
    KeyDescribed(Box<KeyMetadata>),
    /// The requested key, if it exists.
    KeyLookup(Option<Box<KeyMetadata>>),
    /// The target key of the alias, if the alias exists.
    AliasTarget(Option<String>),
    /// The request failed.
    Failed(SubmissionFailure),
}

/// The last CreateKey request that was sent.
///
/// The draft might be edited after the request was sent, but a lookup must look for the key that was requested.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SentRequest {
    /// The request.
    pub request: kms::CreateKey,
    /// The IDs of all keys that existed before the request, or `None` if they weren't all known. None of them can be
    /// the created key.
    pub before: Option<BTreeSet<String>>,
    /// Whether this is a retry after a request that apparently created no key.
    pub is_repeated: bool,
}

impl SentRequest {
    /// Whether the failure means that an earlier request might have succeeded late.
    ///
    /// That is the case if the external key of a retry is already in use: the earlier request might have created its
    /// key after the lookup.
    fn may_have_succeeded_late(&self, failure: &SubmissionFailure) -> bool {
        self.is_repeated && failure.code.starts_with("XksKeyAlreadyInUse")
    }

    /// Whether `key` might be the key that the request created.
    ///
    /// An external key belongs to only one KMS key of its key store, so a match is certain. A key of another origin
    /// matches if it is new and has the same description; its policy must then be compared as well.
    pub fn matches(&self, key: &KeyMetadata) -> bool {
        let request = &self.request;
        let external = key.xks_key_configuration.as_ref().map(|external| &external.id);
        if request.origin != Some(key.origin) || request.custom_key_store_id != key.custom_key_store_id {
            return false;
        }
        if external.is_some() || request.xks_key_id.is_some() {
            return external == request.xks_key_id.as_ref();
        }
        let is_old = self.before.as_ref().is_some_and(|before| before.contains(&key.key_id));
        !is_old && request.description.as_deref().unwrap_or_default() == key.description
    }

    /// Whether the policy of a key that [`matches`](Self::matches) must be compared.
    pub fn requires_policy_match(&self) -> bool {
        self.request.xks_key_id.is_none()
    }

    /// Returns the lookup result for the keys that match, including their policies.
    ///
    /// An external key identifies the key with certainty. Otherwise, the result is a key only if it is the only match
    /// and all earlier keys are known, so that a key created by somebody else is never used.
    pub fn resolve(&self, mut keys: Vec<KeyMetadata>) -> SubmissionResponse {
        if keys.is_empty() || !self.requires_policy_match() || keys.len() == 1 && self.before.is_some() {
            let first = (!keys.is_empty()).then(|| keys.swap_remove(0));
            return SubmissionResponse::KeyLookup(first.map(Box::new));
        }
        let ids: Vec<&str> = keys.iter().map(|key| key.key_id.as_str()).collect();
        SubmissionResponse::Failed(SubmissionFailure {
            code: SubmissionFailure::AMBIGUOUS.to_owned(),
            message: format!(
                "These keys have the same description and policy as the requested key: {}.",
                ids.join(", ")
            ),
            request_id: String::new(),
            outcome_unknown: true,
        })
    }
}

/// The progress of creating the key and its alias.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub enum Submission {
    /// No request was sent.
    #[default]
    NotSent,
    /// A stage is in progress.
    Sending {
        /// The stage.
        stage: Stage,
        /// The key, once it is created.
        key: Option<Box<KeyMetadata>>,
        /// The CreateKey request.
        sent: Box<SentRequest>,
    },
    /// The key was created, but its alias wasn't.
    KeyWithoutAlias {
        /// The key.
        key: Box<KeyMetadata>,
        /// Why the alias wasn't created.
        failure: SubmissionFailure,
    },
    /// The outcome of a stage is unknown and must be looked up.
    Unknown {
        /// The stage.
        stage: Stage,
        /// The key, once it is created.
        key: Option<Box<KeyMetadata>>,
        /// The CreateKey request.
        sent: Box<SentRequest>,
        /// Why the outcome is unknown.
        failure: SubmissionFailure,
    },
    /// The key and its alias were created.
    Done {
        /// The key.
        key: Box<KeyMetadata>,
    },
    /// CreateKey failed, and no key was created.
    Failed {
        /// The failure.
        failure: SubmissionFailure,
    },
}

impl Submission {
    /// Returns the key, once it is created.
    pub fn key(&self) -> Option<&KeyMetadata> {
        match self {
            Self::KeyWithoutAlias { key, .. } | Self::Done { key } => Some(key),
            Self::Sending { key, .. } | Self::Unknown { key, .. } => key.as_deref(),
            Self::NotSent | Self::Failed { .. } => None,
        }
    }

    /// Returns the state after the console was restarted. The outcome of a stage that was in progress is unknown.
    #[must_use]
    pub fn after_restart(self) -> Self {
        let Self::Sending { stage, key, sent } = self else { return self };
        let failure = SubmissionFailure {
            code: SubmissionFailure::INTERRUPTED.to_owned(),
            message: format!("{stage:?} was in progress when the console stopped."),
            request_id: String::new(),
            outcome_unknown: true,
        };
        Self::Unknown { stage, key, sent, failure }
    }

    /// Whether a stage is in progress.
    pub fn is_sending(&self) -> bool {
        matches!(self, Self::Sending { .. })
    }

    /// Whether a key or an alias might exist that the console doesn't know about yet.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::Unknown { .. })
    }

    /// Returns the failure at which the submission stopped.
    pub fn failure(&self) -> Option<&SubmissionFailure> {
        match self {
            Self::KeyWithoutAlias { failure, .. } | Self::Unknown { failure, .. } | Self::Failed { failure, .. } => {
                Some(failure)
            }
            Self::NotSent | Self::Sending { .. } | Self::Done { .. } => None,
        }
    }

    /// Returns the CreateKey request while its outcome is unknown.
    pub fn unconfirmed_request(&self) -> Option<&SentRequest> {
        match self {
            Self::Sending { key: None, sent, .. } | Self::Unknown { key: None, sent, .. } => Some(sent),
            _ => None,
        }
    }

    /// Starts or resumes the submission, and returns the next request.
    ///
    /// Returns `None` if a stage is in progress or everything is done.
    pub fn start(&mut self, draft: &KeyDraft, account: &AccountState) -> Option<SubmissionRequest> {
        match std::mem::take(self) {
            Self::NotSent | Self::Failed { .. } => {
                let request = requests::create_key_request(draft, account);
                let sent = SentRequest { request: request.clone(), before: account.all_key_ids(), is_repeated: false };
                *self = Self::Sending { stage: Stage::CreateKey, key: None, sent: Box::new(sent) };
                Some(SubmissionRequest::CreateKey(Box::new(request)))
            }
            Self::KeyWithoutAlias { key, .. } => Some(self.create_alias(key, draft)),
            Self::Unknown { key: None, sent, .. } => {
                *self = Self::Sending { stage: Stage::FindKey, key: None, sent: sent.clone() };
                Some(SubmissionRequest::FindKey(sent))
            }
            Self::Unknown { key: Some(key), sent, .. } => {
                *self = Self::Sending { stage: Stage::FindAlias, key: Some(key), sent };
                Some(SubmissionRequest::FindAlias { alias_name: draft.alias_name() })
            }
            other => {
                *self = other;
                None
            }
        }
    }

    fn create_alias(&mut self, key: Box<KeyMetadata>, draft: &KeyDraft) -> SubmissionRequest {
        let request = SubmissionRequest::CreateAlias(requests::create_alias_request(draft, &key.key_id));
        *self = Self::Sending { stage: Stage::CreateAlias, key: Some(key), sent: Box::default() };
        request
    }

    fn describe_key(&mut self, key: Box<KeyMetadata>) -> SubmissionRequest {
        let request = SubmissionRequest::DescribeKey(kms::DescribeKey::new(key.key_id.clone()));
        *self = Self::Sending { stage: Stage::DescribeKey, key: Some(key), sent: Box::default() };
        request
    }

    /// Handles a response, and returns the next request, if there is one. An unexpected response changes nothing.
    pub fn on_response(
        &mut self,
        response: SubmissionResponse,
        draft: &KeyDraft,
        account: &AccountState,
    ) -> Option<SubmissionRequest> {
        let (stage, key, sent) = match std::mem::take(self) {
            Self::Sending { stage, key, sent } => (stage, key, sent),
            other => {
                *self = other;
                return None;
            }
        };
        match (stage, response, key) {
            (Stage::CreateKey, SubmissionResponse::KeyCreated(key), _)
            | (Stage::FindKey, SubmissionResponse::KeyLookup(Some(key)), _) => Some(self.create_alias(key, draft)),
            // Only after the lookup has shown that no key was created is it safe to send CreateKey again.
            (Stage::FindKey, SubmissionResponse::KeyLookup(None), _) => {
                let retry = self.start(draft, account);
                if let Self::Sending { sent, .. } = self {
                    sent.is_repeated = true;
                }
                retry
            }
            (Stage::CreateAlias, SubmissionResponse::AliasCreated, Some(key)) => Some(self.describe_key(key)),
            (Stage::FindAlias, SubmissionResponse::AliasTarget(target), Some(key)) => {
                let is_created = target.is_some_and(|target| target == key.key_id);
                Some(if is_created { self.describe_key(key) } else { self.create_alias(key, draft) })
            }
            (Stage::DescribeKey, SubmissionResponse::KeyDescribed(key), _) => {
                *self = Self::Done { key };
                None
            }
            (stage, SubmissionResponse::Failed(failure), key) => {
                *self = Self::after_failure(stage, key, sent, failure);
                None
            }
            (stage, _, key) => {
                *self = Self::Sending { stage, key, sent };
                None
            }
        }
    }

    fn after_failure(
        stage: Stage,
        key: Option<Box<KeyMetadata>>,
        sent: Box<SentRequest>,
        failure: SubmissionFailure,
    ) -> Self {
        match (stage, key) {
            // The key and its alias exist, even if DescribeKey fails.
            (Stage::DescribeKey, Some(key)) => Self::Done { key },
            (Stage::CreateKey, None) if !failure.outcome_unknown && !sent.may_have_succeeded_late(&failure) => {
                Self::Failed { failure }
            }
            (Stage::CreateAlias, Some(key)) if !failure.outcome_unknown => Self::KeyWithoutAlias { key, failure },
            // Without a response, or after a failed lookup, the outcome remains unknown.
            (stage, key) => Self::Unknown { stage, key, sent, failure },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::{account_state, draft, key};
    use proptest::prelude::*;

    fn failure(outcome_unknown: bool) -> SubmissionFailure {
        let code = if outcome_unknown { "RequestFailed" } else { "AlreadyExistsException" };
        SubmissionFailure { code: code.to_owned(), message: String::new(), request_id: String::new(), outcome_unknown }
    }

    #[test]
    fn create_key_create_alias_and_describe_key_run_in_order() {
        let (draft, account, mut submission) = (draft(), account_state(), Submission::NotSent);
        assert!(matches!(submission.start(&draft, &account), Some(SubmissionRequest::CreateKey(_))));
        assert_eq!(submission.start(&draft, &account), None, "a second Enter sends nothing");
        let created = Box::new(key("k1", "payments-2026"));
        let call = submission.on_response(SubmissionResponse::KeyCreated(created.clone()), &draft, &account);
        assert!(matches!(call, Some(SubmissionRequest::CreateAlias(alias)) if alias.alias_name == "alias/payments"));
        assert!(matches!(
            submission.on_response(SubmissionResponse::AliasCreated, &draft, &account),
            Some(SubmissionRequest::DescribeKey(_))
        ));
        assert_eq!(submission.on_response(SubmissionResponse::KeyDescribed(created.clone()), &draft, &account), None);
        assert_eq!(submission, Submission::Done { key: created });
    }

    #[test]
    fn only_the_alias_is_retried_after_create_alias_fails() {
        let (mut draft, account, mut submission) = (draft(), account_state(), Submission::NotSent);
        submission.start(&draft, &account);
        submission.on_response(SubmissionResponse::KeyCreated(Box::new(key("k1", "payments-2026"))), &draft, &account);
        submission.on_response(SubmissionResponse::Failed(failure(false)), &draft, &account);
        assert!(matches!(submission, Submission::KeyWithoutAlias { .. }));
        draft.alias = "payments-2".to_owned();
        let call = submission.start(&draft, &account);
        assert!(matches!(call, Some(SubmissionRequest::CreateAlias(alias)) if alias.alias_name == "alias/payments-2"));
    }

    #[test]
    fn unknown_outcome_is_checked_before_a_retry() {
        let (draft, account, mut submission) = (draft(), account_state(), Submission::NotSent);
        submission.start(&draft, &account);
        submission.on_response(SubmissionResponse::Failed(failure(true)), &draft, &account);
        // The lookup uses the request that was sent, not the draft that was edited afterwards.
        let edited = KeyDraft { xks_key_id: "another".to_owned(), ..draft.clone() };
        let call = submission.start(&edited, &account);
        assert!(
            matches!(&call, Some(SubmissionRequest::FindKey(sent)) if sent.request.xks_key_id.as_deref() == Some("payments-2026"))
        );
        let found = SubmissionResponse::KeyLookup(Some(Box::new(key("k1", "payments-2026"))));
        assert!(matches!(submission.on_response(found, &draft, &account), Some(SubmissionRequest::CreateAlias(_))));
    }

    #[test]
    fn late_create_key_is_found_after_the_retry_reports_key_in_use() {
        let (draft, account, mut submission) = (draft(), account_state(), Submission::NotSent);
        let in_use = || SubmissionFailure { code: "XksKeyAlreadyInUseException".to_owned(), ..failure(false) };
        submission.start(&draft, &account);
        submission.on_response(SubmissionResponse::Failed(in_use()), &draft, &account);
        assert!(
            matches!(submission, Submission::Failed { .. }),
            "without an earlier request, the external key belongs to another KMS key"
        );
        submission.start(&draft, &account);
        submission.on_response(SubmissionResponse::Failed(failure(true)), &draft, &account);
        submission.start(&draft, &account);
        assert!(matches!(
            submission.on_response(SubmissionResponse::KeyLookup(None), &draft, &account),
            Some(SubmissionRequest::CreateKey(_))
        ));
        assert_eq!(submission.on_response(SubmissionResponse::Failed(in_use()), &draft, &account), None);
        assert!(matches!(submission, Submission::Unknown { .. }));
        assert!(matches!(submission.start(&draft, &account), Some(SubmissionRequest::FindKey(_))));
        let found = SubmissionResponse::KeyLookup(Some(Box::new(key("k1", "payments-2026"))));
        assert!(matches!(submission.on_response(found, &draft, &account), Some(SubmissionRequest::CreateAlias(_))));
    }

    #[test]
    fn aws_kms_key_is_matched_by_being_new_and_having_the_same_description() {
        let draft = KeyDraft { origin: kms::Origin::AwsKms, ..draft() };
        let request = requests::create_key_request(&draft, &account_state());
        let sent = SentRequest { request, before: Some(BTreeSet::from(["k0".to_owned()])), is_repeated: false };
        let created = KeyMetadata {
            origin: kms::Origin::AwsKms,
            custom_key_store_id: None,
            xks_key_configuration: None,
            description: draft.description,
            ..key("k1", "")
        };
        assert!(sent.matches(&created) && sent.requires_policy_match());
        assert!(!sent.matches(&KeyMetadata { key_id: "k0".to_owned(), ..created.clone() }));
        assert!(!sent.matches(&KeyMetadata { description: "another".to_owned(), ..created.clone() }));
        assert!(!sent.matches(&key("k1", "payments-2026")));
        let found = |keys| sent.resolve(keys);
        assert_eq!(found(vec![]), SubmissionResponse::KeyLookup(None));
        assert_eq!(found(vec![created.clone()]), SubmissionResponse::KeyLookup(Some(Box::new(created.clone()))));
        // The second key might be somebody else's, so neither is used.
        let other = KeyMetadata { key_id: "k2".to_owned(), ..created.clone() };
        assert!(
            matches!(found(vec![created.clone(), other]), SubmissionResponse::Failed(failure) if failure.outcome_unknown)
        );
        let blind = SentRequest { before: None, ..sent.clone() };
        assert!(
            matches!(blind.resolve(vec![created]), SubmissionResponse::Failed(failure) if failure.message.contains("k1"))
        );
    }

    #[test]
    fn key_ids_are_recorded_only_when_all_keys_are_known() {
        let mut submission = Submission::NotSent;
        submission.start(&draft(), &AccountState { has_all_keys: false, ..account_state() });
        assert!(matches!(submission, Submission::Sending { sent, .. } if sent.before.is_none()));
        let listed = BTreeSet::from(["k0".to_owned()]);
        let mut submission = Submission::NotSent;
        let account = AccountState { has_all_keys: false, key_ids: Some(listed.clone()), ..account_state() };
        submission.start(&draft(), &account);
        assert!(matches!(submission, Submission::Sending { sent, .. } if sent.before == Some(listed)));
    }

    #[test]
    fn interrupted_stage_is_checked_after_a_restart() {
        let created = Box::new(key("k1", "payments-2026"));
        let sent = || Box::new(SentRequest::default());
        let sending = |stage, key| Submission::Sending { stage, key, sent: sent() };
        let draft = draft();
        for (before, call) in [
            (sending(Stage::CreateKey, None), SubmissionRequest::FindKey(sent())),
            (sending(Stage::FindKey, None), SubmissionRequest::FindKey(sent())),
            (
                sending(Stage::CreateAlias, Some(created.clone())),
                SubmissionRequest::FindAlias { alias_name: draft.alias_name() },
            ),
            (
                sending(Stage::DescribeKey, Some(created)),
                SubmissionRequest::FindAlias { alias_name: draft.alias_name() },
            ),
        ] {
            let mut after = before.after_restart();
            assert!(after.is_in_doubt() && matches!(after, Submission::Unknown { .. }));
            assert_eq!(after.start(&draft, &account_state()), Some(call));
        }
        assert_eq!(Submission::NotSent.after_restart(), Submission::NotSent);
    }

    proptest! {
        #[test]
        fn create_key_is_never_sent_twice_for_the_same_key(steps in prop::collection::vec(0u8..10, 0..60)) {
            let (draft, account, mut submission) = (draft(), account_state(), Submission::NotSent);
            let (mut created, mut in_doubt) = (false, false);
            for step in steps {
                if step == 9 {
                    // The console stops and resumes with the saved state.
                    in_doubt |= matches!(submission, Submission::Sending { stage: Stage::CreateKey, .. });
                    let saved = serde_json::to_string(&submission).unwrap();
                    submission = serde_json::from_str::<Submission>(&saved).unwrap().after_restart();
                    prop_assert!(!submission.is_sending());
                    continue;
                }
                let new_key = Box::new(key("k1", "payments-2026"));
                let response = match step {
                    0 | 1 => None,
                    2 => Some(SubmissionResponse::KeyCreated(new_key)),
                    3 => Some(SubmissionResponse::AliasCreated),
                    4 => Some(SubmissionResponse::KeyDescribed(new_key)),
                    5 => Some(SubmissionResponse::KeyLookup(None)),
                    6 => Some(SubmissionResponse::AliasTarget(None)),
                    7 => Some(SubmissionResponse::Failed(failure(true))),
                    _ => Some(SubmissionResponse::Failed(failure(false))),
                };
                let Submission::Sending { stage, .. } = &submission else {
                    prop_assert!(!matches!(submission.start(&draft, &account), Some(SubmissionRequest::CreateKey(_)) if created || in_doubt));
                    continue;
                };
                match (stage, &response) {
                    (Stage::CreateKey, Some(SubmissionResponse::KeyCreated(_))) => created = true,
                    (Stage::CreateKey, Some(SubmissionResponse::Failed(failure))) => in_doubt = failure.outcome_unknown,
                    (Stage::FindKey, Some(SubmissionResponse::KeyLookup(found))) => (created, in_doubt) = (found.is_some(), false),
                    _ => {}
                }
                let call = match response {
                    None => submission.start(&draft, &account),
                    Some(response) => submission.on_response(response, &draft, &account),
                };
                if matches!(call, Some(SubmissionRequest::CreateKey(_))) {
                    prop_assert!(!created && !in_doubt);
                }
            }
        }
    }
}
