//! The signals that the console handles itself, so that it can restore the terminal.

use std::io;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End the program: `SIGTERM`, `SIGHUP` (the terminal was closed), or `SIGINT` from another process.
    End {
        /// The exit code: 128 plus the signal number, the convention of shells.
        exit_code: u8,
    },
    /// Suspend the program: `SIGTSTP` from another process. In raw mode, Ctrl-Z is an ordinary key.
    Suspend,
    /// Resume after a stop: `SIGCONT`.
    Resume,
    /// Redraw at a new size: `SIGWINCH`.
    Resize,
}

/// Listens for signals without polling.
#[derive(Debug)]
pub struct Signals {
    terminate: Listener,
    hangup: Listener,
    interrupt: Listener,
    stop: Listener,
    resume: Listener,
    resize: Listener,
}

impl Signals {
    /// Starts listening. From now on, these signals no longer end or stop the program themselves.
    ///
    /// # Errors
    /// If the operating system doesn't allow it.
    ///
    /// # Panics
    /// Outside a tokio runtime with its I/O driver.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            resume: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    /// Returns the next signal. Cancel safe, so it can be used in `select!`.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End { exit_code: 143 },
            _ = self.hangup.recv() => Signal::End { exit_code: 129 },
            _ = self.interrupt.recv() => Signal::End { exit_code: 130 },
            _ = self.stop.recv() => Signal::Suspend,
            _ = self.resume.recv() => Signal::Resume,
            _ = self.resize.recv() => Signal::Resize,
        }
    }
}
