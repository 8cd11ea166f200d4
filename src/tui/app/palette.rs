//! The entries of the command palette and of the keyboard help, and what they do.

use std::collections::HashSet;

use crossterm::event::KeyEvent;

use super::{App, Dialog};
use crate::aws::lenient::UNREADABLE;
use crate::create_key::key_summary::KeySummary;
use crate::tui::dialogs::menu::MenuAction;
use crate::tui::dialogs::palette::{Palette, PaletteCommand, PaletteEntry, PaletteEvent, PaletteKind};
use crate::tui::effect::{Call, Effect, PageLookup};
use crate::tui::keymap::{Action, Binding};
use crate::tui::pages::key_stores::external_key_stores;
use crate::tui::pages::{self, Location};
use crate::tui::preferences::SavedChange;
use crate::tui::theme_name::ThemeName;
use crate::tui::wizard::choices::Choice;
use crate::tui::wizard::{self, Wizard};

/// The themes, with what to say about them.
const THEMES: [(ThemeName, &str, &str); 6] = [
    (ThemeName::Auto, "Theme: auto", "dark or light, as the terminal is"),
    (ThemeName::Dark, "Theme: dark", ""),
    (ThemeName::Light, "Theme: light", ""),
    (ThemeName::HighContrast, "Theme: high contrast", "bright colors, links underlined"),
    (ThemeName::Mono, "Theme: mono", "no colors"),
    (ThemeName::Projector, "Theme: projector", "white on black"),
];

impl App {
    /// Opens the palette with everything that can be done or opened here.
    pub(super) fn open_palette(&mut self) {
        let mut entries = self.action_entries(PaletteKind::Commands);
        entries.extend(self.menu_entries());
        if self.location == Location::CreateKey {
            entries.extend(self.choice_entries());
            entries.extend(self.step_entries());
        }
        if self.single_key_session.is_none() {
            entries.extend(self.page_entries());
        }
        entries.extend(THEMES.map(|(name, title, detail)| PaletteEntry {
            group: "Appearance",
            title: title.to_owned(),
            detail: detail.to_owned(),
            key: String::new(),
            command: PaletteCommand::SetTheme(name),
        }));
        let palette = Palette::new(PaletteKind::Commands, entries);
        let palette = if self.location == Location::CreateKey { palette.preferring_this_page() } else { palette };
        let palette = if self.single_key_session.is_some() { palette } else { palette.with_lookup() };
        self.dialog = Some(Dialog::Palette(Box::new(palette)));
    }

    /// Opens the list of the keys that are available here.
    pub(super) fn open_shortcuts(&mut self) {
        let entries = self.action_entries(PaletteKind::Shortcuts);
        self.dialog = Some(Dialog::Palette(Box::new(Palette::new(PaletteKind::Shortcuts, entries))));
    }

    /// Returns an entry for each available action.
    fn action_entries(&self, kind: PaletteKind) -> Vec<PaletteEntry> {
        let is_useful = |binding: &&Binding| match kind {
            PaletteKind::Commands => {
                !matches!(binding.action, Action::Palette | Action::EditText | Action::Redraw | Action::Suspend)
                    && binding.is_command()
            }
            PaletteKind::Shortcuts => true,
        };
        // On a page without a page above it, Esc only opens the navigation menu.
        let only_opens_menu = |binding: &&Binding| {
            kind == PaletteKind::Commands && binding.action == Action::Back && self.is_on_navigation_page()
        };
        let entry = |binding: &Binding| PaletteEntry {
            group: if kind == PaletteKind::Shortcuts { binding.context.title() } else { "On this page" },
            title: if kind == PaletteKind::Shortcuts { binding.help } else { self.action_title(binding) }.to_owned(),
            detail: if kind == PaletteKind::Shortcuts { "" } else { binding.help }.to_owned(),
            key: self.keymap.label(binding),
            command: PaletteCommand::Press(binding.key_event()),
        };
        let mut entries: Vec<PaletteEntry> =
            self.bindings().filter(is_useful).filter(|binding| !only_opens_menu(binding)).map(entry).collect();
        if kind == PaletteKind::Shortcuts {
            // Entries of one context belong together; contexts keep the order of their first entry.
            let order: Vec<&str> = entries.iter().map(|entry| entry.group).collect();
            entries.sort_by_key(|entry| order.iter().position(|group| *group == entry.group));
        }
        entries
    }

