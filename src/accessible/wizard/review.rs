//! The step *Review*: every choice in words, and what to do next.

use super::super::Reply;
use super::super::lists::description_lines;
use super::tags::describe_tag;
use super::{AfterStep, Step, Wizard, WizardEnd};
use crate::aws::scalar::SecretString;
use crate::create_key::configuration_options::FIXED_CONFIGURATION;
use crate::create_key::field::Field;
use crate::create_key::method::Method;
use crate::create_key::outcome::{NextAction, finish_label, next_action};
use crate::create_key::preview;
use crate::create_key::preview::changes::{ChangedLine, GENERATED_POLICY, LineChange, PolicyChanges};
use crate::create_key::submission::Submission;
use crate::tui::effect::{Call, Response};

const HELP: &str =
    "Enter a number, or the start of a name. Nothing is created until you choose the entry that says so.";

/// What the user can do on Review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Fix(Field),
    Finish,
    SaveCommands,
    ReadAgain,
    PrintPolicy,
    Change(Step),
    Leave,
}

impl Wizard<'_, '_> {
    /// Reads out the choices or the outcome of the last attempt, and asks what to do next.
    pub(super) fn ask_review(&mut self) -> Reply<AfterStep> {
        let changed_step = self.state.changed_step.take();
        self.state.is_corrected |= changed_step.is_some();
        if std::mem::take(&mut self.state.shows_outcome) {
            self.say_outcome()?;
        } else if let Some(step) = changed_step {
            self.say_section(step)?;
            self.say("For the other choices, choose Read all choices.")?;
        } else {
            self.say_review()?;
        }
        self.check_permissions()?;
        self.say_permissions()?;
        loop {
            let actions = self.actions();
            let labels: Vec<String> = actions.iter().map(|action| self.action_label(*action)).collect();
            self.say("What next?")?;
            self.say_numbered(&labels)?;
            let index = self.ask_choice("Choose", &labels, None, HELP)?;
            match actions.get(index).copied().unwrap_or(Action::ReadAgain) {
                Action::Fix(field) => return Ok(AfterStep::Change(field.step(&self.state.method))),
                Action::Finish => return self.finish(),
                Action::SaveCommands => self.save_commands()?,
                Action::ReadAgain => self.say_review()?,
                Action::PrintPolicy => {
                    let policy = self.state.draft.policy_json(&self.session.account);
                    self.say_text(&policy)?;
                }
                Action::Change(step) => return Ok(AfterStep::Change(step)),
                Action::Leave if self.leave()? => return Ok(AfterStep::End(WizardEnd::Left)),
                Action::Leave => {}
            }
        }
    }

