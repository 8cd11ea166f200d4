//! The create key wizard on the screen: its current step, focus, and editors. The user's input is in the [`KeyDraft`].

mod alias;
pub mod choices;
mod configure;
mod draw;
mod editors;
mod external_keys;
mod fields;
mod focus;
pub mod info;
mod input;
mod mouse;
mod outcome;
mod permissions;
mod policy;
mod prefill;
mod principals;
mod resume;
mod review;
mod stepper;
mod steps;
mod tags;

use std::collections::BTreeSet;

use self::editors::Editors;
use self::external_keys::ExternalKeyDropDown;
use self::focus::{FocusTarget, PolicyView, ReviewTab};
use self::info::InfoTab;
use super::dialogs::connect::AfterConnect;
use super::effect::Call;
use super::keymap::Context;
use super::widgets::table::Table;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::configuration_options;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::permissions::{MissingPermission, PermissionCheck};
use crate::create_key::submission::Submission;
use crate::tui::widgets::scroll::ScrollState;

/// A request of the wizard to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum WizardEvent {
    /// Sends a request to AWS.
    Request(Call),
    /// Opens the dialog that connects the key store with this ID.
    Connect(String, AfterConnect),
    /// Opens the dialog that creates an external key store, then returns to the wizard.
    CreateKeyStore,
    /// Copies the text to the clipboard. The first value names the text.
    Copy(&'static str, String),
    /// Shows the help of a field.
    ShowHelp(Field),
    /// Stops waiting for the response to the current stage.
    StopWaiting,
    /// Closes the wizard.
    Leave {
        /// Whether the draft has changes that would be lost.
        has_unsaved_changes: bool,
    },
    /// The KMS key was created.
    Finished,
}

/// The state of the wizard.
#[derive(Clone, Debug)]
pub struct Wizard {
    /// The method, which determines the steps.
    pub method: Method,
    /// The user's input.
    pub draft: KeyDraft,
    /// The current step.
    pub step: Step,
    /// The progress of creating the KMS key.
    pub submission: Submission,
    permission_check: Option<PermissionCheck>,
    permissions: Loadable<Vec<MissingPermission>>,
    suspects: Vec<(Field, String)>,
    visited: BTreeSet<usize>,
    focus_index: usize,
    touched: Vec<Field>,
    /// Whether Next was refused because of an error, and the focus is still where it went then.
    is_refused: bool,
    editors: Editors,
    administrators: Table,
    users: Table,
    stores: Table,
    external_keys: ExternalKeyDropDown,
    shows_origins: bool,
    option_index: usize,
    scroll: ScrollState,
    review_tab: ReviewTab,
    policy_view: PolicyView,
    info_tab: InfoTab,
    /// The draft when the focus moved to its current field, to mark what changed since.
    draft_at_focus: KeyDraft,
    /// The draft when *Finish* failed.
    failed_draft: KeyDraft,
    /// Whether the console is read-only, so that Review offers commands instead of creating the KMS key.
    read_only: bool,
}

impl Wizard {
    /// Creates a wizard at its first step.
    pub fn new(method: Method, account: &AccountState) -> Self {
        let mut wizard = Self {
            draft: KeyDraft::new(&method),
            step: Step::ConfigureKey,
            submission: Submission::NotSent,
            permission_check: None,
            permissions: Loadable::Idle,
            suspects: Vec::new(),
            visited: BTreeSet::from([0]),
            focus_index: 0,
            touched: Vec::new(),
            is_refused: false,
            editors: Editors::default(),
            administrators: Table::default(),
            users: Table::default(),
            stores: Table::default(),
            external_keys: ExternalKeyDropDown::default(),
            shows_origins: false,
            option_index: 0,
            scroll: ScrollState::default(),
            review_tab: ReviewTab::default(),
            policy_view: PolicyView::default(),
            info_tab: InfoTab::default(),
            draft_at_focus: KeyDraft::new(&method),
            failed_draft: KeyDraft::new(&method),
            read_only: account.is_read_only,
            method,
        };
        wizard.refresh_tables(account);
        wizard.select_store(account);
        if matches!(wizard.method, Method::FromKeyStore { .. }) {
            wizard.focus_field(Field::ExternalKeyId);
        }
        wizard
    }