    /// Returns an entry for each available action of the key or the key store of the page.
    fn menu_entries(&self) -> Vec<PaletteEntry> {
        let menu = match &self.location {
            Location::Key(_) => self.key.actions_menu(&self.account),
            Location::KeyStore(id) => pages::key_store_actions(id, &self.account),
            Location::XrayFlow(_) => self.flow.actions_menu(&self.account),
            _ => None,
        };
        let Some(menu) = menu else { return Vec::new() };
        let entry = |(title, action): (&str, &MenuAction)| PaletteEntry {
            group: menu.title(),
            title: title.to_owned(),
            detail: String::new(),
            key: String::new(),
            command: PaletteCommand::Menu(Box::new(action.clone())),
        };
        menu.available().map(entry).collect()
    }

    /// Returns an entry for everything that can be chosen on the wizard step.
    fn choice_entries(&self) -> Vec<PaletteEntry> {
        let choices = self.wizard.as_ref().map(|wizard| wizard.choices(&self.account)).unwrap_or_default();
        let entry = |Choice { title, click }| PaletteEntry {
            group: "This step",
            title,
            detail: String::new(),
            key: String::new(),
            command: PaletteCommand::Click(click),
        };
        choices.into_iter().map(entry).collect()
    }

    /// Returns an entry for each wizard step that can be reached.
    fn step_entries(&self) -> Vec<PaletteEntry> {
        let Some(wizard) = &self.wizard else { return Vec::new() };
        let entry = |(index, title): (usize, &str)| PaletteEntry {
            group: "Steps",
            title: title.to_owned(),
            detail: format!("step {}", index + 1),
            key: format!("Alt-{}", index + 1),
            command: PaletteCommand::GoToStep(index),
        };
        wizard.reachable_step_titles().into_iter().map(entry).collect()
    }

    /// Returns an entry for each page, key store, and key.
    fn page_entries(&self) -> Vec<PaletteEntry> {
        let entry = |group, title: String, detail: String, location: Location| PaletteEntry {
            group,
            title,
            detail,
            key: String::new(),
            command: PaletteCommand::Open(location),
        };
        let mut entries: Vec<PaletteEntry> = Vec::new();
        let known: HashSet<&str> = self.loaded_keys().map(KeySummary::key_id).collect();
        let recent: Vec<&String> = self.recent_keys(&known).collect();
        for id in &recent {
            entries.push(entry("Recent keys", self.key_title(id), (*id).clone(), Location::Key((*id).clone())));
        }
        entries.extend(
            self.navigation()
                .into_iter()
                .map(|(title, location)| entry("Pages", title.to_owned(), String::new(), location)),
        );
        entries.extend(external_key_stores(&self.account).into_iter().map(|store| {
            let id = &store.custom_key_store_id;
            let location = Location::KeyStore(id.clone());
            entry("External key stores", store.custom_key_store_name.clone(), id.clone(), location)
        }));
        let is_recent = |id: &str| recent.iter().any(|recent| *recent == id);
        let others = self.loaded_keys().filter(|key| key.key_id() != UNREADABLE && !is_recent(key.key_id()));
        entries.extend(others.map(|key| {
            let aliases = self.account.aliases_of(key.key_id());
            let (title, others) = match aliases {
                [] => (key.key_id(), &[][..]),
                [first, others @ ..] => (first.as_str(), others),
            };
            let id = if aliases.is_empty() { "" } else { key.key_id() };
            let detail = format!("{} {id}", others.join(" "));
            entry("KMS keys", title.to_owned(), detail.trim().to_owned(), Location::Key(key.key_id().to_owned()))
        }));
        entries
    }

    /// Returns the alias of a key, or its ID.
    fn key_title(&self, key_id: &str) -> String {
        self.account.aliases_of(key_id).first().map_or_else(|| key_id.to_owned(), Clone::clone)
    }

