//! Reads keys and pastes from the terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::decoder::{Decoder, TerminalEvent};
use super::device;

/// The size of the read buffer, in bytes.
const READ_BUFFER_BYTES: usize = 4096;

/// The input events, read by a thread that sleeps while there is no input.
#[derive(Debug)]
pub struct TerminalInput(mpsc::UnboundedReceiver<TerminalEvent>);

/// The input device: standard input if it is a terminal, else the controlling terminal.
enum Source {
    Stdin(io::Stdin),
    Tty(File),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Tty(file) => file.as_fd(),
        }
    }
}

impl TerminalInput {
    /// Starts the thread that reads events.
    ///
    /// # Errors
    /// If there is no terminal, or if the thread can't be started.
    pub fn open() -> io::Result<Self> {
        let source = if io::stdin().is_terminal() {
            Source::Stdin(io::stdin())
        } else {
            Source::Tty(device::open_tty().ok_or(io::ErrorKind::NotFound)?)
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || read(&source, &sender))?;
        Ok(Self(receiver))
    }

    /// Returns the next event, or `None` when the terminal is closed.
    pub async fn next(&mut self) -> Option<TerminalEvent> {
        self.0.recv().await
    }
}

/// Reads until the terminal is closed or the receiver is dropped.
fn read(source: &Source, sender: &mpsc::UnboundedSender<TerminalEvent>) {
    let (mut decoder, mut bytes) = (Decoder::default(), [0; READ_BUFFER_BYTES]);
    loop {
        let events = match wait_readable(source, decoder.timeout()) {
            Ok(false) => decoder.on_timeout().into_iter().collect(),
            Ok(true) => match rustix::io::read(source, &mut bytes) {
                Ok(count @ 1..) => decoder.push(&bytes[..count]),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Ok(0) | Err(_) => return,
            },
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        for event in events {
            if sender.send(event).is_err() {
                return;
            }
        }
    }
}

/// Waits for input. Returns whether there is some within `time`.
fn wait_readable(source: &Source, time: Option<Duration>) -> Result<bool, Errno> {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    let mut sources = [PollFd::new(source, PollFlags::IN)];
    poll(&mut sources, time.as_ref()).map(|count| count > 0)
}
