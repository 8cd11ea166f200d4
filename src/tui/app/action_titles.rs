//! What a key does at the moment, in a word or two. The footer shows it beside the key.

use super::{App, Dialog};
use crate::tui::keymap::{Action, Binding};
use crate::tui::pages::Location;
use crate::tui::widgets::table::Table;
use crate::tui::wizard::Wizard;

impl App {
    /// Returns the title of a binding. Those of general keys, such as Enter, depend on what has the focus.
    pub fn action_title(&self, binding: &Binding) -> &'static str {
        match (binding.action, &self.lesson) {
            (Action::Lesson, _) => return self.lesson_title(),
            (Action::Activate, Some(lesson)) if self.is_lesson_focused() => return lesson.enter_title(),
            (Action::Back, Some(_)) if self.is_lesson_focused() => return "Close",
            _ => {}
        }
        match binding.action {
            Action::Activate => self.enter_title(),
            Action::Back => self.escape_title(),
            Action::NextStep if matches!(self.dialog, Some(Dialog::Task(_) | Dialog::TryKey(_))) => self.submit_title(),
            Action::NextStep if self.dialog.is_none() && self.location == Location::CreateKey => {
                self.wizard.as_ref().map_or(binding.title, |wizard| wizard.next_title(&self.account))
            }
            _ => binding.title,
        }
    }

    /// Returns the label of the button that submits the form.
    fn submit_title(&self) -> &'static str {
        match &self.dialog {
            Some(Dialog::Task(task)) => task.submit_label(),
            Some(Dialog::TryKey(trial)) => trial.submit_label(),
            _ => "Submit",
        }
    }

    fn enter_title(&self) -> &'static str {
        if let Some(login) = &self.login {
            return login.enter_title();
        }
        match &self.dialog {
            Some(Dialog::Palette(_)) => "Run",
            Some(Dialog::Task(task)) => task.enter_title(),
            Some(Dialog::TryKey(trial)) => trial.enter_title(),
            Some(Dialog::Switcher(switcher)) if switcher.is_typing() => "Next field",
            Some(Dialog::FieldHelp { .. } | Dialog::Preview { .. }) => "Close",
            Some(Dialog::Menu(_)) => "Choose",
            Some(Dialog::Drafts(list)) if list.is_confirming() => "Press",
            Some(Dialog::Drafts(_)) => "Open",
            Some(_) => "Press",
            None => self.page_enter_title(),
        }
    }

    fn page_enter_title(&self) -> &'static str {
        match self.location {
            _ if self.navigation_focus.is_some() => "Open",
            Location::CreateKey => self.wizard.as_ref().map_or("Open", Wizard::enter_title),
            Location::KeyStore(_) => self.key_store.enter_title(&self.account),
            Location::Key(_) => "Open key store",
            Location::XrayFlow(_) => "Open event",
            _ if self.table().is_some_and(Table::is_searching) => "Keep search",
            _ => "Open",
        }
    }

    fn escape_title(&self) -> &'static str {
        if self.login.is_some() || self.dialog.is_some() {
            return "Close";
        }
        if self.navigation_focus.is_some() {
            return "Back";
        }
        let handles_escape = self.focused_table().is_some_and(Table::handles_escape);
        match (!self.flashes.is_empty(), &self.location) {
            (true, Location::CreateKey) => "Close message",
            _ if handles_escape => "Clear search",
            (true, _) => "Close message",
            (false, Location::CreateKey) => "Close",
            (false, Location::ApiCalls) if self.previous_location.is_some() => "Back",
            (false, _) if self.is_on_navigation_page() => "Menu",
            (false, _) => "Back",
        }
    }
}
