//! The signals that the console answers itself, so that the terminal is given back.

use std::io;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To end: `SIGTERM`, `SIGHUP` (the terminal was closed) or `SIGINT` from outside.
    End {
        /// What to exit with: 128 and the signal's number, as shells have it.
        exit_code: u8,
    },
    /// To stop: `SIGTSTP` from outside. In raw mode Ctrl-Z is a key like others.
    Suspend,
    /// To take the terminal again: `SIGCONT`, after a stop.
    Resume,
    /// To draw in another size: `SIGWINCH`.
    Resize,
}

/// Listens for signals. It wakes nobody while none comes.
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
    /// Starts to listen; from now on these signals no longer end or stop the program by themselves.
    ///
    /// # Errors
    /// When the operating system refuses.
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

    /// The next signal. Nothing is lost when the future is dropped, so it can stand in a `select!`.
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
