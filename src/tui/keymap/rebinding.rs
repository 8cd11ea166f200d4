//! Keys that the user assigned to actions in the configuration.
//!
//! Pages know only the keys of the table of bindings. A key of the user is translated to the key of the table before any
//! page sees it.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Action, BINDINGS, Binding, Context};
use crate::tui::key_press::KeyPress;

/// The keys of each action that the user assigned. They replace the keys of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    assigned: BTreeMap<Action, Vec<KeyPress>>,
}

/// Two actions that have the same key in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConflict {
    /// The action that the user assigned the key to.
    pub action: Action,
    /// The other action.
    pub other: Action,
    /// The key.
    pub key: KeyPress,
}

/// The contexts that can be active at the same time, beside [`Context::Everywhere`]. F5 may refresh the tables of the
/// wizard, although it shows the preview elsewhere in the wizard.
const COEXISTING: [&[Context]; 15] = [
    &[Context::KeyStore, Context::Table, Context::Refreshable, Context::List, Context::Drafts, Context::WebPage],
    &[
        Context::KeyStore,
        Context::Fields,
        Context::Monitoring,
        Context::Scrollable,
        Context::Refreshable,
        Context::Drafts,
        Context::WebPage,
    ],
    &[
        Context::KeyList,
        Context::KeyRows,
        Context::Table,
        Context::Refreshable,
        Context::List,
        Context::Drafts,
        Context::WebPage,
    ],
    &[Context::ExternalKeys, Context::Table, Context::Refreshable, Context::List],
    &[Context::ProxyFaults, Context::Table, Context::Refreshable, Context::List],
    &[
        Context::Key,
        Context::EncryptAndDecrypt,
        Context::Scrollable,
        Context::Refreshable,
        Context::WebPage,
        Context::Code,
    ],
    &[Context::Event, Context::ApiCall, Context::Scrollable, Context::WebPage, Context::Code, Context::ErrorMessage],
    &[Context::Wizard, Context::Review, Context::ReadOnlyReview, Context::Fields, Context::Code],
    &[Context::XrayFlow, Context::Scrollable, Context::Refreshable, Context::Code, Context::ErrorMessage],
    &[Context::Dialog, Context::Code],
    &[Context::TextView, Context::TextInput],
    &[
        Context::Wizard,
        Context::NonFinalStep,
        Context::Fields,
        Context::RemovableRow,
        Context::Table,
        Context::SelectableTable,
        Context::TextInput,
    ],
    &[Context::Dialog, Context::Fields, Context::Form, Context::PolicyForm, Context::TextInput],
    &[Context::Dialog, Context::Result],
    &[Context::Dialog, Context::Trial],
];

/// Returns whether the keys of both contexts can be available at the same time.
fn can_coexist(one: Context, other: Context) -> bool {
    one == other
        || [Context::Everywhere, Context::Lesson].iter().any(|everywhere| [one, other].contains(everywhere))
        || COEXISTING.iter().any(|contexts| contexts.contains(&one) && contexts.contains(&other))
}

