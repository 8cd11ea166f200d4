//! Finish, as a sequence that can stop anywhere and go on: CreateKey, CreateAlias, DescribeKey.

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

/// Why a stage failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionFailure {
    /// AWS's error code, or a word for what went wrong on the way.
    pub code: String,
    /// What it says.
    pub message: String,
    /// The request ID, empty when no answer came.
    pub request_id: String,
    /// Whether the request may have been carried out all the same.
    pub outcome_unknown: bool,
}

impl SubmissionFailure {
    /// The code of a stage that was under way when the console ended.
    pub const INTERRUPTED: &str = "Interrupted";
    /// The code of a look-up that finds keys and can't tell whether one of them is the one that was asked for.
    pub const AMBIGUOUS: &str = "AmbiguousKey";
    /// The code of a request that was not sent because nothing would tell of it after a crash.
    pub const NOT_SAVED: &str = "DraftNotSaved";
}

/// What to ask AWS next.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmissionRequest {
    /// Make the key.
    CreateKey(Box<kms::CreateKey>),
    /// Name it.
    CreateAlias(kms::CreateAlias),
    /// Look at it.
    DescribeKey(kms::DescribeKey),
    /// Look whether the KMS key that was asked for exists after all.
    FindKey(Box<SentRequest>),
    /// Look which key an alias points to.
    FindAlias {
        /// With `alias/`.
        alias_name: String,
    },
}

/// What AWS answered.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmissionResponse {
    /// The key is made.
    KeyCreated(Box<KeyMetadata>),
    /// The alias is made.
    AliasCreated,
    /// The key as it is now.
    KeyDescribed(Box<KeyMetadata>),
    /// The key with the external key, if there is one.
    KeyLookup(Option<Box<KeyMetadata>>),
    /// The key that the alias points to, if it exists.
    AliasTarget(Option<String>),
    /// It went wrong.
    Failed(SubmissionFailure),
}

/// What the last CreateKey asked for. The draft may be edited afterwards; what was sent stays what must be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SentRequest {
    /// The request.
    pub request: kms::CreateKey,
    /// The IDs of all keys that there were before it: none of them is the one it made. Absent when they were not all known.
    pub before: Option<BTreeSet<String>>,
    /// Whether it was asked for once before, in vain as far as could be seen.
    pub is_repeated: bool,
}

impl SentRequest {
    /// Whether a refusal tells that a key may be there all the same: the request before this one has come late, after it was
    /// looked for, and has the external key.
    fn may_have_succeeded_late(&self, failure: &SubmissionFailure) -> bool {
        self.is_repeated && failure.code.starts_with("XksKeyAlreadyInUse")
    }

    /// Whether `key` can be what the request made. An external key belongs to one KMS key of its store, so it tells for
    /// certain; a key of another origin is told by being new and described alike, and its policy remains to be compared.
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

    /// Whether a key that [`may_be`](Self::may_be) it needs its policy compared.
    pub fn requires_policy_match(&self) -> bool {
        self.request.xks_key_id.is_none()
    }

    /// What the keys tell that may be it, their policy compared. An external key tells for certain; else it must be the only
    /// one, and all that were there before must be known: a key of somebody else is never taken for it.
    pub fn resolve(&self, mut keys: Vec<KeyMetadata>) -> SubmissionResponse {
        if keys.is_empty() || !self.requires_policy_match() || keys.len() == 1 && self.before.is_some() {
            let first = (!keys.is_empty()).then(|| keys.swap_remove(0));
            return SubmissionResponse::KeyLookup(first.map(Box::new));
        }
        let ids: Vec<&str> = keys.iter().map(|key| key.key_id.as_str()).collect();
        SubmissionResponse::Failed(SubmissionFailure {
            code: SubmissionFailure::AMBIGUOUS.to_owned(),
            message: format!("Described as the key that was asked for, with the same policy: {}.", ids.join(", ")),
            request_id: String::new(),
            outcome_unknown: true,
        })
    }
}

/// How far the key is made.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub enum Submission {
    /// Finish was not pressed.
    #[default]
    NotSent,
    /// A stage is under way.
    Sending {
        /// Which.
        stage: Stage,
        /// The key, once it is made.
        key: Option<Box<KeyMetadata>>,
        /// What CreateKey asked for.
        sent: Box<SentRequest>,
    },
    /// The key is made, its alias is not.
    KeyWithoutAlias {
        /// The key.
        key: Box<KeyMetadata>,
        /// Why there is no alias.
        failure: SubmissionFailure,
    },
    /// No answer came to a stage; whether it was done must be looked up.
    Unknown {
        /// Which.
        stage: Stage,
        /// The key, once it is made.
        key: Option<Box<KeyMetadata>>,
        /// What CreateKey asked for.
        sent: Box<SentRequest>,
        /// What went wrong on the way.
        failure: SubmissionFailure,
    },
    /// Key and alias are made.
    Done {
        /// The key.
        key: Box<KeyMetadata>,
    },
    /// CreateKey was refused; nothing was made.
    Failed {
        /// Why.
        failure: SubmissionFailure,
    },
}

impl Submission {
    /// The key, once it is made.
    pub fn key(&self) -> Option<&KeyMetadata> {
        match self {
            Self::KeyWithoutAlias { key, .. } | Self::Done { key } => Some(key),
            Self::Sending { key, .. } | Self::Unknown { key, .. } => key.as_deref(),
            Self::NotSent | Self::Failed { .. } => None,
        }
    }

