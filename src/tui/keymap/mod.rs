//! The key bindings: key, action, context, footer title, and help text. The footer and the help are built from this
//! table.

mod rebinding;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use rebinding::{KeyConflict, Keymap};

use super::widgets::button::ButtonKind;

/// The part of the console where a binding applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Everywhere in the console.
    Everywhere,
    /// In the navigation on the left.
    Navigation,
    /// On a page that is a list, with the navigation beside it.
    List,
    /// Where there are several fields or buttons.
    Fields,
    /// In any table.
    Table,
    /// On pages that show data from AWS, which can be reloaded.
    Refreshable,
    /// In a table with selectable rows.
    SelectableTable,
    /// On a tag or account in the wizard that can be removed.
    RemovableRow,
    /// In the list of customer managed keys.
    KeyList,
    /// In the lists of customer managed and AWS managed keys.
    KeyRows,
    /// In the list of key stores and on the page of a key store.
    KeyStore,
    /// On the page of an external key store, which shows metrics.
    Monitoring,
    /// On pages that can be longer than the screen.
    Scrollable,
    /// On pages that offer drafts of KMS keys.
    Drafts,
    /// On the page of a KMS key.
    Key,
    /// On the tab of a KMS key that encrypts and decrypts.
    EncryptAndDecrypt,
    /// On pages that the AWS web console has, too.
    WebPage,
    /// Below an error message.
    ErrorMessage,
    /// In the list of external keys.
    ExternalKeys,
    /// In the list of proxy faults.
    ProxyFaults,
    /// On the page of an event.
    Event,
    /// On the page of an API call.
    ApiCall,
    /// On the page of a request in X-ray.
    XrayFlow,
    /// In the create key wizard.
    Wizard,
    /// On every wizard step except the last one.
    NonFinalStep,
    /// On the last wizard step.
    Review,
    /// On the last wizard step in read-only mode.
    ReadOnlyReview,
    /// In a dialog.
    Dialog,
    /// In a form.
    Form,
    /// Below the result of a request, which can be copied.
    Result,
    /// Below the result of trying a key.
    Trial,
    /// In a text field.
    TextInput,
    /// In the forms that edit a key policy.
    PolicyForm,
    /// On pages and dialogs that show JSON, commands, or other code.
    Code,
    /// In the full-screen view of a text.
    TextView,
    /// In a lesson.
    Lesson,
}

impl Context {
    /// Returns the title of the context in the keyboard help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Navigation | Self::List => "Pages",
            Self::Fields
            | Self::RemovableRow
            | Self::Form
            | Self::PolicyForm
            | Self::Dialog
            | Self::Result
            | Self::Trial => "Fields and buttons",
            Self::Table | Self::SelectableTable => "Tables",
            Self::KeyList | Self::KeyRows | Self::Key | Self::EncryptAndDecrypt => "KMS keys",
            Self::KeyStore | Self::Monitoring => "External key stores",
            Self::ExternalKeys => "External keys",
            Self::ProxyFaults => "Proxy faults",
            Self::Refreshable
            | Self::Scrollable
            | Self::Drafts
            | Self::Event
            | Self::ApiCall
            | Self::XrayFlow
            | Self::Code
            | Self::WebPage
            | Self::ErrorMessage => "This page",
            Self::Wizard | Self::NonFinalStep | Self::Review | Self::ReadOnlyReview => "Wizard",
            Self::TextInput => "Text fields",
            Self::TextView => "Full-screen text",
            Self::Lesson => "Lesson",
        }
    }
}

/// An action that a key triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
#[allow(missing_docs)]
pub enum Action {
    Quit,
    Help,
    KeyboardHelp,
    Palette,
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
    CopyArn,
    CopyWebAddress,
    CopyTable,
    NextTab,
    TimeRange,
    NextStep,
    SkipToReview,
    Preview,
    PreviousStep,
    JumpToStep,
    Scroll,
    Remove,
    ApiCalls,
    Drafts,
    SwitchProfileOrRegion,
    Redraw,
    Suspend,
    ShowError,
    ToggleMouse,
    MoveClock,
    ErrorReport,
    Encrypt,
    Decrypt,
    TryAgain,
    EditText,
    ShowChanges,
    ViewText,
    SaveText,
    NextMatch,
    PreviousMatch,
    LineNumbers,
    Lesson,
    Hint,
}