    /// Moves the cursor of the key store table to the selected key store.
    fn select_store(&mut self, account: &AccountState) {
        let stores = super::pages::key_stores::external_key_stores(account);
        let chosen = self.draft.custom_key_store_id.as_ref();
        if let Some(row) = stores.iter().position(|store| Some(&store.custom_key_store_id) == chosen) {
            self.stores.move_cursor_to(row);
        }
    }

    /// Updates the tables after the account state changed.
    pub fn refresh_tables(&mut self, account: &AccountState) {
        self.refresh_principal_tables(account);
        let stores = super::pages::key_stores::external_key_stores(account);
        let cell = |row: usize, column: usize| super::pages::key_stores::cell(stores[row], column);
        self.stores.update_rows(stores.len(), &configure::KEY_STORE_COLUMNS, &cell);
    }

    fn focus_targets(&self) -> Vec<FocusTarget> {
        let mut next_actions = Vec::new();
        if self.step == Step::Review {
            next_actions.extend(self.next_target());
            next_actions.extend(self.missing_permissions_policy().map(|_| FocusTarget::CopyIamPolicy));
        }
        let mut targets = focus::focus_targets(
            &self.method,
            self.step,
            &self.draft,
            self.shows_origins,
            &self.submission,
            self.review_tab,
            next_actions,
        );
        if self.read_only
            && let Some(index) = targets.iter().position(|target| *target == FocusTarget::CopyCommands)
        {
            targets.insert(index + 1, FocusTarget::SaveCommands);
        }
        targets
    }

    fn focused(&self) -> FocusTarget {
        let targets = self.focus_targets();
        targets.get(self.focus_index).or(targets.last()).copied().unwrap_or(FocusTarget::Cancel)
    }

    fn focused_field(&self) -> Option<Field> {
        match self.focused() {
            FocusTarget::Field(field) => Some(field),
            FocusTarget::RemoveTag(row) => Some(Field::TagKey(row)),
            FocusTarget::RemoveAccount(row) => Some(Field::OtherAccount(row)),
            _ => None,
        }
    }

    /// Moves the focus to the target, and loads the value of its field into the editor.
    fn set_focus(&mut self, target: FocusTarget) {
        if let Some(index) = self.focus_targets().iter().position(|other| *other == target) {
            self.focus_index = index;
        }
        self.load_editor();
    }

    /// Goes to the step of the field, and moves the focus to the field.
    pub fn focus_field(&mut self, field: Field) {
        let step = field.step(&self.method);
        if step != self.step {
            self.go_to_step(step);
        }
        self.set_focus(FocusTarget::Field(field));
    }

    fn load_editor(&mut self) {
        self.scroll.reset();
        // Who edits the policy wants to see it.
        if self.focused() == FocusTarget::Field(Field::KeyPolicy) {
            self.policy_view = PolicyView::Policy;
        }
        self.is_refused = false;
        self.draft_at_focus.clone_from(&self.draft);
        self.editors.end_undo_steps();
        self.external_keys.reset();
        match self.focused() {
            FocusTarget::Field(field @ (Field::KeyType | Field::KeyUsage | Field::Origin)) => {
                self.option_index = configuration_options::selected_index(field, self.draft.origin);
            }
            FocusTarget::Field(field @ (Field::Description | Field::KeyPolicy)) => {
                self.editors.open_text_area(field, &self.text_area_value(field));
            }
            FocusTarget::Field(field) => {
                if let Some(value) = self.text_value(field) {
                    self.editors.open_text_field(field, &value);
                }
            }
            _ => {}
        }
    }

    /// Returns the value of a multi-line text field.
    fn text_area_value(&self, field: Field) -> String {
        match field {
            Field::Description => self.draft.description.clone(),
            _ => self.draft.edited_policy.clone().unwrap_or_default(),
        }
    }

    /// Returns the value of a one-line text field, or `None` for any other field.
    fn text_value(&self, field: Field) -> Option<String> {
        match field {
            Field::ExternalKeyId => Some(self.draft.xks_key_id.clone()),
            Field::Alias => Some(self.draft.alias.clone()),
            Field::TagKey(row) => self.draft.tags.get(row).map(|tag| tag.tag_key.clone()),
            Field::TagValue(row) => self.draft.tags.get(row).map(|tag| tag.tag_value.clone()),
            Field::OtherAccount(row) => self.draft.other_accounts.get(row).cloned(),
            Field::AddAdministrator => Some(self.draft.administrator_to_add.clone()),
            Field::AddUser => Some(self.draft.user_to_add.clone()),
            _ => None,
        }
    }

