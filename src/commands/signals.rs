//! Ending a command that waits for a line of input when a signal arrives.

use std::convert::Infallible;
use std::io::{self, Write as _};

use super::note;
use crate::accessible::restore_echo;
use crate::tui::terminal::signals::{Signal, Signals};

/// Waits for signals until one ends the program: shows typed text again, and prints the message. A signal to suspend stops
/// the program until it is resumed.
pub(super) async fn exit_on_signal(mut signals: Signals, message: impl Fn() -> &'static str) -> Infallible {
    loop {
        match signals.next().await {
            Signal::End { exit_code } => {
                restore_echo();
                // The cursor is behind a question.
                let _ = writeln!(io::stderr());
                note(message());
                std::process::exit(exit_code.into());
            }
            Signal::Suspend => {
                let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
            }
            Signal::Resume | Signal::Resize => {}
        }
    }
}
