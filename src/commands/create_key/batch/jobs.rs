//! The keys to create from the rows of a list. Every row is validated before the first key is created.

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

/// A key to create.
pub(super) struct Job {
    pub line: u64,
    pub draft: KeyDraft,
    pub key: KeyIdentity,
    /// The last entry of the key in the report.
    pub previous: Option<ReportEntry>,
}

/// Validates every row and returns the keys to create.
///
/// # Errors
/// All errors, each with its line.
pub(super) fn prepare_jobs(
    rows: Vec<Row>,
    defaults: &KeyOptions,
    account: &AccountState,
    previous_entries: &BTreeMap<KeyIdentity, ReportEntry>,
) -> Result<Vec<Job>, Vec<String>> {
    let (mut jobs, mut errors): (Vec<Job>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut keys, mut aliases) = (BTreeMap::new(), BTreeMap::new());
    for Row { line, answers } in rows {
        let mut add_error = |message: String| errors.push(format!("line {line}: {message}"));
        match prepare_job(line, &answers.with_defaults(defaults), account, previous_entries) {
            Ok(job) => {
                if let Some(other) = keys.insert(job.key.clone(), line) {
                    add_error(format!("--xks-key-id: {} is already used on line {other}", job.key.xks_key_id));
                }
                if let Some(other) = aliases.insert(job.draft.alias.clone(), line) {
                    add_error(format!("--alias: {} is already used on line {other}", job.draft.alias));
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
        return Err(vec!["--policy: standard input (-) can't be used with --batch. Specify a file.".to_owned()]);
    }
    let policy = input_files::read_policy(answers.policy.as_ref()).map_err(|error| vec![error])?;
    let mut draft = KeyDraft { acknowledged: true, ..answers.to_draft(policy)? };
    assign_key_store(&mut draft, answers, account).map_err(|error| vec![error])?;
    let key = KeyIdentity {
        account: account.account_id.clone(),
        region: account.region.clone(),
        custom_key_store_id: draft.custom_key_store_id.clone().unwrap_or_default(),
        xks_key_id: draft.xks_key_id.clone(),
    };
    let previous = previous_entries.get(&key).cloned();
    Ok(Job { line, draft, key, previous })
}

impl Job {
    /// Returns the validation errors of the steps that remain.
    fn remaining_errors(&self, account: &AccountState) -> Vec<String> {
        let outcome = self.previous.as_ref().map(|entry| entry.outcome);
        if outcome == Some(RowOutcome::Made) {
            return Vec::new();
        }
        let may_exist =
            matches!(outcome, Some(RowOutcome::CreatingKey | RowOutcome::Unknown)) || self.key_arn().is_some();
        let is_relevant = |field: Field| match field {
            // The previous run may have created the key or alias.
            Field::ExternalKeyId => !may_exist,
            Field::Alias => !self.key_arn().is_some_and(|arn| has_alias(arn, &self.draft, account)),
            _ => self.key_arn().is_none(),
        };
        validation_errors(&self.draft, account)
            .into_iter()
            .filter(|(field, _)| is_relevant(*field))
            .map(|(_, message)| message)
            .collect()
    }

    /// Returns the ARN of the KMS key from the report, if the key was created.
    pub fn key_arn(&self) -> Option<&str> {
        self.previous.as_ref()?.key_arn.as_deref()
    }

    /// Returns the submission to start or resume. A resumed submission first checks what the previous run created.
    ///
    /// # Errors
    /// The key in the report can't be described.
    pub async fn submission(&self, client: &Client, account: &AccountState) -> Result<Submission, CallError> {
        let failure = SubmissionFailure {
            code: SubmissionFailure::INTERRUPTED.to_owned(),
            message: "The last run was interrupted before the outcome was known.".to_owned(),
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
                // The key was deleted, or it's so new that it isn't visible everywhere. Find it by its external key.
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

    /// Returns the report entry of this row.
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
