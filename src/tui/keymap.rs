//! Every action once: its key, its name, what it does and where. Footer and help are made from this table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Where the keys of an action work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Everywhere.
    Everywhere,
    /// In the navigation on the left.
    Navigation,
    /// On a page that is a list, with the navigation beside it.
    List,
    /// Where there are several fields or buttons.
    Fields,
    /// In any table.
    Table,
    /// Where something is shown that AWS was asked for and can be asked for again.
    Refreshable,
    /// In a table whose rows are chosen.
    SelectableTable,
    /// On a tag or account of the wizard that can be removed.
    RemovableRow,
    /// In the list of KMS keys.
    KeyList,
    /// Where stores are: the list and a store's page.
    KeyStore,
    /// On the page of an external key store, where its figures are.
    Monitoring,
    /// Where a page may be longer than the screen.
    Scrollable,
    /// Where drafts of KMS keys are to be seen.
    Drafts,
    /// On the page of a KMS key.
    Key,
    /// In the list of external keys.
    ExternalKeys,
    /// On the page of an event.
    Event,
    /// On the page of a call to AWS.
    ApiCall,
    /// In the create key wizard.
    Wizard,
    /// On the steps of it that another follows.
    NonFinalStep,
    /// On its last step.
    Review,
    /// On its last step, where nothing can be changed.
    ReadOnlyReview,
    /// In a dialog.
    Dialog,
    /// In a form.
    Form,
    /// Where text is typed.
    TextInput,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Action {
    Quit,
    Help,
    KeyboardHelp,
    FocusNavigation,
    NextField,
    PreviousField,
    Activate,
    Toggle,
    Back,
    Refresh,
    Search,
    SortColumn,
    SortDirection,
    ScrollColumns,
    SelectAll,
    CreateKey,
    OpenActionsMenu,
    Preferences,
    CreateKeyStore,
    Connect,
    Disconnect,
    Copy,
    NextTab,
    TimeRange,
    NextStep,
    PreviousStep,
    JumpToStep,
    Scroll,
    Remove,
    ApiCalls,
    Drafts,
    SwitchProfileOrRegion,
    Redraw,
    ShowError,
    EditText,
}

/// One row of the table of actions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Where it works.
    pub context: Context,
    /// The key.
    pub code: KeyCode,
    /// With these held down.
    pub modifiers: KeyModifiers,
    /// The key as it is printed.
    pub label: &'static str,
    /// The action as the footer names it; empty when only the help has it.
    pub title: &'static str,
    /// The action as the help explains it.
    pub help: &'static str,
}

