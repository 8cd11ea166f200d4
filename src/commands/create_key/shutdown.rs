//! Stops the command on a signal: immediately if no request is in progress, and otherwise after the request. A second
//! signal always stops it immediately.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::process::ExitCode;

use super::CreateKeyExit;
use crate::tui::terminal::signals::{Signal, Signals};

/// Whether a request is in progress, and whether to stop after it.
#[derive(Debug, Default)]
pub struct Shutdown {
    is_busy: Cell<bool>,
    requested: Cell<Option<u8>>,
    is_stopping: Cell<bool>,
}

impl Shutdown {
    /// Runs `work` until it completes or a signal stops it. While `work` has called `set_busy`, the first
    /// signal doesn't interrupt it.
    ///
    /// # Errors
    /// Errors of `work`, or signals can't be received.
    pub async fn run_until_signal(
        &self,
        work: impl Future<Output = io::Result<CreateKeyExit>>,
    ) -> io::Result<ExitCode> {
        let signals = Signals::listen()?;
        tokio::select! {
            exit = work => {
                let signal_code = self.requested.get().filter(|_| self.is_stopping.get());
                exit.map(|exit| signal_code.map_or(exit.into(), ExitCode::from))
            }
            code = self.wait_for_immediate_exit(signals) => Ok(ExitCode::from(code)),
        }
    }

    /// Sets whether a request is in progress that shouldn't be interrupted.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.is_busy.set(is_busy);
    }

    /// Whether a signal has requested to stop.
    pub(super) fn should_stop(&self) -> bool {
        self.is_stopping.set(self.requested.get().is_some());
        self.is_stopping.get()
    }

    /// Waits for a signal that stops the program immediately, and returns its exit code.
    async fn wait_for_immediate_exit(&self, mut signals: Signals) -> u8 {
        loop {
            let exit_code = match signals.next().await {
                Signal::End { exit_code } => exit_code,
                // Responses are kept until the program continues.
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
            // The terminal may be closed, which is also a reason to stop.
            let _ = writeln!(
                io::stderr(),
                "xks-console: Stopping after the key in progress. To stop immediately, send the signal again."
            );
        }
    }
}