    /// As it stands after the console has ended: what became of a stage that was under way is not known.
    #[must_use]
    pub fn after_restart(self) -> Self {
        let Self::Sending { stage, key, sent } = self else { return self };
        let failure = SubmissionFailure {
            code: SubmissionFailure::INTERRUPTED.to_owned(),
            message: format!("{stage:?} was under way when the console ended."),
            request_id: String::new(),
            outcome_unknown: true,
        };
        Self::Unknown { stage, key, sent, failure }
    }

    /// Whether a stage is under way.
    pub fn is_sending(&self) -> bool {
        matches!(self, Self::Sending { .. })
    }

    /// Whether a key, or an alias, may have been made of which nothing is known yet.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::Unknown { .. })
    }

    /// The failure that it stands at.
    pub fn failure(&self) -> Option<&SubmissionFailure> {
        match self {
            Self::KeyWithoutAlias { failure, .. } | Self::Unknown { failure, .. } | Self::Failed { failure, .. } => {
                Some(failure)
            }
            Self::NotSent | Self::Sending { .. } | Self::Done { .. } => None,
        }
    }

    /// What CreateKey was sent, while its outcome is open.
    pub fn unconfirmed_request(&self) -> Option<&SentRequest> {
        match self {
            Self::Sending { key: None, sent, .. } | Self::Unknown { key: None, sent, .. } => Some(sent),
            _ => None,
        }
    }

    /// Begins, or goes on where it stopped; nothing while a stage is under way or all is done.
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
        let call = SubmissionRequest::CreateAlias(requests::create_alias_request(draft, &key.key_id));
        *self = Self::Sending { stage: Stage::CreateAlias, key: Some(key), sent: Box::default() };
        call
    }

    fn describe_key(&mut self, key: Box<KeyMetadata>) -> SubmissionRequest {
        let call = SubmissionRequest::DescribeKey(kms::DescribeKey::new(key.key_id.clone()));
        *self = Self::Sending { stage: Stage::DescribeKey, key: Some(key), sent: Box::default() };
        call
    }

    /// Takes an answer; gives the next call, if there is one. An answer that nobody waits for changes nothing.
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
            // The look-up says that no key was made: only now is it safe to ask for one again.
            (Stage::FindKey, SubmissionResponse::KeyLookup(None), _) => {
                let again = self.start(draft, account);
                if let Self::Sending { sent, .. } = self {
                    sent.is_repeated = true;
                }
                again
            }
            (Stage::CreateAlias, SubmissionResponse::AliasCreated, Some(key)) => Some(self.describe_key(key)),
            (Stage::FindAlias, SubmissionResponse::AliasTarget(target), Some(key)) => {
                let is_made = target.is_some_and(|target| target == key.key_id);
                Some(if is_made { self.describe_key(key) } else { self.create_alias(key, draft) })
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
            // The key and its alias are there; a failed look changes nothing about that.
            (Stage::DescribeKey, Some(key)) => Self::Done { key },
            (Stage::CreateKey, None) if !failure.outcome_unknown && !sent.may_have_succeeded_late(&failure) => {
                Self::Failed { failure }
            }
            (Stage::CreateAlias, Some(key)) if !failure.outcome_unknown => Self::KeyWithoutAlias { key, failure },
            // No answer, or a look-up that failed: the doubt stays.
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
        assert_eq!(submission.start(&draft, &account), None, "an impatient second Enter");
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
        // Edited meanwhile: what was sent is looked up, not what the draft says now.
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
        assert!(matches!(submission, Submission::Failed { .. }), "the first is refused for another's key");
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
        // Somebody else's key may be like it: nobody can tell which, so neither is taken.
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
            let (mut created, mut doubtful) = (false, false);
            for step in steps {
                if step == 9 {
                    // The console ends, and goes on with what is on the disk.
                    doubtful |= matches!(submission, Submission::Sending { stage: Stage::CreateKey, .. });
                    let kept = serde_json::to_string(&submission).unwrap();
                    submission = serde_json::from_str::<Submission>(&kept).unwrap().after_restart();
                    prop_assert!(!submission.is_sending());
                    continue;
                }
                let made_now = Box::new(key("k1", "payments-2026"));
                let response = match step {
                    0 | 1 => None,
                    2 => Some(SubmissionResponse::KeyCreated(made_now)),
                    3 => Some(SubmissionResponse::AliasCreated),
                    4 => Some(SubmissionResponse::KeyDescribed(made_now)),
                    5 => Some(SubmissionResponse::KeyLookup(None)),
                    6 => Some(SubmissionResponse::AliasTarget(None)),
                    7 => Some(SubmissionResponse::Failed(failure(true))),
                    _ => Some(SubmissionResponse::Failed(failure(false))),
                };
                let Submission::Sending { stage, .. } = &submission else {
                    prop_assert!(!matches!(submission.start(&draft, &account), Some(SubmissionRequest::CreateKey(_)) if created || doubtful));
                    continue;
                };
                match (stage, &response) {
                    (Stage::CreateKey, Some(SubmissionResponse::KeyCreated(_))) => created = true,
                    (Stage::CreateKey, Some(SubmissionResponse::Failed(failure))) => doubtful = failure.outcome_unknown,
                    (Stage::FindKey, Some(SubmissionResponse::KeyLookup(found))) => (created, doubtful) = (found.is_some(), false),
                    _ => {}
                }
                let call = match response {
                    None => submission.start(&draft, &account),
                    Some(response) => submission.on_response(response, &draft, &account),
                };
                if matches!(call, Some(SubmissionRequest::CreateKey(_))) {
                    prop_assert!(!created && !doubtful);
                }
            }
        }
    }
}