const fn bind(
    context: Context,
    action: Action,
    code: KeyCode,
    modifiers: KeyModifiers,
    label: &'static str,
    title: &'static str,
    help: &'static str,
) -> Binding {
    Binding { action, context, code, modifiers, label, title, help }
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

/// The table of actions, in the order of the help.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    bind(Context::NonFinalStep, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Next", "Go to the next step, or to the first field that is not right yet."),
    bind(Context::Review, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Finish", "Create the KMS key as it stands here, or go on where that stopped."),
    bind(Context::Wizard, Action::PreviousStep, KeyCode::Char('p'), CTRL, "Ctrl-P", "Previous", "Go back a step. Nothing is checked and nothing is lost."),
    bind(Context::Dialog, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Look further down; PgUp looks up again."),
    bind(Context::ReadOnlyReview, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Copy commands", "Copy the AWS CLI commands that create the KMS key."),
    bind(Context::Form, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Do it", "Do what the form is for, or go to what is not right yet."),
    bind(Context::RemovableRow, Action::Remove, KeyCode::Char('d'), CTRL, "Ctrl-D", "Remove", "Remove the tag or account that has the focus."),
    bind(Context::KeyStore, Action::CreateKey, KeyCode::Char('n'), NONE, "n", "Create key", "Create a KMS key in this key store."),
    bind(Context::KeyList, Action::CreateKey, KeyCode::Char('n'), NONE, "n", "Create key", "Create a KMS key, in an external key store or in AWS KMS itself."),
    bind(Context::KeyList, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Key actions: enable, disable, delete, describe, tag, name, encrypt ..."),
    bind(Context::Key, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Key actions: enable, disable, delete, describe, tag, name, encrypt ..."),
    bind(Context::Drafts, Action::Drafts, KeyCode::Char('D'), NONE, "D", "Drafts", "Show the unfinished KMS keys that are kept: go on with one, or discard it."),
    bind(Context::KeyStore, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Key store actions: edit, connect, disconnect, delete."),
    bind(Context::KeyStore, Action::CreateKeyStore, KeyCode::Char('C'), NONE, "C", "Create store", "Create an external key store."),
    bind(Context::ExternalKeys, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "External keys: create, enable, disable, rotate, delete; partitions and credentials of the proxy."),
    bind(Context::Event, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the event, JSON, to the clipboard."),
    bind(Context::ApiCall, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the call, JSON, to the clipboard."),
    bind(Context::Key, Action::NextTab, KeyCode::Right, NONE, "→", "Tabs", "Show the next tab; ← shows the one before."),
    bind(Context::Key, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the ID to the clipboard."),
    bind(Context::Table, Action::Search, KeyCode::Char('/'), NONE, "/", "Search", "Type to narrow the table; Enter keeps the search, Esc clears it."),
    bind(Context::Everywhere, Action::Activate, KeyCode::Enter, NONE, "Enter", "Open", "Open, choose or press what has the focus."),
    bind(Context::List, Action::FocusNavigation, KeyCode::Tab, NONE, "Tab", "Menu", "Go to the navigation on the left, and back."),
    bind(Context::Fields, Action::NextField, KeyCode::Tab, NONE, "Tab", "Next field", "Move on; Shift-Tab moves back."),
    bind(Context::Everywhere, Action::Help, KeyCode::F(1), NONE, "F1", "Help", "Explain the field that has the focus, or the keys of the page."),
    bind(Context::KeyStore, Action::Connect, KeyCode::Char('c'), NONE, "c", "Connect", "Connect the external key store to its proxy."),
    bind(Context::KeyStore, Action::Disconnect, KeyCode::Char('d'), NONE, "d", "Disconnect", "Disconnect the external key store; its KMS keys become unavailable."),
    bind(Context::Wizard, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Look further down without leaving the field; PgUp looks up again."),
    bind(Context::Wizard, Action::JumpToStep, KeyCode::Char('1'), ALT, "Alt-1…", "Step", "Go to a step that was visited, by its number."),
    bind(Context::Everywhere, Action::Back, KeyCode::Esc, NONE, "Esc", "Back", "Go back or close; a wizard asks only if something would be lost."),
    bind(Context::Monitoring, Action::TimeRange, KeyCode::Char('t'), NONE, "t", "Time range", "Show the figures of the next longer time: 1 or 3 or 12 hours, 1 or 3 days, 1 week."),
    bind(Context::Scrollable, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Look further down; PgUp looks up again."),
    bind(Context::Everywhere, Action::KeyboardHelp, KeyCode::Char('?'), NONE, "?", "Keys", "List the keys (where no text is typed)."),
    bind(Context::KeyList, Action::Preferences, KeyCode::Char('P'), NONE, "P", "Preferences", "Choose the columns and how many rows a page has."),
    bind(Context::KeyList, Action::SelectAll, KeyCode::Char('a'), NONE, "a", "All", "Choose every key that is shown, or let all of them go; Space chooses one."),
    bind(Context::SelectableTable, Action::SelectAll, KeyCode::Char('a'), NONE, "a", "All", "Choose every row that is shown, or let all of them go."),
    bind(Context::Fields, Action::Toggle, KeyCode::Char(' '), NONE, "Space", "Choose", "Tick, clear or choose what has the focus."),
    bind(Context::Refreshable, Action::Refresh, KeyCode::Char('r'), NONE, "r", "Refresh", "Ask AWS again."),
    bind(Context::Table, Action::SortColumn, KeyCode::Char('s'), NONE, "s", "Sort", "Sort by the next column."),
    bind(Context::Table, Action::ScrollColumns, KeyCode::Right, NONE, "←/→", "Columns", "Show the columns that have no room, marked by ‹ and ›."),
    bind(Context::Table, Action::SortDirection, KeyCode::Char('S'), NONE, "S", "Turn order", "Turn the order round."),
    bind(Context::Fields, Action::PreviousField, KeyCode::BackTab, KeyModifiers::SHIFT, "Shift-Tab", "Field before", "Move back."),
    bind(Context::Everywhere, Action::ApiCalls, KeyCode::F(2), NONE, "F2", "API calls", "Show the calls to AWS so far, and what came of each; Esc leads back."),
    bind(Context::Everywhere, Action::SwitchProfileOrRegion, KeyCode::F(3), NONE, "F3", "Region", "Go on in another Region, and on AWS with another profile."),
    bind(Context::Everywhere, Action::ShowError, KeyCode::F(4), NONE, "F4", "Show error", "Show the last error whole, to be copied or saved to a file."),
    bind(Context::TextInput, Action::EditText, KeyCode::Char('7'), CTRL, "Ctrl-_", "", "In a text field, undo the last edit; Ctrl-R redoes it. So do Alt-U and Alt-E."),
    bind(Context::TextInput, Action::EditText, KeyCode::Char('u'), CTRL, "Ctrl-U", "", "Delete to the start of the line; Ctrl-K deletes to its end, Ctrl-W and Alt-D a word, and Ctrl-Y inserts it again."),
    bind(Context::Everywhere, Action::Redraw, KeyCode::Char('l'), CTRL, "Ctrl-L", "", "Draw the screen again, when something else has written on it."),
    bind(Context::Everywhere, Action::Quit, KeyCode::Char('c'), CTRL, "Ctrl-C", "Quit", "Leave the console; the first press asks if something would be lost."),
];

/// The action that a key stands for in any of these contexts.
pub fn action(contexts: &[Context], key: KeyEvent) -> Option<Action> {
    binding(contexts, key).map(|binding| binding.action)
}

/// The binding of a key in any of these contexts.
pub fn binding(contexts: &[Context], key: KeyEvent) -> Option<&'static Binding> {
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    BINDINGS
        .iter()
        .filter(|binding| binding.context == Context::Everywhere || contexts.contains(&binding.context))
        .find(|binding| binding.code == key.code && binding.modifiers - KeyModifiers::SHIFT == modifiers)
}

/// The number of the step that a key of [`Action::Step`] means, from 1.
pub fn step_number(key: KeyEvent) -> Option<usize> {
    let KeyCode::Char(digit) = key.code else { return None };
    let number = usize::try_from(digit.to_digit(10)?).ok()?;
    (key.modifiers == ALT && number > 0).then_some(number)
}

/// The bindings of these contexts, in the order of the table.
pub fn bindings(contexts: Vec<Context>) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.context == Context::Everywhere || contexts.contains(&binding.context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_bindings_in_one_context() {
        for (index, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[index + 1..] {
                let same_place = one.context == other.context
                    || one.context == Context::Everywhere
                    || other.context == Context::Everywhere;
                assert!(
                    !(same_place && one.code == other.code && one.modifiers == other.modifiers),
                    "{} and {}",
                    one.title,
                    other.title
                );
            }
        }
    }

    #[test]
    fn key_maps_to_its_action_only_in_its_context() {
        let n = KeyEvent::new(KeyCode::Char('n'), CTRL);
        assert_eq!(action(&[Context::Wizard, Context::NonFinalStep], n), Some(Action::NextStep));
        assert_eq!(action(&[Context::Table], n), None);
    }
}