/// One row of the table of key bindings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binding {
    /// The action.
    pub action: Action,
    /// The context.
    pub context: Context,
    /// The key code.
    pub code: KeyCode,
    /// The modifier keys.
    pub modifiers: KeyModifiers,
    /// The key as it is displayed.
    pub label: &'static str,
    /// The title in the footer. Empty if only the help shows the binding.
    pub title: &'static str,
    /// The description in the help.
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

/// The key that shows the preview of the wizard.
pub const PREVIEW_KEY: KeyCode = KeyCode::F(5);

/// The table of key bindings, in the order of the footer and the help.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    bind(Context::NonFinalStep, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Next", "Go to the next step, or to the first field that needs attention."),
    bind(Context::Review, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Finish", "Create the KMS key, or resume an interrupted creation."),
    bind(Context::NonFinalStep, Action::SkipToReview, KeyCode::F(8), NONE, "F8", "Review", "Skip the remaining optional steps and go to Review."),
    bind(Context::Wizard, Action::Preview, PREVIEW_KEY, NONE, "F5", "Preview", "Show what Finish will create: AWS CLI commands, key policy, access, Terraform."),
    bind(Context::Wizard, Action::PreviousStep, KeyCode::Char('p'), CTRL, "Ctrl-P", "Previous", "Go to the previous step. Your entries are kept."),
    bind(Context::Dialog, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Scroll down. PgUp scrolls up."),
    bind(Context::ReadOnlyReview, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Copy commands", "Copy the AWS CLI commands that create the KMS key."),
    bind(Context::Form, Action::NextStep, KeyCode::Char('n'), CTRL, "Ctrl-N", "Submit", "Submit the form, or go to the first field that needs attention."),
    bind(Context::Everywhere, Action::ShowError, KeyCode::F(4), NONE, "F4", "Show error", "Show the full text of the last error, to copy or save it."),
    bind(Context::PolicyForm, Action::ShowChanges, KeyCode::F(5), NONE, "F5", "Changes", "Show which lines of the key policy you changed."),
    bind(Context::RemovableRow, Action::Remove, KeyCode::Char('d'), CTRL, "Ctrl-D", "Remove", "Remove the focused tag or account."),
    bind(Context::KeyStore, Action::CreateKey, KeyCode::Char('n'), NONE, "n", "Create key", "Create a KMS key in this key store."),
    bind(Context::KeyList, Action::CreateKey, KeyCode::Char('n'), NONE, "n", "Create key", "Create a KMS key, in an external key store or in AWS KMS."),
    bind(Context::KeyList, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the key actions menu, for example to enable, disable, tag, or delete a key."),
    bind(Context::Key, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the key actions menu, for example to enable, disable, tag, or delete a key."),
    bind(Context::Drafts, Action::Drafts, KeyCode::Char('D'), NONE, "D", "Drafts", "List the drafts of KMS keys. You can resume or discard them."),
    bind(Context::KeyStore, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the key store actions menu: edit, connect, disconnect, or delete."),
    bind(Context::KeyStore, Action::CreateKeyStore, KeyCode::Char('C'), NONE, "C", "Create store", "Create an external key store."),
    bind(Context::ExternalKeys, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the actions menu for external keys, partitions, and proxy credentials."),
    bind(Context::ProxyFaults, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the actions menu for proxy faults: add, remove, or remove all."),
    bind(Context::Event, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the event to the clipboard as JSON."),
    bind(Context::ApiCall, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the API call to the clipboard as JSON."),
    bind(Context::XrayFlow, Action::OpenActionsMenu, KeyCode::Char('m'), NONE, "m", "Actions", "Open the actions menu: try the request again with a change, or copy it as a command."),
    bind(Context::XrayFlow, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy everything that is recorded about the request as JSON."),
    bind(Context::EncryptAndDecrypt, Action::Encrypt, KeyCode::Char('e'), NONE, "e", "Encrypt", "Encrypt a text or a file with the KMS key."),
    bind(Context::EncryptAndDecrypt, Action::Decrypt, KeyCode::Char('d'), NONE, "d", "Decrypt", "Decrypt a ciphertext or a file with the KMS key."),
    bind(Context::Result, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the result to the clipboard."),
    bind(Context::Trial, Action::TryAgain, KeyCode::Char('r'), NONE, "r", "Try again", "Try the key again, with the same text or another one."),
    bind(Context::Key, Action::NextTab, KeyCode::Right, NONE, "→", "Tabs", "Show the next tab. ← shows the previous tab."),
    bind(Context::Key, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy ID", "Copy the key ID to the clipboard."),
    bind(Context::Code, Action::ViewText, KeyCode::Char('v'), NONE, "v", "View", "Show the code on the whole screen, to search it, select it, or save it to a file."),
    bind(Context::Table, Action::Search, KeyCode::Char('/'), NONE, "/", "Search", "Type to search the table. Enter keeps the search, and Esc clears it."),
    bind(Context::Everywhere, Action::Activate, KeyCode::Enter, NONE, "Enter", "Open", "Open, choose, or press the focused item."),
    bind(Context::List, Action::FocusNavigation, KeyCode::Tab, NONE, "Tab", "Menu", "Switch between the navigation menu and the page."),
    bind(Context::Fields, Action::NextField, KeyCode::Tab, NONE, "Tab", "Next field", "Go to the next field. Shift-Tab goes back."),
    bind(Context::Everywhere, Action::Help, KeyCode::F(1), NONE, "F1", "Help", "Explain the focused field, or list the keyboard shortcuts for the page."),
    bind(Context::Everywhere, Action::Palette, KeyCode::Char('k'), CTRL, "Ctrl-K", "Commands", "Search everything: actions, pages, key stores, and keys."),
    bind(Context::KeyStore, Action::Connect, KeyCode::Char('c'), NONE, "c", "Connect", "Connect the external key store to its proxy."),
    bind(Context::KeyStore, Action::Disconnect, KeyCode::Char('d'), NONE, "d", "Disconnect", "Disconnect the external key store. Its KMS keys become unavailable."),
    bind(Context::Wizard, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Scroll down without leaving the field. PgUp scrolls up."),
    bind(Context::Wizard, Action::JumpToStep, KeyCode::Char('1'), ALT, "Alt-1…", "Step", "Go directly to a step that you have already visited."),
    bind(Context::Everywhere, Action::Back, KeyCode::Esc, NONE, "Esc", "Back", "Go back or close. The console asks first if you would lose changes."),
    bind(Context::Monitoring, Action::TimeRange, KeyCode::Char('t'), NONE, "t", "Time range", "Show the next longer time range: 1, 3, or 12 hours, 1 or 3 days, or 1 week."),
    bind(Context::Scrollable, Action::Scroll, KeyCode::PageDown, NONE, "PgDn", "More", "Scroll down. PgUp scrolls up."),
    bind(Context::Everywhere, Action::KeyboardHelp, KeyCode::Char('?'), NONE, "?", "Keys", "List the keyboard shortcuts, except in a text field."),
    bind(Context::KeyList, Action::Preferences, KeyCode::Char('P'), NONE, "P", "Preferences", "Choose the visible columns and the page size."),
    bind(Context::KeyList, Action::SelectAll, KeyCode::Char('a'), NONE, "a", "All", "Select or clear all keys in the list. Space selects one."),
    bind(Context::SelectableTable, Action::SelectAll, KeyCode::Char('a'), NONE, "a", "All", "Select or clear all rows in the table."),
    bind(Context::Fields, Action::Toggle, KeyCode::Char(' '), NONE, "Space", "Select", "Select or clear the check box, or choose the focused item."),
    bind(Context::Refreshable, Action::Refresh, KeyCode::Char('r'), NONE, "r", "Refresh", "Reload the data from AWS."),
    bind(Context::Table, Action::SortColumn, KeyCode::Char('s'), NONE, "s", "Sort", "Sort by the next column."),
    bind(Context::Table, Action::ScrollColumns, KeyCode::Right, NONE, "←/→", "Columns", "Show hidden columns (marked with ‹ and ›)."),
    bind(Context::KeyRows, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy ID", "Copy the key ID to the clipboard."),
    bind(Context::KeyRows, Action::CopyArn, KeyCode::Char('Y'), NONE, "Y", "Copy ARN", "Copy the key ARN to the clipboard."),
    bind(Context::Key, Action::CopyArn, KeyCode::Char('Y'), NONE, "Y", "Copy ARN", "Copy the key ARN to the clipboard."),
    bind(Context::KeyStore, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy ID", "Copy the custom key store ID to the clipboard."),
    bind(Context::List, Action::CopyTable, KeyCode::Char('T'), NONE, "T", "Copy table", "Copy the rows that match the search, as CSV, JSON, or Markdown."),
    bind(Context::WebPage, Action::CopyWebAddress, KeyCode::Char('o'), NONE, "o", "Web address", "Copy the address of this page in the AWS web console."),
    bind(Context::Table, Action::SortDirection, KeyCode::Char('S'), NONE, "S", "Reverse", "Reverse the sort order."),
    bind(Context::Fields, Action::PreviousField, KeyCode::BackTab, KeyModifiers::SHIFT, "Shift-Tab", "Prev field", "Go to the previous field."),
    bind(Context::Everywhere, Action::ApiCalls, KeyCode::F(2), NONE, "F2", "API calls", "Show the API calls of this console and their results. Esc goes back."),
    bind(Context::Everywhere, Action::SwitchProfileOrRegion, KeyCode::F(3), NONE, "F3", "Region", "Switch Region or profile."),
    bind(Context::Everywhere, Action::ToggleMouse, KeyCode::F(6), NONE, "F6", "", "Turn the mouse off or on. While it is on, hold Shift to select text."),
    bind(Context::ErrorMessage, Action::ErrorReport, KeyCode::Char('e'), NONE, "e", "Error report", "Show an error report, to copy or save it and send it to support."),
    bind(Context::Lesson, Action::Lesson, KeyCode::F(7), NONE, "F7", "Lesson", "Show the step of the lesson, or begin the next one."),
    bind(Context::Lesson, Action::Hint, KeyCode::F(9), NONE, "F9", "Hint", "Show a hint for the step of the lesson. Each press shows one more."),
    bind(Context::TextInput, Action::EditText, KeyCode::Char('7'), CTRL, "Ctrl-_", "", "Undo the last edit in the text field. Ctrl-R redoes it. Alt-U and Alt-E do the same."),
    bind(Context::TextInput, Action::EditText, KeyCode::Char('u'), CTRL, "Ctrl-U", "", "Cut to the start of the line. Alt-K cuts to the end, Ctrl-W or Alt-D cuts a word, and Ctrl-Y pastes the cut text."),
    bind(Context::TextView, Action::Copy, KeyCode::Char('y'), NONE, "y", "Copy", "Copy the text to the clipboard."),
    bind(Context::TextView, Action::SaveText, KeyCode::Char('s'), NONE, "s", "Save", "Save the text to a file."),
    bind(Context::TextView, Action::Search, KeyCode::Char('/'), NONE, "/", "Search", "Type to search the text. Capital letters match only capital letters. Enter keeps the search, and Esc clears it."),
    bind(Context::TextView, Action::NextMatch, KeyCode::Char('n'), NONE, "n", "Next match", "Go to the next match of the search. The search wraps around."),
    bind(Context::TextView, Action::PreviousMatch, KeyCode::Char('N'), NONE, "N", "Previous match", "Go to the previous match of the search."),
    bind(Context::TextView, Action::ErrorReport, KeyCode::Char('e'), NONE, "e", "Error report", "Show an error report, to copy or save it and send it to support."),
    bind(Context::TextView, Action::LineNumbers, KeyCode::Char('#'), NONE, "#", "Line numbers", "Show or hide line numbers."),
    bind(Context::Everywhere, Action::MoveClock, KeyCode::Char('+'), NONE, "+", "", "Move the clock of the account forward, only in the bundled AWS."),
    bind(Context::Everywhere, Action::Redraw, KeyCode::Char('l'), CTRL, "Ctrl-L", "", "Redraw the screen, for example if another program wrote to it."),
    bind(Context::Everywhere, Action::Suspend, KeyCode::Char('z'), CTRL, "Ctrl-Z", "", "Return to the shell. Run fg there to come back."),
    bind(Context::Everywhere, Action::Quit, KeyCode::Char('c'), CTRL, "Ctrl-C", "Quit", "Quit. The console asks first if you would lose changes."),
];

impl Binding {
    /// Whether the action makes sense in a list of commands: it isn't one of the keys that only move around.
    pub fn is_command(&self) -> bool {
        let moves = matches!(
            self.action,
            Action::NextField
                | Action::PreviousField
                | Action::Activate
                | Action::Toggle
                | Action::Scroll
                | Action::ScrollColumns
                | Action::FocusNavigation
                | Action::NextTab
                | Action::JumpToStep
        );
        !moves && !self.title.is_empty()
    }

    /// Returns whether a key press triggers the action.
    pub fn is_pressed_by(&self, key: KeyEvent) -> bool {
        self.code == key.code && self.modifiers - KeyModifiers::SHIFT == key.modifiers - KeyModifiers::SHIFT
    }

    /// Returns the key press that triggers the action.
    pub fn key_event(&self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

/// Returns the label and the kind of the button that a page shows for an action, if it shows one.
pub fn page_button(binding: &Binding) -> Option<(&'static str, ButtonKind)> {
    use ButtonKind::{Normal, Primary};
    Some(match (binding.context, binding.action) {
        (Context::KeyList | Context::Key, Action::OpenActionsMenu) => ("Key actions ▾", Normal),
        (Context::KeyStore, Action::OpenActionsMenu) => ("Actions ▾", Normal),
        (Context::ExternalKeys | Context::ProxyFaults | Context::XrayFlow, Action::OpenActionsMenu) => {
            ("Actions ▾", Primary)
        }
        (Context::KeyStore, Action::CreateKeyStore) => ("Create external key store", Normal),
        (Context::KeyList | Context::KeyStore, Action::CreateKey) => ("Create key", Primary),
        (Context::Key, Action::Copy) => ("Copy ID", Normal),
        (Context::Key, Action::CopyArn) => ("Copy ARN", Normal),
        (Context::Event, Action::Copy) => ("Copy event", Normal),
        (Context::ApiCall, Action::Copy) => ("Copy API call", Normal),
        (Context::XrayFlow, Action::Copy) => ("Copy as JSON", Normal),
        _ => return None,
    })
}

/// Returns the action of a key in any of these contexts.
pub fn action(contexts: &[Context], key: KeyEvent) -> Option<Action> {
    binding(contexts, key).map(|binding| binding.action)
}

/// Returns the binding of a key in any of these contexts.
pub fn binding(contexts: &[Context], key: KeyEvent) -> Option<&'static Binding> {
    BINDINGS
        .iter()
        .filter(|binding| binding.context == Context::Everywhere || contexts.contains(&binding.context))
        .find(|binding| binding.is_pressed_by(key))
}

/// Returns the step number, from 1, of a key for [`Action::JumpToStep`].
pub fn step_number(key: KeyEvent) -> Option<usize> {
    let KeyCode::Char(digit) = key.code else { return None };
    let number = usize::try_from(digit.to_digit(10)?).ok()?;
    (key.modifiers == ALT && number > 0).then_some(number)
}

/// Returns the bindings of these contexts, in the order of the table.
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
