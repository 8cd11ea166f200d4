//! Key presses, pasted text, and responses in the wizard.

use crossterm::event::{KeyCode, KeyEvent};

use super::focus::{FocusTarget, PolicyView, ReviewTab};
use super::{Wizard, WizardEvent};
use crate::aws::scalar::SecretString;
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::method::Step;
use crate::create_key::preview;
use crate::create_key::submission::{Submission, SubmissionResponse};
use crate::create_key::validate::FieldError;
use crate::error_remedies;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::widgets::text_area::TextArea;
use crate::tui::widgets::text_field::TextField;

impl Wizard {
    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        let was_on_policy = self.step == Step::KeyPolicy;
        let events = self.handle_step_key(key, account);
        if self.policy_view == PolicyView::RestoreQuestion && self.focused() != FocusTarget::RestorePolicy {
            self.policy_view = PolicyView::Policy;
        }
        if was_on_policy && self.step != Step::KeyPolicy {
            self.drop_unchanged_policy(account);
        }
        events
    }

    /// Returns to the generated policy if the user opened the editor and changed nothing.
    fn drop_unchanged_policy(&mut self, account: &AccountState) {
        let generated = self.draft.generated_policy(account);
        if self.draft.edited_policy.as_ref() == Some(&generated) {
            self.draft.edited_policy = None;
        }
    }

    fn handle_step_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        if matches!(self.submission, Submission::Sending { .. }) {
            return if key.code == KeyCode::Esc { vec![WizardEvent::StopWaiting] } else { Vec::new() };
        }
        if let Some(number) = keymap::step_number(key) {
            self.jump_to_step(number - 1);
            return Vec::new();
        }
        let action =
            keymap::action(&[Context::Wizard, Context::NonFinalStep, Context::RemovableRow, Context::Fields], key);
        match action {
            Some(Action::NextStep) => {
                if self.step == Step::Review {
                    return self.finish(account);
                }
                return self.go_next(account);
            }
            Some(Action::SkipToReview) if self.can_skip_to_review() => self.skip_to_review(account),
            Some(Action::PreviousStep) => self.move_step(-1),
            Some(Action::NextField) => self.move_focus(1),
            Some(Action::PreviousField) => self.move_focus(-1),
            Some(Action::Help) => return self.focused_field().map(WizardEvent::ShowHelp).into_iter().collect(),
            Some(Action::Remove) if self.removable_row().is_some() => self.remove_row(),
            _ => return self.handle_focused_key(key, account),
        }
        Vec::new()
    }

    pub(super) fn move_focus(&mut self, by: isize) {
        if let Some(field) = self.focused_field() {
            self.touched.push(field);
        }
        let targets = self.focus_targets().len();
        self.focus_index = self.focus_index.min(targets.saturating_sub(1));
        self.focus_index = (self.focus_index + targets).saturating_add_signed(by) % targets.max(1);
        self.load_editor();
    }

    /// Whether the focus is on a table or multi-line text field, which handle Page Up and Page Down themselves.
    fn handles_paging(&self) -> bool {
        match self.focused() {
            FocusTarget::Field(Field::CustomKeyStore | Field::Administrators | Field::Users | Field::Description) => {
                true
            }
            FocusTarget::Field(Field::KeyPolicy) => self.draft.edited_policy.is_some(),
            _ => false,
        }
    }

    /// Whether the step offers to go directly to Review.
    pub fn can_skip_to_review(&self) -> bool {
        self.focus_targets().contains(&FocusTarget::SkipToReview)
    }

    pub(super) fn show_review_tab(&mut self, tab: ReviewTab) {
        self.review_tab = tab;
        self.set_focus(FocusTarget::ReviewTabs);
    }

    /// Whether Page Down scrolls the step.
    pub fn can_scroll(&self) -> bool {
        !self.handles_paging() && self.scroll.has_more_below()
    }

    fn handle_focused_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        if !self.handles_paging() && self.scroll.handle_page_key(key.code) {
            return Vec::new();
        }
        match self.focused() {
            FocusTarget::Field(Field::CustomKeyStore) => self.handle_key_store_table_key(key, account),
            FocusTarget::Field(field @ (Field::KeyType | Field::KeyUsage | Field::Origin)) => {
                self.handle_radio_key(field, key)
            }
            FocusTarget::Field(Field::Administrators | Field::Users) => self.handle_principal_table_key(key, account),
            FocusTarget::Field(field @ (Field::Description | Field::KeyPolicy)) => {
                self.handle_text_area_key(field, key, account)
            }
            FocusTarget::Field(field @ (Field::AddAdministrator | Field::AddUser))
                if key.code == KeyCode::Enter && !self.is_empty(field) =>
            {
                self.touched.push(field);
                self.add_typed_principal(account);
                Vec::new()
            }
            FocusTarget::Field(Field::ExternalKeyId) => self.handle_external_key_key(key, account),
            FocusTarget::Field(field) if self.text_value(field).is_some() => self.handle_text_field_key(field, key),
            FocusTarget::ReviewTabs if matches!(key.code, KeyCode::Left | KeyCode::Right) => {
                self.show_review_tab(self.review_tab.neighbor(key.code == KeyCode::Right));
                Vec::new()
            }
            target => match key.code {
                KeyCode::Enter | KeyCode::Char(' ') => self.activate(target, account),
                KeyCode::Down | KeyCode::Right => {
                    self.move_focus(1);
                    Vec::new()
                }
                KeyCode::Up | KeyCode::Left => {
                    self.move_focus(-1);
                    Vec::new()
                }
                KeyCode::Esc => self.leave(),
                _ => Vec::new(),
            },
        }
    }

    pub(super) fn leave(&mut self) -> Vec<WizardEvent> {
        vec![WizardEvent::Leave { has_unsaved_changes: self.has_unsaved_changes() }]
    }

    pub(super) fn handle_text_field_key(&mut self, field: Field, key: KeyEvent) -> Vec<WizardEvent> {
        match key.code {
            KeyCode::Esc => return self.leave(),
            KeyCode::Enter | KeyCode::Down => self.move_focus(1),
            KeyCode::Up => self.move_focus(-1),
            _ => self.edit_text_field(field, |editor| {
                editor.handle_key(key);
            }),
        }
        Vec::new()
    }

    fn handle_text_area_key(&mut self, field: Field, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        if key.code == KeyCode::Esc {
            return self.leave();
        }
        if field == Field::KeyPolicy && self.draft.edited_policy.is_none() {
            return match key.code {
                KeyCode::Enter => self.activate(FocusTarget::Field(field), account),
                KeyCode::Down => {
                    self.move_focus(1);
                    Vec::new()
                }
                KeyCode::Up => {
                    self.move_focus(-1);
                    Vec::new()
                }
                _ => Vec::new(),
            };
        }
        self.edit_text_area(field, |area| {
            area.handle_key(key);
        });
        Vec::new()
    }

    /// Edits a one-line text field, and copies its value to the draft.
    pub(super) fn edit_text_field(&mut self, field: Field, edit: impl FnOnce(&mut TextField)) {
        let Some(before) = self.text_value(field) else { return };
        let editor = self.editors.open_text_field(field, &before);
        edit(editor);
        let value = editor.value().to_owned();
        if field == Field::ExternalKeyId && value != before {
            self.on_external_key_id_edited();
        }
        self.set_text_value(field, value);
    }

    /// Edits a multi-line text field, and copies its value to the draft.
    pub(super) fn edit_text_area(&mut self, field: Field, edit: impl FnOnce(&mut TextArea)) {
        let value = self.text_area_value(field);
        let area = self.editors.open_text_area(field, &value);
        edit(area);
        let text = area.value();
        if field == Field::Description {
            self.draft.description = text;
        } else {
            self.draft.edited_policy = Some(text);
        }
    }

    /// Inserts pasted text into the field that has the focus.
    pub fn handle_paste(&mut self, pasted: &str, account: &AccountState) {
        match self.focused() {
            FocusTarget::Field(Field::CustomKeyStore) => self.stores.handle_paste(pasted),
            FocusTarget::Field(Field::Administrators) => self.administrators.handle_paste(pasted),
            FocusTarget::Field(Field::Users) => self.users.handle_paste(pasted),
            FocusTarget::Field(field @ (Field::Description | Field::KeyPolicy))
                if (field == Field::Description || self.draft.edited_policy.is_some()) =>
            {
                self.edit_text_area(field, |area| area.paste(pasted));
            }
            FocusTarget::Field(field) => self.edit_text_field(field, |editor| editor.paste(pasted)),
            _ => {}
        }
        self.refresh_tables(account);
    }

    fn activate(&mut self, target: FocusTarget, account: &AccountState) -> Vec<WizardEvent> {
        match target {
            FocusTarget::Field(Field::Acknowledgement) => self.draft.acknowledged = !self.draft.acknowledged,
            FocusTarget::Field(Field::AdministratorsMayDelete) => {
                self.draft.administrators_may_delete = !self.draft.administrators_may_delete;
            }
            FocusTarget::AdvancedOptions => {
                self.shows_origins = !self.shows_origins;
                if self.shows_origins {
                    self.set_focus(FocusTarget::Field(Field::Origin));
                }
            }
            FocusTarget::CreateKeyStore => return vec![WizardEvent::CreateKeyStore],
            FocusTarget::Field(Field::AddTag) => self.add_tag(),
            FocusTarget::Field(Field::AddOtherAccount) => self.add_other_account(),
            // The key policy contains the account ID.
            FocusTarget::Field(Field::KeyPolicy) if account.account_id.is_empty() => {
                return vec![WizardEvent::Request(Call::Identity)];
            }
            FocusTarget::Field(Field::KeyPolicy) => {
                self.draft.edited_policy = Some(self.draft.policy_json(account));
                self.load_editor();
            }
            FocusTarget::RemoveTag(_) | FocusTarget::RemoveAccount(_) => self.remove_row(),
            FocusTarget::RestorePolicy if self.policy_view == PolicyView::RestoreQuestion => {
                self.draft.edited_policy = None;
                self.policy_view = PolicyView::Policy;
                self.set_focus(FocusTarget::Field(Field::KeyPolicy));
            }
            FocusTarget::RestorePolicy => self.policy_view = PolicyView::RestoreQuestion,
            FocusTarget::ToggleChanges => {
                self.policy_view = self.policy_view.other();
                self.scroll.reset();
            }
            FocusTarget::EditStep(step) => self.go_to_step(step),
            FocusTarget::CopyCommands => {
                let commands = preview::remaining_commands(&self.draft, account, &self.submission).join("\n\n");
                return vec![WizardEvent::Copy("AWS CLI commands", commands)];
            }
            FocusTarget::CopyTerraform => return vec![WizardEvent::Copy("Terraform code", self.terraform(account))],
            FocusTarget::SaveCommands if !self.focus_first_error(account) => {
                let commands = preview::remaining_commands(&self.draft, account, &self.submission);
                let (name, text) = preview::shell_script(&self.draft, &commands);
                let (name, text) = (format!("{name}.sh"), SecretString::new(text));
                return vec![WizardEvent::Request(Call::WriteFile { name, text })];
            }
            FocusTarget::CopyIamPolicy => {
                return self
                    .missing_permissions_policy()
                    .map(|text| WizardEvent::Copy("IAM policy", text))
                    .into_iter()
                    .collect();
            }
            FocusTarget::CopyKeyPolicy => {
                return vec![WizardEvent::Copy("key policy", self.draft.policy_json(account))];
            }
            FocusTarget::FixField(field) => {
                self.touched.push(field);
                self.focus_field(field);
            }
            FocusTarget::Cancel => return self.leave(),
            FocusTarget::SkipToReview => self.skip_to_review(account),
            FocusTarget::ReviewTabs => self.show_review_tab(self.review_tab.neighbor(true)),
            FocusTarget::Previous => self.move_step(-1),
            FocusTarget::Retry => return self.finish(account),
            FocusTarget::Next if self.step == Step::Review => return self.finish(account),
            FocusTarget::Next => return self.go_next(account),
            FocusTarget::Field(_) | FocusTarget::SaveCommands => {}
        }
        Vec::new()
    }

    /// Starts creating the KMS key, or moves the focus to the first error.
    ///
    /// A read-only console copies the commands instead, unless it has to check an unknown outcome.
    fn finish(&mut self, account: &AccountState) -> Vec<WizardEvent> {
        if self.focus_first_error(account) {
            return Vec::new();
        }
        if account.is_read_only && !self.submission.is_in_doubt() {
            return self.activate(FocusTarget::CopyCommands, account);
        }
        let call = self.submission.start(&self.draft, account);
        call.map(|call| WizardEvent::Request(Call::Submission(call))).into_iter().collect()
    }

    /// Moves the focus to the first error. Returns whether there is one.
    fn focus_first_error(&mut self, account: &AccountState) -> bool {
        let errors = self.step_errors(Step::Review, account);
        let Some(FieldError { field, .. }) = errors.first() else { return false };
        self.touched.push(*field);
        self.focus_field(*field);
        self.is_refused = true;
        true
    }

    /// Handles the response to a stage of creating the KMS key.
    pub fn on_submission_response(&mut self, response: SubmissionResponse, account: &AccountState) -> Vec<WizardEvent> {
        let next = self.submission.on_response(response, &self.draft, account);
        if let Some(call) = next {
            return vec![WizardEvent::Request(Call::Submission(call))];
        }
        if matches!(self.submission, Submission::Done { .. }) {
            return vec![WizardEvent::Finished];
        }
        self.failed_draft.clone_from(&self.draft);
        self.suspects = self
            .submission
            .failure()
            .map(|failure| error_remedies::invalid_principals(&failure.code, &failure.message, &self.draft, account))
            .unwrap_or_default();
        self.go_to_step(Step::Review);
        self.set_focus(self.next_target().unwrap_or(FocusTarget::Next));
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;
    use proptest::prelude::*;

    use super::*;
    use crate::create_key::method::Method;
    use crate::create_key::testing::account_state;

    fn wizard(is_method_1: bool) -> Wizard {
        let method = if is_method_1 {
            Method::FromKeyStore { custom_key_store_id: "cks-1".to_owned() }
        } else {
            Method::FromCustomerManagedKeys
        };
        Wizard::new(method, &account_state())
    }

    #[test]
    fn key_policy_without_an_account_requests_the_identity() {
        let account = AccountState { account_id: String::new(), ..account_state() };
        let mut wizard = wizard(true);
        wizard.go_to_step(Step::KeyPolicy);
        let next = KeyEvent::new(KeyCode::Char('n'), KeyModifiers::CONTROL);
        for key in [KeyCode::Enter.into(), next] {
            assert_eq!(wizard.handle_key(key, &account), [WizardEvent::Request(Call::Identity)]);
        }
        assert_eq!((wizard.step, &wizard.draft.edited_policy), (Step::KeyPolicy, &None));
    }

    proptest! {
        #[test]
        fn going_back_never_validates(is_method_1: bool, step in 0usize..8, tabs in 0usize..8, typed in "[ -~é]{0,12}") {
            let account = account_state();
            let mut wizard = wizard(is_method_1);
            let steps = wizard.method.steps(wizard.draft.origin);
            let step = step.min(steps.len() - 1);
            wizard.go_to_step(steps[step]);
            for _ in 0..tabs {
                wizard.handle_key(KeyCode::Tab.into(), &account);
            }
            if matches!(wizard.focused(), FocusTarget::Field(_)) && wizard.is_typing() {
                wizard.handle_paste(&typed, &account);
            }
            let draft = wizard.draft.clone();
            let back = KeyEvent::new(KeyCode::Char('p'), KeyModifiers::CONTROL);
            wizard.handle_key(back, &account);
            prop_assert_eq!(wizard.step, steps[step.saturating_sub(1)]);
            prop_assert_eq!(&wizard.draft, &draft);
            prop_assert!(!wizard.is_refused);
        }
    }
}