    /// Returns the keys whose pages were opened last, except those that no longer exist and the one on the screen.
    fn recent_keys<'a>(&'a self, known: &HashSet<&str>) -> impl Iterator<Item = &'a String> {
        let exists = |id: &String| !self.account.has_all_keys || known.contains(&**id);
        let is_here = |id: &String| matches!(&self.location, Location::Key(here) if here == id);
        let recent = self.recent_keys.of(&self.account_and_region()).iter();
        recent.filter(move |id| exists(id) && !is_here(id)).take(MAX_RECENT)
    }

    fn loaded_keys(&self) -> impl Iterator<Item = &KeySummary> {
        self.account.keys.ready().into_iter().flatten().chain(&self.account.aws_managed_keys)
    }

    fn account_and_region(&self) -> String {
        format!("{} {}", self.account.account_id, self.account.region)
    }

    /// Remembers the key whose page is open as the most recent one, once the account is known. Returns the effect that
    /// saves it.
    pub(super) fn remember_key(&mut self) -> Option<Effect> {
        let Location::Key(key_id) = &self.location else { return None };
        if self.account.account_id.is_empty() {
            return None;
        }
        let (account_and_region, key_id) = (self.account_and_region(), key_id.clone());
        self.recent_keys.add(&account_and_region, &key_id);
        Some(Effect::Save(SavedChange::RecentKey { account_and_region, key_id }))
    }

    /// Looks for a key or a key store by any of its names, to open its page.
    pub(super) fn find_page(&mut self, name: String) -> Vec<Effect> {
        self.lookup_from = Some(self.location.clone());
        vec![self.request(Call::FindPage(name))]
    }

    /// Opens the page that was found, unless the user has done something else meanwhile.
    pub(super) fn on_page_found(&mut self, found: PageLookup) -> Vec<Effect> {
        if !self.takes_lookup() {
            return Vec::new();
        }
        match &found.account_id {
            Some(account) if !self.account.account_id.is_empty() && *account != self.account.account_id => {
                let text = format!(
                    "The KMS key belongs to account {account}. To open it, switch to a profile of that account."
                );
                self.show_error("Couldn't open the KMS key", &text);
                Vec::new()
            }
            _ => self.open_page(found.location),
        }
    }

    /// Returns whether the user still waits for the result of a lookup.
    pub(super) fn takes_lookup(&mut self) -> bool {
        let is_here = self.lookup_from.take().as_ref() == Some(&self.location);
        is_here && self.dialog.is_none() && self.text_view.is_none() && self.login.is_none()
    }

    /// Opens a page, also from the wizard. The draft of the wizard is kept. A wizard that is sending stays open behind the
    /// page.
    pub(super) fn open_page(&mut self, location: Location) -> Vec<Effect> {
        if self.single_key_session.is_some() {
            // The session has no other page.
            return Vec::new();
        }
        let is_left = |wizard: &&Wizard| self.location == Location::CreateKey && !wizard.submission.is_sending();
        let Some(wizard) = self.wizard.as_ref().filter(is_left) else {
            return self.navigate(location);
        };
        let leave = wizard::WizardEvent::Leave { has_unsaved_changes: wizard.has_unsaved_changes() };
        let mut effects = self.handle_wizard_event(leave);
        // The wizard stays if leaving it needs a confirmation.
        if self.location != Location::CreateKey {
            effects.extend(self.navigate(location));
        }
        effects
    }

    pub(super) fn handle_palette_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Dialog::Palette(palette)) = &mut self.dialog else { return Vec::new() };
        match palette.handle_key(key) {
            PaletteEvent::Handled => Vec::new(),
            PaletteEvent::Close => {
                self.dialog = None;
                Vec::new()
            }
            PaletteEvent::Run(command) => {
                self.dialog = None;
                self.run(command)
            }
        }
    }

    fn run(&mut self, command: PaletteCommand) -> Vec<Effect> {
        match command {
            PaletteCommand::Press(key) => self.handle_translated_key(key),
            PaletteCommand::Open(location) => self.open_page(location),
            PaletteCommand::Menu(action) => self.run_menu_action(*action),
            PaletteCommand::Click(click) => self.handle_page_click(&click),
            PaletteCommand::Find(name) => self.find_page(name),
            PaletteCommand::GoToStep(index) => {
                if let Some(wizard) = &mut self.wizard {
                    wizard.jump_to_step(index);
                }
                Vec::new()
            }
            PaletteCommand::SetTheme(name) => vec![Effect::SetTheme(name), Effect::Save(SavedChange::Theme(name))],
        }
    }
}

/// The maximum number of recent keys in the palette.
const MAX_RECENT: usize = 5;
