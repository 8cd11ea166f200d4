//! The parts of each task: its form, introduction, checks, requests, and success message.

use super::events::InputError;
use super::form_kind::FormKind;
use super::{clock, cryptography, keys, permissions, preferences, stores};
use crate::create_key::account_state::AccountState;
use crate::create_key::preview::changes::PolicyChanges;
use crate::tui::effect::Change;
use crate::tui::preferences::Preferences;
use crate::tui::target::Target;
use crate::tui::theme;
use crate::tui::widgets::form::Form;
use crate::tui::widgets::scroll_view::ScrollView;

impl FormKind {
    pub(super) fn form(&self, now: &Preferences, world: &Target) -> Form {
        match self {
            Self::Preferences => preferences::form(now),
            Self::MoveClock => clock::form(),
            Self::ExternalKey(form_kind) => form_kind.form(),
            Self::ProxyFault(form_kind) => form_kind.form(),
            Self::EditPermissions(_, _, policy) => permissions::form(policy),
            Self::CreateKeyStore if *world == Target::Bundled => stores::with_proxy_route(stores::form(None)),
            Self::CreateKeyStore => stores::form(None),
            Self::EditKeyStore(store) => stores::form(Some(store)),
            Self::DeleteKeyStore { .. } => Form::new(vec![stores::confirmation()], "Delete key store", true),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::form(self),
            _ => keys::form(self),
        }
    }

    /// Shows or hides the inputs that depend on the values of others.
    pub(super) fn update_visible_inputs(&self, form: &mut Form) {
        match self {
            Self::ProxyFault(form_kind) => form_kind.update_visible_inputs(form),
            _ => stores::update_visible_inputs(self, form),
        }
    }

    /// Writes the introduction of the dialog.
    pub(super) fn write_intro(&self, view: &mut ScrollView) {
        match self {
            Self::CreateKeyStore | Self::EditKeyStore(_) | Self::DeleteKeyStore { .. } => {
                stores::write_intro(self, view);
            }
            Self::Encrypt(key) | Self::Decrypt(key) => {
                view.key_value("KMS key", &key.name, theme::TEXT);
                view.blank_line();
            }
            Self::MoveClock => clock::write_intro(view),
            Self::ExternalKey(form_kind) => form_kind.write_intro(view),
            Self::ProxyFault(form_kind) => form_kind.write_intro(view),
            _ => keys::write_intro(self, view),
        }
    }

    pub(super) fn validate(&self, form: &Form, account: &AccountState) -> Vec<InputError> {
        match self {
            Self::Preferences => preferences::validate(form),
            Self::MoveClock => clock::validate(form),
            Self::ExternalKey(form_kind) => form_kind.validate(form),
            Self::ProxyFault(form_kind) => form_kind.validate(form),
            Self::EditPermissions(_, text, policy) => permissions::validate(form, text, policy, account),
            Self::CreateKeyStore | Self::EditKeyStore(_) => stores::validate(self, form, account),
            Self::DeleteKeyStore { name, .. } => stores::confirmation_error(form, name).into_iter().collect(),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::validate(self, form),
            _ => keys::validate(self, form, account),
        }
    }

    pub(super) fn changes(&self, form: &Form, account: &AccountState) -> Vec<Change> {
        match self {
            Self::EditPermissions(key, text, policy) => permissions::changes(&key.id, form, text, policy, account),
            Self::CreateKeyStore | Self::EditKeyStore(_) | Self::DeleteKeyStore { .. } => stores::changes(self, form),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::changes(self, form),
            Self::MoveClock => clock::changes(form),
            Self::ExternalKey(form_kind) => form_kind.changes(form),
            Self::ProxyFault(form_kind) => form_kind.changes(form),
            _ => keys::changes(self, form),
        }
    }

    /// Returns how the key policy in the form differs from the current one, if the form edits a key policy and has no
    /// errors that prevent the comparison.
    pub(super) fn policy_changes(&self, form: &Form, account: &AccountState) -> Option<PolicyChanges> {
        match self {
            Self::EditPermissions(_, text, policy) => {
                let new_policy = permissions::new_policy(form, text, policy, account)?;
                Some(PolicyChanges::between(text, &new_policy))
            }
            Self::EditPolicy(_, before) => Some(PolicyChanges::between(before, &form.text(keys::TEXT))),
            _ => None,
        }
    }

    /// Returns the message for the flash bar.
    pub(super) fn success_message(&self, form: &Form) -> String {
        match self {
            Self::CreateKeyStore => {
                format!("The external key store {} was created. Connect it to use it.", form.text("name"))
            }
            Self::EditKeyStore(store) => format!("The external key store {} was updated.", store.custom_key_store_name),
            Self::DeleteKeyStore { name, .. } => format!("The external key store {name} was deleted."),
            Self::MoveClock => clock::success_message(form),
            Self::ExternalKey(form_kind) => form_kind.success_message(form),
            Self::ProxyFault(form_kind) => form_kind.success_message().to_owned(),
            _ => keys::success_message(self, form),
        }
    }

    /// Returns the inputs that a CLI command doesn't need: a confirmation, or a credential, which comes from a file.
    pub(super) fn unneeded_inputs(&self) -> &'static [&'static str] {
        if *self == Self::CreateKeyStore { &stores::CREDENTIAL_INPUTS } else { &["confirm"] }
    }

    /// Returns the input to correct after an error from AWS.
    pub(super) fn input_for_error(&self, code: &str) -> Option<&'static str> {
        match self {
            Self::CreateKeyStore | Self::EditKeyStore(_) => stores::input_for_error(code),
            _ => None,
        }
    }
}
