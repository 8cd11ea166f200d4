//! Creates the key and its alias, one stage after the other.

use super::super::drafts::SaveResult;
use super::super::{NoAnswer, Reply};
use super::{AfterStep, Step, Wizard, WizardEnd};
use crate::create_key::submission::{Submission, SubmissionFailure, SubmissionRequest, SubmissionResponse};
use crate::error_remedies;
use crate::tui::effect::{Call, CallFailure, Response};

impl Wizard<'_, '_> {
    /// Starts or resumes creating the key, unless something has to be corrected first.
    pub(super) fn finish(&mut self) -> Reply<AfterStep> {
        let errors = self.errors(Step::Review);
        if let Some(first) = errors.first() {
            for error in &errors {
                self.say_error(error)?;
            }
            return Ok(AfterStep::Change(first.field.step(&self.state.method)));
        }
        if !self.state.draft.is_external() {
            self.session.load_key_ids();
        }
        self.submit()?;
        if let Submission::Done { key } = &self.state.submission {
            let (alias, key_id, arn) = (&self.state.draft.alias, &key.key_id, &key.arn);
            let lines = [
                "Success".to_owned(),
                format!("Your AWS KMS key was created with alias {alias} and key ID {key_id}."),
                format!("Key ID: {key_id}"),
                format!("ARN: {arn}"),
                format!("Alias: {alias}"),
            ];
            self.say_lines(&lines)?;
            if let Err(reason) = self.session.drafts.discard() {
                self.say(&format!("Couldn't discard the draft, which is no longer needed: {reason}"))?;
            }
            return Ok(AfterStep::End(WizardEnd::Created));
        }
        let failure = self.state.submission.failure().cloned();
        let suspects = failure.map(|failure| {
            let (draft, account) = (&self.state.draft, &self.session.account);
            error_remedies::invalid_principals(&failure.code, &failure.message, draft, account)
        });
        self.state.suspects = suspects.unwrap_or_default();
        // The data that the draft was validated against is outdated, or AWS would have accepted the request.
        self.session.load_for_wizard()?;
        Ok(AfterStep::ShowOutcome)
    }

    /// Sends the requests until the key is created, or one fails. Says what each of them does, and whether it is done.
    fn submit(&mut self) -> Reply<()> {
        let mut next = self.state.submission.start(&self.state.draft, &self.session.account);
        while let Some(request) = next {
            let response = match self.save_before(&request)? {
                Some(not_saved) => not_saved,
                None => self.send(request)?,
            };
            next = self.state.submission.on_response(response, &self.state.draft, &self.session.account);
        }
        self.save()?;
        Ok(())
    }

    fn send(&mut self, request: SubmissionRequest) -> Reply<SubmissionResponse> {
        let stage = match &self.state.submission {
            Submission::Sending { stage, .. } => stage.progress(),
            _ => "Sending the request",
        };
        self.session.prompter.begin(&format!("{stage}… "))?;
        let response = match self.session.call(&Call::Submission(request))? {
            Ok(Response::Submission(response)) => response,
            Ok(_) => SubmissionResponse::Failed(not_sent(String::new(), String::new())),
            // Without credentials, nothing was sent. Every other failure is in a response.
            Err(CallFailure { code, message, .. }) => SubmissionResponse::Failed(not_sent(code, message)),
        };
        let is_failed = matches!(response, SubmissionResponse::Failed(_));
        self.say(if is_failed { "failed." } else { "done." })?;
        Ok(response)
    }

    /// Saves the draft before a request that must not be sent twice, so that its outcome can be found out after a
    /// crash. Without a saved draft, the user decides whether to send CreateKey. Returns the response if it isn't sent.
    fn save_before(&mut self, request: &SubmissionRequest) -> Reply<Option<SubmissionResponse>> {
        let (is_create_key, is_create_alias) =
            (matches!(request, SubmissionRequest::CreateKey(_)), matches!(request, SubmissionRequest::CreateAlias(_)));
        if !is_create_key && !is_create_alias {
            return Ok(None);
        }
        let SaveResult::Failed(reason) = self.save_draft(true) else { return Ok(None) };
        self.say(&format!("Couldn't save the draft: {reason}."))?;
        if !is_create_key {
            return Ok(None);
        }
        let not_saved =
            || SubmissionResponse::Failed(not_sent(SubmissionFailure::NOT_SAVED.to_owned(), reason.clone()));
        match self.ask_to_send_unsaved() {
            Ok(true) => Ok(None),
            Ok(false) | Err(NoAnswer::Back | NoAnswer::Review | NoAnswer::Quit) => Ok(Some(not_saved())),
            Err(other) => {
                // Nothing was sent.
                self.state.submission.on_response(not_saved(), &self.state.draft, &self.session.account);
                Err(other)
            }
        }
    }

    fn ask_to_send_unsaved(&mut self) -> Reply<bool> {
        self.say(
            "CreateKey was not sent. If the console exits before AWS responds, there will be no record that a KMS key \
             might have been created.",
        )?;
        let help = "Free up disk space or make the directory writable, or create the key without a draft.";
        self.session.prompter.ask_yes_no("Create the KMS key without a draft?", Some(false), help)
    }
}

/// Returns the failure of a request that wasn't sent.
fn not_sent(code: String, message: String) -> SubmissionFailure {
    SubmissionFailure { code, message, request_id: String::new(), outcome_unknown: false }
}
