//! The dialogs that can be open over the page.

use crate::create_key::field::Field;
use crate::tui::dialogs::connect::ConnectDialog;
use crate::tui::dialogs::palette::Palette;
use crate::tui::dialogs::switcher::Switcher;
use crate::tui::dialogs::{self, Menu};
use crate::tui::drafts::DraftList;
use crate::tui::keymap::Binding;
use crate::tui::widgets::scroll::ScrollState;

/// A dialog over the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Connects a key store.
    Connect(ConnectDialog),
    /// Confirms disconnecting a key store.
    ConfirmDisconnect {
        /// The ID of the key store.
        store_id: String,
        /// The name of the key store.
        name: String,
        /// The number of KMS keys in the key store.
        key_count: usize,
        /// Whether *Disconnect* is focused instead of *Cancel*.
        is_confirm_focused: bool,
    },
    /// The actions menu.
    Menu(Menu),
    /// A form and the result of its request.
    Task(Box<dialogs::FormDialog>),
    /// Tries a key.
    TryKey(Box<dialogs::TryKeyDialog>),
    /// Switches the Region or profile.
    Switcher(Box<Switcher>),
    /// Confirms discarding the wizard or a form.
    ConfirmDiscard {
        /// Whether *Discard* is focused instead of *Keep editing*.
        is_confirm_focused: bool,
        /// Whether discarding also quits the console.
        quits: bool,
        /// The form that would be discarded, and to which *Keep editing* returns. Without one, it is the wizard.
        form: Option<Box<dialogs::FormDialog>>,
    },
    /// The list of saved drafts.
    Drafts(DraftList),
    /// Confirms sending CreateKey although the draft can't be saved.
    ConfirmUnsaved {
        /// Why the draft can't be saved.
        reason: String,
        /// Whether the send button is focused instead of *Cancel*.
        is_confirm_focused: bool,
    },
    /// The help of a field.
    FieldHelp {
        /// The field.
        field: Field,
        /// The keys that edit the field.
        bindings: Vec<&'static Binding>,
        /// The scroll position.
        scroll: ScrollState,
    },
    /// The preview of what the wizard will create.
    Preview {
        /// The scroll position.
        scroll: ScrollState,
    },
    /// The command palette or the keyboard help.
    Palette(Box<Palette>),
}
