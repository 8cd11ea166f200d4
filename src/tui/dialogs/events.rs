//! What dialogs report: requests to the console, and invalid inputs.

use crate::tui::effect::Call;
use crate::tui::preferences::Preferences;
use crate::tui::text_view::TextView;

/// A request of the dialog to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum DialogEvent {
    /// Sends a request to AWS.
    Request(Call),
    /// Copies the text to the clipboard. The first value names the text.
    Copy(&'static str, String),
    /// Shows a text on the whole screen.
    View(Box<TextView>),
    /// Closes the dialog.
    Close,
    /// Saves the preferences.
    SetPreferences(Preferences),
    /// Closes the dialog, shows the success message, and refreshes the page.
    Done(String),
}

/// The name of an invalid input, and the error message.
pub type InputError = (&'static str, String);