/// Returns whether a key inserts a character in a text field.
fn is_text(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

impl Keymap {
    /// Creates the map from the keys of the configuration.
    pub fn new(assigned: BTreeMap<Action, Vec<KeyPress>>) -> Self {
        Self { assigned }
    }

    /// Returns the key of the table that has the effect of `key`, given the bindings that are available. `None` if the
    /// key has no effect, because its action has other keys now.
    pub fn translate(
        &self,
        key: KeyEvent,
        is_typing: bool,
        available: impl Iterator<Item = &'static Binding>,
    ) -> Option<KeyEvent> {
        if self.assigned.is_empty() || is_typing && is_text(key) {
            return Some(key);
        }
        let mut is_released = false;
        for binding in available {
            match self.assigned.get(&binding.action) {
                Some(keys) if keys.iter().any(|assigned| assigned.matches(key)) => return Some(binding.key_event()),
                // Ctrl-C always quits.
                Some(_) if binding.is_pressed_by(key) && binding.action != Action::Quit => is_released = true,
                _ => {}
            }
        }
        (!is_released).then_some(key)
    }

    /// Whether every key of a binding inserts a character in a text field, so that the binding doesn't apply there.
    pub fn inserts_text(&self, binding: &Binding) -> bool {
        let assigned = self.assigned.get(&binding.action).filter(|_| binding.action != Action::Quit);
        // The key of the table reaches the field in place of the assigned one.
        is_text(binding.key_event()) || assigned.is_some_and(|keys| keys.iter().all(|key| is_text(key.event())))
    }

    /// Returns the key of a binding as it is displayed.
    pub fn label(&self, binding: &Binding) -> String {
        let assigned = self.assigned.get(&binding.action).filter(|_| binding.action != Action::Quit);
        let assigned = assigned.and_then(|keys| keys.first());
        assigned.map_or_else(|| binding.label.to_owned(), ToString::to_string)
    }

    /// Returns the key of an action as it is displayed, for messages that name it.
    pub fn label_of(&self, action: Action) -> String {
        BINDINGS.iter().find(|binding| binding.action == action).map(|binding| self.label(binding)).unwrap_or_default()
    }

    /// Returns the actions that share a key in the same place, so that only one of them would have an effect.
    pub fn conflicts(&self) -> Vec<KeyConflict> {
        let mut conflicts = Vec::new();
        for (index, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[index + 1..] {
                if !can_coexist(one.context, other.context) || one.action == other.action {
                    continue;
                }
                let keys = self.keys(one);
                let Some(key) = self.keys(other).into_iter().find(|key| keys.contains(key)) else { continue };
                let (action, other) = if self.assigned.contains_key(&one.action) { (one, other) } else { (other, one) };
                let conflict = KeyConflict { action: action.action, other: other.action, key };
                if self.assigned.contains_key(&conflict.action) && !conflicts.contains(&conflict) {
                    conflicts.push(conflict);
                }
            }
        }
        conflicts
    }

    /// Returns the keys that trigger a binding.
    fn keys(&self, binding: &Binding) -> Vec<KeyPress> {
        match self.assigned.get(&binding.action) {
            Some(keys) => keys.clone(),
            None => KeyPress::new(binding.code, binding.modifiers).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap(action: Action, key: &str) -> Keymap {
        Keymap::new(BTreeMap::from([(action, vec![key.parse().unwrap()])]))
    }

    fn press(code: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(code), KeyModifiers::NONE)
    }

    fn key_list() -> impl Iterator<Item = &'static Binding> {
        super::super::bindings(vec![Context::KeyList, Context::Table])
    }

    #[test]
    fn assigned_key_replaces_the_key_of_the_table() {
        let keymap = keymap(Action::CreateKey, "x");
        assert_eq!(keymap.translate(press('x'), false, key_list()), Some(press('n')));
        assert_eq!(keymap.translate(press('n'), false, key_list()), None);
        assert_eq!(keymap.translate(press('m'), false, key_list()), Some(press('m')));
        let binding = key_list().find(|binding| binding.action == Action::CreateKey).unwrap();
        assert_eq!(keymap.label(binding), "x");
    }

    #[test]
    fn typed_characters_are_never_translated() {
        let keymap = keymap(Action::CreateKey, "x");
        assert_eq!(keymap.translate(press('x'), true, key_list()), Some(press('x')));
        assert_eq!(keymap.translate(press('n'), true, key_list()), Some(press('n')));
    }

    #[test]
    fn key_of_two_actions_in_one_place_is_a_conflict() {
        let conflicts = keymap(Action::CreateKey, "m").conflicts();
        let key = "m".parse().unwrap();
        assert_eq!(conflicts, [KeyConflict { action: Action::CreateKey, other: Action::OpenActionsMenu, key }]);
        assert!(keymap(Action::CreateKey, "x").conflicts().is_empty());
        // The list of keys has the keys of tables, too.
        assert_eq!(keymap(Action::CreateKey, "s").conflicts().len(), 1);
        assert_eq!(keymap(Action::Refresh, "/").conflicts().len(), 1);
        assert!(Keymap::default().conflicts().is_empty());
    }
}
