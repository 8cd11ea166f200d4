//! Being told to stop: at once while nothing is under way, else when it is safe. Who insists is obeyed.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::process::ExitCode;

use super::CreateKeyExit;
use crate::tui::terminal::signals::{Signal, Signals};

/// Whether something is under way, and whether to stop afterwards.
#[derive(Debug, Default)]
pub struct Shutdown {
    is_busy: Cell<bool>,
    requested: Cell<Option<u8>>,
    is_stopping: Cell<bool>,
}

impl Shutdown {
    /// Does `work`, which tells here when it should not be cut off, until it is over or a signal ends it.
    ///
    /// # Errors
    /// Those of `work`; and when the operating system tells of no signals.
    pub async fn run_until_signal(
        &self,
        work: impl Future<Output = io::Result<CreateKeyExit>>,
    ) -> io::Result<ExitCode> {
        let signals = Signals::listen()?;
        tokio::select! {
            exit = work => {
                let obeyed = self.requested.get().filter(|_| self.is_stopping.get());
                exit.map(|exit| obeyed.map_or(exit.into(), ExitCode::from))
            }
            code = self.wait_for_immediate_exit(signals) => Ok(ExitCode::from(code)),
        }
    }

    /// Something that should not be cut off begins or is over.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.is_busy.set(is_busy);
    }

    /// Whether to do nothing more, for a signal has asked so.
    pub(super) fn should_stop(&self) -> bool {
        self.is_stopping.set(self.requested.get().is_some());
        self.is_stopping.get()
    }

    /// Waits for a signal that ends the program at once; gives its exit code.
    async fn wait_for_immediate_exit(&self, mut signals: Signals) -> u8 {
        loop {
            let exit_code = match signals.next().await {
                Signal::End { exit_code } => exit_code,
                // Nothing is lost by it: answers wait in the meantime.
                Signal::Suspend => {
                    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
                    continue;
                }
                Signal::Resume | Signal::Resize => continue,
            };
            if !self.is_busy.get() || self.requested.get().is_some() {
                return exit_code;
            }
            self.requested.set(Some(exit_code));
            // The terminal may be gone: that is a reason to stop, too.
            let _ = writeln!(
                io::stderr(),
                "xks-console: waiting for AWS's answer on the key under way; once more ends at once"
            );
        }
    }
}
