//! Hiding what the user types on the terminal.

use std::sync::{Mutex, PoisonError};

use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The mode of the terminal before it was changed. It is static because a signal handler restores it, too.
static ORIGINAL_MODE: Mutex<Option<Termios>> = Mutex::new(None);

/// Shows the typed text again when it is dropped.
#[derive(Debug)]
pub struct HiddenInput;

impl Drop for HiddenInput {
    fn drop(&mut self) {
        restore();
    }
}

/// Hides typed text until the result is dropped. Without a terminal, nothing changes.
pub fn hide() -> HiddenInput {
    if let Ok(original) = tcgetattr(stdin()) {
        let mut mode = original.clone();
        mode.local_modes.remove(LocalModes::ECHO);
        *ORIGINAL_MODE.lock().unwrap_or_else(PoisonError::into_inner) = Some(original);
        // If the terminal refuses, the text is shown.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &mode);
    }
    HiddenInput
}

/// Shows typed text again. Has no effect if it isn't hidden.
pub fn restore() {
    if let Some(mode) = ORIGINAL_MODE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &mode);
    }
}
