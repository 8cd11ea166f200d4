//! The rows of a list as keys to make: all are right before the first is made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::NO_EXTERNAL_KEY;
use super::list::Row;
use super::report::{Entry, Outcome, Wanted};
use crate::aws::kms::{DescribeKey, Origin};
use crate::client::{CallError, Client};
use crate::commands::create_key::{files, place, wrong};
use crate::create_key::answers::Answers;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::known::Known;
use crate::create_key::preview;
use crate::create_key::submission::{Failure, Sent, Stage, Submission};

/// A key to make.
pub(super) struct Job {
    pub line: u64,
    pub draft: KeyDraft,
    pub wanted: Wanted,
    /// The last that the report tells of it.
    pub told: Option<Entry>,
}

/// Every row as a key to make.
///
/// # Errors
/// All that is wrong, each with its line.
pub(super) fn check(
    rows: Vec<Row>,
    shared: &Answers,
    known: &Known,
    told: &BTreeMap<Wanted, Entry>,
) -> Result<Vec<Job>, Vec<String>> {
    let (mut jobs, mut wrong): (Vec<Job>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut keys, mut aliases) = (BTreeMap::new(), BTreeMap::new());
    for Row { line, answers } in rows {
        let mut say = |words: String| wrong.push(format!("line {line}: {words}"));
        match job(line, &answers.over(shared), known, told) {
            Ok(job) => {
                if let Some(other) = keys.insert(job.wanted.clone(), line) {
                    say(format!("--xks-key-id: {} stands in line {other} too", job.wanted.xks_key_id));
                }
                if let Some(other) = aliases.insert(job.draft.alias.clone(), line) {
                    say(format!("--alias: {} stands in line {other} too", job.draft.alias));
                }
                job.errors(known).into_iter().for_each(say);
                jobs.push(job);
            }
            Err(errors) => errors.into_iter().for_each(say),
        }
    }
    if wrong.is_empty() { Ok(jobs) } else { Err(wrong) }
}

fn job(line: u64, answers: &Answers, known: &Known, told: &BTreeMap<Wanted, Entry>) -> Result<Job, Vec<String>> {
    if answers.origin() != Origin::ExternalKeyStore {
        return Err(vec![NO_EXTERNAL_KEY.to_owned()]);
    }
    if files::is_standard_input(answers.policy.as_ref()) {
        return Err(vec!["--policy: a list has no standard input. Name a file.".to_owned()]);
    }
    let policy = files::policy(answers.policy.as_ref()).map_err(|error| vec![error])?;
    let mut draft = KeyDraft { acknowledged: true, ..answers.draft(policy)? };
    place(&mut draft, answers, known).map_err(|why| vec![why])?;
    let wanted = Wanted {
        account: known.account.clone(),
        region: known.region.clone(),
        custom_key_store_id: draft.custom_key_store_id.clone().unwrap_or_default(),
        xks_key_id: draft.xks_key_id.clone(),
    };
    let told = told.get(&wanted).cloned();
    Ok(Job { line, draft, wanted, told })
}

impl Job {
    /// What is wrong with what is left to do.
    fn errors(&self, known: &Known) -> Vec<String> {
        let outcome = self.told.as_ref().map(|told| told.outcome);
        if outcome == Some(Outcome::Made) {
            return Vec::new();
        }
        let may_be_there = matches!(outcome, Some(Outcome::CreatingKey | Outcome::Unknown)) || self.key_arn().is_some();
        let matters = |field: Field| match field {
            // What was under way may have them by now.
            Field::ExternalKeyId => !may_be_there,
            Field::Alias => !self.key_arn().is_some_and(|arn| has_alias(arn, &self.draft, known)),
            _ => self.key_arn().is_none(),
        };
        wrong(&self.draft, known).into_iter().filter(|(field, _)| matters(*field)).map(|(_, words)| words).collect()
    }

    /// The KMS key of a row that is not done, once there is one.
    pub fn key_arn(&self) -> Option<&str> {
        self.told.as_ref()?.key_arn.as_deref()
    }

    /// Where making the key begins, or goes on. What was under way when the last run was cut off is looked up first.
    ///
    /// # Errors
    /// When the key can't be looked at that the report tells of.
    pub async fn submission(&self, client: &Client, known: &Known) -> Result<Submission, CallError> {
        let failure = Failure {
            code: Failure::INTERRUPTED.to_owned(),
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
        Ok(match self.told.as_ref().map(|told| told.outcome) {
            Some(Outcome::CreatingKey | Outcome::CreatingAlias | Outcome::WithoutAlias | Outcome::Unknown) => {
                let request = preview::create_key_request(&self.draft, known);
                let sent = Box::new(Sent { request, is_repeated: true, ..Sent::default() });
                Submission::Unknown { stage: Stage::CreateKey, key: None, sent, failure }
            }
            _ => Submission::NotSent,
        })
    }

    /// What the report is told of this row.
    pub fn entry(&self, time: Timestamp, outcome: Outcome, submission: &Submission) -> Entry {
        Entry {
            time,
            line: self.line,
            wanted: self.wanted.clone(),
            alias: self.draft.alias.clone(),
            outcome,
            key_arn: submission.key().map(|key| key.arn.clone()),
            error: None,
        }
    }
}

fn has_alias(arn: &str, draft: &KeyDraft, known: &Known) -> bool {
    let key_id = arn.rsplit('/').next();
    let mut aliases = known.aliases.ready().into_iter().flatten();
    aliases.any(|alias| alias.alias_name == draft.alias_name() && alias.target_key_id.as_deref() == key_id)
}
