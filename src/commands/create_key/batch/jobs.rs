//! The rows of a list as keys to make: all are right before the first is made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::EXTERNAL_KEY_STORE_REQUIRED;
use super::list::Row;
use super::report::{KeyIdentity, ReportEntry, RowOutcome};
use crate::aws::kms::{DescribeKey, Origin};
use crate::client::{CallError, Client};
use crate::commands::create_key::{assign_key_store, input_files, validation_errors};
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::key_options::KeyOptions;
use crate::create_key::requests;
use crate::create_key::submission::{SentRequest, Stage, Submission, SubmissionFailure};

/// A key to make.
pub(super) struct Job {
    pub line: u64,
    pub draft: KeyDraft,
    pub key: KeyIdentity,
    /// The last that the report tells of it.
    pub previous: Option<ReportEntry>,
}

/// Every row as a key to make.
///
/// # Errors
/// All that is wrong, each with its line.
pub(super) fn prepare_jobs(
    rows: Vec<Row>,
    defaults: &KeyOptions,
    account: &AccountState,
    previous_entries: &BTreeMap<KeyIdentity, ReportEntry>,
) -> Result<Vec<Job>, Vec<String>> {
    let (mut jobs, mut errors): (Vec<Job>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut keys, mut aliases) = (BTreeMap::new(), BTreeMap::new());
    for Row { line, answers } in rows {
        let mut add_error = |words: String| errors.push(format!("line {line}: {words}"));
        match prepare_job(line, &answers.with_defaults(defaults), account, previous_entries) {
            Ok(job) => {
                if let Some(other) = keys.insert(job.key.clone(), line) {
                    add_error(format!("--xks-key-id: {} stands in line {other} too", job.key.xks_key_id));
                }
                if let Some(other) = aliases.insert(job.draft.alias.clone(), line) {
                    add_error(format!("--alias: {} stands in line {other} too", job.draft.alias));
                }
                job.remaining_errors(account).into_iter().for_each(add_error);
                jobs.push(job);
            }
            Err(errors) => errors.into_iter().for_each(add_error),
        }
    }
    if errors.is_empty() { Ok(jobs) } else { Err(errors) }
}

fn prepare_job(
    line: u64,
    answers: &KeyOptions,
    account: &AccountState,
    previous_entries: &BTreeMap<KeyIdentity, ReportEntry>,
) -> Result<Job, Vec<String>> {
    if answers.parse_origin() != Origin::ExternalKeyStore {
        return Err(vec![EXTERNAL_KEY_STORE_REQUIRED.to_owned()]);
    }
    if input_files::is_standard_input(answers.policy.as_ref()) {
        return Err(vec!["--policy: a list has no standard input. Name a file.".to_owned()]);
    }
    let policy = input_files::read_policy(answers.policy.as_ref()).map_err(|error| vec![error])?;
    let mut draft = KeyDraft { acknowledged: true, ..answers.to_draft(policy)? };
    assign_key_store(&mut draft, answers, account).map_err(|why| vec![why])?;
    let key = KeyIdentity {
        account: account.account_id.clone(),
        region: account.region.clone(),
        custom_key_store_id: draft.custom_key_store_id.clone().unwrap_or_default(),
        xks_key_id: draft.xks_key_id.clone(),
    };
    let previous_entries = previous_entries.get(&key).cloned();
    Ok(Job { line, draft, key, previous: previous_entries })
}

impl Job {
    /// What is wrong with what is left to do.
    fn remaining_errors(&self, account: &AccountState) -> Vec<String> {
        let outcome = self.previous.as_ref().map(|entry| entry.outcome);
        if outcome == Some(RowOutcome::Made) {
            return Vec::new();
        }
        let may_be_there =
            matches!(outcome, Some(RowOutcome::CreatingKey | RowOutcome::Unknown)) || self.key_arn().is_some();
        let is_relevant = |field: Field| match field {
            // What was under way may have them by now.
            Field::ExternalKeyId => !may_be_there,
            Field::Alias => !self.key_arn().is_some_and(|arn| has_alias(arn, &self.draft, account)),
            _ => self.key_arn().is_none(),
        };
        validation_errors(&self.draft, account)
            .into_iter()
            .filter(|(field, _)| is_relevant(*field))
            .map(|(_, words)| words)
            .collect()
    }

    /// The KMS key of a row that is not done, once there is one.
    pub fn key_arn(&self) -> Option<&str> {
        self.previous.as_ref()?.key_arn.as_deref()
    }

    /// Where making the key begins, or goes on. What was under way when the last run was cut off is looked up first.
    ///
    /// # Errors
    /// When the key can't be looked at that the report tells of.
    pub async fn submission(&self, client: &Client, account: &AccountState) -> Result<Submission, CallError> {
        let failure = SubmissionFailure {
            code: SubmissionFailure::INTERRUPTED.to_owned(),
            message: "The last run was cut off before it knew.".to_owned(),
            request_id: String::new(),
            outcome_unknown: true,
        };
        if let Some(arn) = self.key_arn() {
            match client.call(&DescribeKey::new(arn.to_owned())).await {
                Ok(output) => {
                    return Ok(Submission::Unknown {
                        stage: Stage::CreateAlias,
                        key: Some(Box::new(output.key_metadata)),
                        sent: Box::default(),
                        failure,
                    });
                }
                // Deleted since then, or made so short a time ago that not all of AWS knows it: its external key tells.
                Err(CallError::Service(error)) if error.has_code("NotFound") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(match self.previous.as_ref().map(|entry| entry.outcome) {
            Some(
                RowOutcome::CreatingKey | RowOutcome::CreatingAlias | RowOutcome::WithoutAlias | RowOutcome::Unknown,
            ) => {
                let request = requests::create_key_request(&self.draft, account);
                let sent = Box::new(SentRequest { request, is_repeated: true, ..SentRequest::default() });
                Submission::Unknown { stage: Stage::CreateKey, key: None, sent, failure }
            }
            _ => Submission::NotSent,
        })
    }

    /// What the report is told of this row.
    pub fn entry(&self, time: Timestamp, outcome: RowOutcome, submission: &Submission) -> ReportEntry {
        ReportEntry {
            time,
            line: self.line,
            key: self.key.clone(),
            alias: self.draft.alias.clone(),
            outcome,
            key_arn: submission.key().map(|key| key.arn.clone()),
            error: None,
        }
    }
}

fn has_alias(arn: &str, draft: &KeyDraft, account: &AccountState) -> bool {
    let key_id = arn.rsplit('/').next();
    let mut aliases = account.aliases.ready().into_iter().flatten();
    aliases.any(|alias| alias.alias_name == draft.alias_name() && alias.target_key_id.as_deref() == key_id)
}