    /// Whether the commands are all that a read-only console has to offer.
    fn shows_commands_only(&self) -> bool {
        self.session.account.is_read_only && !self.state.submission.is_in_doubt()
    }

    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let next = next_action(&self.state.submission, &self.state.suspects);
        if let Some(NextAction::FixField(field)) = next.filter(|_| !self.state.is_corrected) {
            actions.push(Action::Fix(field));
        }
        actions.push(if self.shows_commands_only() { Action::SaveCommands } else { Action::Finish });
        actions.extend([Action::ReadAgain, Action::PrintPolicy]);
        if self.state.submission.key().is_none() {
            actions.extend(self.state.method.review_steps(self.state.draft.origin).map(Action::Change));
        } else {
            actions.push(Action::Change(Step::AliasAndDescription));
        }
        actions.push(Action::Leave);
        actions
    }

    fn action_label(&self, action: Action) -> String {
        match action {
            Action::Fix(field) => format!("Correct {}", super::name(field)),
            Action::Finish if self.state.submission == Submission::NotSent => "Create the KMS key".to_owned(),
            Action::Finish => finish_label(&self.state.submission).to_owned(),
            Action::SaveCommands => "Save the AWS CLI commands to a file".to_owned(),
            Action::ReadAgain => "Read all choices".to_owned(),
            Action::PrintPolicy => "Print the key policy".to_owned(),
            Action::Change(step) => format!("Go to {}", self.state.step_name(step)),
            Action::Leave => "Leave the wizard".to_owned(),
        }
    }

    fn say_review(&mut self) -> Reply<()> {
        if self.shows_commands_only() {
            self.say("This console can't create KMS keys. Run the commands below with other credentials.")?;
        } else if matches!(self.state.submission, Submission::NotSent | Submission::Failed { .. }) {
            self.say("You can still go back and change all settings.")?;
        }
        let steps: Vec<Step> = self.state.method.review_steps(self.state.draft.origin).collect();
        for step in steps {
            self.say_section(step)?;
        }
        let commands = preview::remaining_commands(&self.state.draft, &self.session.account, &self.state.submission);
        if !commands.is_empty() {
            self.say("AWS CLI commands that do the same:")?;
            self.say_text(&commands.join("\n"))?;
        }
        Ok(())
    }

    fn say_section(&mut self, step: Step) -> Reply<()> {
        let mut lines = vec![format!("{}.", step.section_title())];
        lines.extend(self.section_lines(step));
        self.say_lines(&lines)?;
        for error in self.errors(step) {
            self.say_error(&error)?;
        }
        Ok(())
    }

    fn section_lines(&self, step: Step) -> Vec<String> {
        let draft = &self.state.draft;
        match step {
            Step::ConfigureKey => self.configuration_lines(),
            Step::ChooseExternalKey => self.external_key_lines(),
            Step::AliasAndDescription => {
                let mut lines = vec![format!("Alias: {}", draft.alias)];
                lines.extend(description_lines(&draft.description));
                lines
            }
            Step::Tags if draft.tags.is_empty() => vec!["No tags".to_owned()],
            Step::Tags => draft.tags.iter().map(describe_tag).collect(),
            Step::Administrators => {
                let mut lines = principal_lines(&draft.administrators);
                let deletion = if draft.administrators_may_delete { "Allowed" } else { "Not allowed" };
                lines.push(format!("Key deletion: {deletion}"));
                lines
            }
            Step::Users => {
                let mut lines = principal_lines(&draft.users);
                lines.extend(draft.other_accounts.iter().map(|account| format!("Other AWS account: {account}")));
                lines
            }
            Step::KeyPolicy => {
                let source = if draft.edited_policy.is_some() { "Edited by you" } else { "Generated" };
                let mut lines = vec![format!("Policy document: {source}")];
                let account = &self.session.account;
                if let Some(changes) = PolicyChanges::of_draft(draft, account) {
                    lines.push(format!("{}.", changes.summary(GENERATED_POLICY)));
                    lines.extend(changes.changed_lines().map(describe_line));
                }
                lines.extend(preview::access::describe(&draft.policy_json(account), &account.account_id));
                lines
            }
            Step::Review => Vec::new(),
        }
    }

    fn configuration_lines(&self) -> Vec<String> {
        let origin = self.state.draft.origin.label();
        let value = |(label, value)| {
            let value = if label == Field::Origin.label() { origin } else { value };
            format!("{label}: {value}")
        };
        let mut lines: Vec<String> = FIXED_CONFIGURATION.into_iter().map(value).collect();
        if matches!(self.state.method, Method::FromKeyStore { .. }) {
            lines.extend(self.external_key_lines());
        }
        if self.state.submission.key().is_none() {
            lines.push("You can't change the key configuration after the key is created.".to_owned());
        }
        lines
    }

    fn external_key_lines(&self) -> Vec<String> {
        let draft = &self.state.draft;
        let id = draft.custom_key_store_id.as_deref().unwrap_or_default();
        let store = self.session.account.key_store(id).map_or("none", |store| &store.custom_key_store_name);
        vec![
            format!("Custom key store: {store}"),
            format!("Custom key store ID: {id}"),
            format!("External key ID: {}", draft.xks_key_id),
        ]
    }

    /// Saves the commands as a shell script, if nothing has to be corrected.
    fn save_commands(&mut self) -> Reply<()> {
        let errors = self.errors(Step::Review);
        for error in &errors {
            self.say_error(error)?;
        }
        if !errors.is_empty() {
            return Ok(());
        }
        let commands = preview::remaining_commands(&self.state.draft, &self.session.account, &self.state.submission);
        let (name, text) = preview::shell_script(&self.state.draft, &commands);
        let call = Call::WriteFile { name: format!("{name}.sh"), text: SecretString::new(text) };
        match self.session.call(&call)? {
            Ok(Response::FileWritten(path)) => self.say(&format!("The commands are saved in {path}."))?,
            Ok(_) => {}
            Err(failure) => self.say(&format!("Couldn't save the commands: {}", failure.message))?,
        }
        Ok(())
    }
}

/// Returns a changed line of the key policy in words, with its number in the policy that has it.
fn describe_line(line: &ChangedLine) -> String {
    let (change, number) = match line.change {
        LineChange::Removed => ("Removed", line.before),
        LineChange::Added | LineChange::Unchanged => ("Added", line.after),
    };
    format!("{change} line {}: {}", number.unwrap_or_default(), line.text.trim())
}

fn principal_lines(arns: &[String]) -> Vec<String> {
    if arns.is_empty() { vec!["None selected".to_owned()] } else { arns.to_vec() }
}
