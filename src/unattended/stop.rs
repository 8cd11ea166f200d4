//! Being told to stop: at once while nothing is under way, else when it is safe. Who insists is obeyed.

use std::cell::Cell;

use crate::tui::terminal::signals::{Signal, Signals};

/// Whether something is under way, and whether to stop afterwards.
#[derive(Debug, Default)]
pub(super) struct Stop {
    is_busy: Cell<bool>,
    asked: Cell<Option<u8>>,
}

impl Stop {
    /// Something that should not be cut off begins or is over.
    pub fn busy(&self, is_busy: bool) {
        self.is_busy.set(is_busy);
    }

    /// The exit code of the signal that asked to stop, if one did.
    pub fn asked(&self) -> Option<u8> {
        self.asked.get()
    }

    /// Waits for a signal that ends the program at once; gives its exit code.
    pub async fn at_once(&self, mut signals: Signals) -> u8 {
        loop {
            let exit_code = match signals.next().await {
                Signal::End { exit_code } => exit_code,
                // Nothing is lost by it: answers wait in the meantime.
                Signal::Suspend => {
                    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
                    continue;
                }
                Signal::Resume => continue,
            };
            if !self.is_busy.get() || self.asked.get().is_some() {
                return exit_code;
            }
            self.asked.set(Some(exit_code));
            eprintln!("xks-console: waiting for AWS's answer on the key under way; once more ends at once");
        }
    }
}