    fn set_text_value(&mut self, field: Field, value: String) {
        match field {
            Field::ExternalKeyId => self.draft.xks_key_id = value,
            Field::Alias => self.draft.alias = value,
            Field::AddAdministrator => self.draft.administrator_to_add = value,
            Field::AddUser => self.draft.user_to_add = value,
            Field::TagKey(row) => {
                if let Some(tag) = self.draft.tags.get_mut(row) {
                    tag.tag_key = value;
                }
            }
            Field::TagValue(row) => {
                if let Some(tag) = self.draft.tags.get_mut(row) {
                    tag.tag_value = value;
                }
            }
            Field::OtherAccount(row) => {
                if let Some(account) = self.draft.other_accounts.get_mut(row) {
                    *account = value;
                }
            }
            _ => {}
        }
    }

    /// Whether a field has the focus, so that help is available.
    pub fn is_field_focused(&self) -> bool {
        self.focused_field().is_some()
    }

    /// Returns the table that has the focus.
    pub fn focused_table(&self) -> Option<&Table> {
        match self.focused() {
            FocusTarget::Field(Field::CustomKeyStore) => Some(&self.stores),
            FocusTarget::Field(Field::Administrators) => Some(&self.administrators),
            FocusTarget::Field(Field::Users) => Some(&self.users),
            _ => None,
        }
    }

    /// Returns what Enter does at the focus.
    pub fn enter_title(&self) -> &'static str {
        match self.focused() {
            FocusTarget::Field(Field::KeyPolicy) if self.draft.edited_policy.is_none() => "Edit",
            FocusTarget::Field(Field::Description | Field::KeyPolicy) => "New line",
            _ if self.focused_table().is_some_and(Table::is_searching) => "Keep search",
            _ if self.focused_table().is_some() => "Select",
            FocusTarget::Field(Field::ExternalKeyId) if self.is_external_key_list_open() => "Choose",
            FocusTarget::Field(field @ (Field::AddAdministrator | Field::AddUser)) if !self.is_empty(field) => "Add",
            FocusTarget::Field(field) if self.text_value(field).is_some() => "Next field",
            target => target.enter_title(),
        }
    }

    /// Whether key presses are text input.
    pub fn is_typing(&self) -> bool {
        match self.focused() {
            FocusTarget::Field(Field::Description | Field::KeyPolicy) => true,
            FocusTarget::Field(Field::CustomKeyStore) => self.stores.is_searching(),
            FocusTarget::Field(Field::Administrators) => self.administrators.is_searching(),
            FocusTarget::Field(Field::Users) => self.users.is_searching(),
            FocusTarget::Field(field) => self.text_value(field).is_some(),
            _ => false,
        }
    }

    /// Whether the draft has changes that would be lost.
    pub fn has_unsaved_changes(&self) -> bool {
        !matches!(self.submission, Submission::Done { .. }) && !self.draft.is_unchanged(&self.method)
    }

    /// Returns the key contexts that are active.
    pub fn contexts(&self, account: &AccountState) -> Vec<Context> {
        if matches!(self.submission, Submission::Sending { .. }) {
            return Vec::new();
        }
        let read_only = account.is_read_only && !self.submission.is_in_doubt();
        let steps = match self.step {
            Step::Review if read_only => Context::ReadOnlyReview,
            Step::Review => Context::Review,
            _ => Context::NonFinalStep,
        };
        let own = match self.focused() {
            FocusTarget::Field(Field::Administrators | Field::Users) => {
                &[Context::SelectableTable, Context::Table, Context::Refreshable][..]
            }
            FocusTarget::Field(Field::CustomKeyStore) => &[Context::Table, Context::Refreshable],
            _ if self.removable_row().is_some() => &[Context::RemovableRow],
            _ => &[],
        };
        let code: &[Context] = if self.shows_code() { &[Context::Code] } else { &[] };
        [&[Context::Wizard, steps, Context::Fields], own, code].concat()
    }
}
