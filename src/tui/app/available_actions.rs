//! Determines which keys are currently available. The footer and the help show only these keys, and pages accept no
//! others.

use super::{App, Dialog};
use crate::aws::lenient::UNREADABLE;
use crate::tui::keymap::{self, Action, Binding, Context};
use crate::tui::pages::Location;
use crate::tui::pages::key_store::KeyStorePage;
use crate::tui::target::Target;
use crate::tui::widgets::table::Table;
use crate::tui::wizard::Wizard;

/// Returns whether Enter opens a row of a table or ends its search.
fn can_open(table: &Table) -> bool {
    table.is_searching() || table.current().is_some()
}

impl App {
    /// Returns the available bindings, in the order of the table.
    pub fn bindings(&self) -> impl Iterator<Item = &'static Binding> + use<'_> {
        let mut contexts = if self.text_view.is_some() { vec![Context::TextView] } else { self.contexts() };
        contexts.extend(self.is_typing().then_some(Context::TextInput));
        keymap::bindings(contexts).filter(|binding| self.is_available(binding))
    }

    /// Returns the bindings of the page, whatever covers it, and whether each of them applies to the current item.
    pub fn page_bindings(&self) -> impl Iterator<Item = (&'static Binding, bool)> + use<'_> {
        keymap::bindings(self.page_contexts()).map(|binding| {
            let applies = match binding.action {
                Action::CreateKey => self.can_act_on_store(binding.action),
                Action::OpenActionsMenu | Action::Copy | Action::CopyArn => self.has_current_item(),
                _ => true,
            };
            (binding, applies)
        })
    }

    /// Returns whether a binding of the current contexts is available.
    pub(super) fn is_available(&self, binding: &Binding) -> bool {
        if binding.action != Action::EditText && self.is_typing() && self.keymap.inserts_text(binding) {
            return false;
        }
        if let Some(view) = &self.text_view {
            return view.is_available(binding.action);
        }
        if self.is_lesson_focused() {
            return self.is_available_in_lesson(binding.action);
        }
        let is_overlaid = self.dialog.is_some() || self.login.is_some();
        match binding.action {
            Action::EditText => self.is_typing(),
            Action::Lesson => self.lesson.is_some(),
            Action::Hint => self.has_hint(),
            Action::ShowError => self.last_error.is_some(),
            Action::Palette if matches!(self.dialog, Some(Dialog::Menu(_) | Dialog::Drafts(_))) => true,
            Action::KeyboardHelp | Action::Palette => !is_overlaid,
            Action::Help => {
                !matches!(self.dialog, Some(Dialog::Palette(_) | Dialog::FieldHelp { .. } | Dialog::Preview { .. }))
            }
            Action::MoveClock => !is_overlaid && self.target != Target::Aws,
            Action::ApiCalls => !is_overlaid && self.location != Location::ApiCalls,
            Action::SwitchProfileOrRegion => self.dialog.is_none(),
            action if is_overlaid => self.is_available_in_dialog(action),
            Action::Activate => self.can_activate(),
            Action::FocusNavigation => !self.is_typing(),
            Action::Search | Action::SortColumn | Action::SortDirection | Action::SelectAll => {
                self.focused_table().is_some_and(Table::has_rows)
            }
            Action::CopyTable => self.table().is_some_and(|table| !table.matching_rows().is_empty()),
            Action::ScrollColumns => {
                self.focused_table().is_some_and(|table| table.has_hidden_columns() && !table.is_searching())
            }
            Action::Scroll => self.can_scroll(),
            Action::PreviousStep => self.wizard.as_ref().is_some_and(Wizard::has_previous),
            Action::SkipToReview => self.wizard.as_ref().is_some_and(Wizard::can_skip_to_review),
            Action::JumpToStep => self.wizard.as_ref().is_some_and(Wizard::can_jump_to_step),
            Action::CreateKey | Action::Connect | Action::Disconnect => self.can_act_on_store(binding.action),
            Action::OpenActionsMenu | Action::Copy | Action::CopyArn => self.has_current_item(),
            Action::CopyWebAddress => self.web_address().is_some(),
            Action::NextStep
            | Action::NextField
            | Action::PreviousField
            | Action::Toggle
            | Action::Back
            | Action::Refresh
            | Action::Preferences
            | Action::CreateKeyStore
            | Action::NextTab
            | Action::TimeRange
            | Action::Remove
            | Action::Preview
            | Action::Drafts
            | Action::ErrorReport
            | Action::Encrypt
            | Action::Decrypt
            | Action::TryAgain
            | Action::Redraw
            | Action::Suspend
            | Action::ViewText
            | Action::ShowChanges
            | Action::SaveText
            | Action::NextMatch
            | Action::PreviousMatch
            | Action::LineNumbers
            | Action::ToggleMouse
            | Action::Quit => true,
        }
    }

    /// Returns whether an action is available in the open dialog.
    fn is_available_in_dialog(&self, action: Action) -> bool {
        match (action, &self.dialog) {
            (Action::Scroll, Some(Dialog::FieldHelp { scroll, .. } | Dialog::Preview { scroll })) => {
                scroll.has_more_below()
            }
            (Action::Scroll, Some(Dialog::Task(task))) => task.can_scroll(),
            (Action::Scroll, Some(Dialog::TryKey(trial))) => trial.scroll().has_more_below(),
            (Action::Scroll, _) => false,
            (Action::ShowChanges, Some(Dialog::Task(task))) => task.changes_policy(&self.account),
            (Action::Activate, Some(Dialog::Menu(menu))) => menu.can_activate(),
            (Action::Toggle, Some(Dialog::Task(task))) => task.can_toggle(),
            (Action::Toggle, Some(Dialog::TryKey(trial))) => trial.can_toggle(),
            (Action::Toggle, Some(Dialog::Switcher(switcher))) => !switcher.is_typing(),
            _ => true,
        }
    }

    /// Returns whether the page has more to show below.
    fn can_scroll(&self) -> bool {
        match self.location {
            Location::CreateKey => self.wizard.as_ref().is_some_and(Wizard::can_scroll),
            Location::KeyStore(_) => self.key_store.scroll().has_more_below(),
            Location::Key(_) => self.key.scroll().has_more_below(),
            Location::Event(_) => self.event.scroll().has_more_below(),
            Location::XrayFlow(_) => self.flow.scroll().has_more_below(),
            _ => false,
        }
    }

    /// Returns the focused table.
    pub(super) fn focused_table(&self) -> Option<&Table> {
        match self.location {
            Location::CreateKey => self.wizard.as_ref().and_then(Wizard::focused_table),
            _ => self.table(),
        }
    }

    fn can_activate(&self) -> bool {
        match self.location {
            _ if self.navigation_focus.is_some() => true,
            Location::KeyStore(_) => self.key_store.can_activate(&self.account),
            Location::Key(_) => self.key.can_activate(&self.account),
            Location::XrayFlow(_) => self.flow.can_open_event(),
            Location::CloudHsm | Location::Event(_) | Location::ApiCall(_) => false,
            Location::CreateKey => self.wizard.as_ref().and_then(Wizard::focused_table).is_none_or(can_open),
            _ => self.table().is_some_and(can_open),
        }
    }

    fn can_act_on_store(&self, action: Action) -> bool {
        let store_id = match &self.location {
            Location::KeyStore(id) => Some(id.clone()),
            Location::KeyStores => self.key_stores.current(&self.account),
            // *Create key* on the list of KMS keys needs no key store.
            _ => return true,
        };
        match store_id.as_ref().and_then(|id| self.account.key_store(id)) {
            // For a key store that couldn't be read, the menu explains why no action is available.
            Some(store) if store.custom_key_store_id == UNREADABLE => true,
            Some(store) => KeyStorePage::is_enabled(action, store),
            None => action == Action::CreateKey && self.account.key_stores.ready().is_some(),
        }
    }

    /// Returns whether the item of the page exists, or the cursor is on one.
    fn has_current_item(&self) -> bool {
        match &self.location {
            Location::KeyStore(id) => self.account.key_store(id).is_some(),
            Location::Key(_) => self.key.key(&self.account).is_some(),
            Location::Event(_) => self.event.has_event(),
            Location::ApiCall(number) => self.api_calls.call(*number).is_some(),
            Location::XrayFlow(_) => self.flow.details().is_some(),
            Location::ExternalKeys => self.external_keys.is_ready(),
            Location::ProxyFaults => self.proxy_fault_list.is_ready(),
            _ => self.table().is_some_and(|table| table.current().is_some()),
        }
    }

    /// Returns whether typed letters go into a text field.
    pub fn is_typing(&self) -> bool {
        if let Some(view) = &self.text_view {
            return view.is_typing();
        }
        if let Some(lesson) = self.lesson.as_ref().filter(|lesson| lesson.is_focused()) {
            return lesson.is_typing();
        }
        match (&self.login, &self.dialog) {
            (Some(login), _) => login.is_typing(),
            (_, Some(Dialog::Task(task))) => task.is_typing(),
            (_, Some(Dialog::TryKey(trial))) => trial.is_typing(),
            (_, Some(Dialog::Switcher(switcher))) => switcher.is_typing(),
            (_, Some(Dialog::Palette(_))) => true,
            (_, Some(_)) => false,
            _ if self.navigation_focus.is_some() => false,
            _ => match self.location {
                Location::CreateKey => self.wizard.as_ref().is_some_and(Wizard::is_typing),
                _ => self.table().is_some_and(Table::is_searching),
            },
        }
    }
}
