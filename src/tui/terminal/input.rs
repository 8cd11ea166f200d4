//! The keys and pastes of the person at the terminal.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::decoder::Decoder;
use super::device;

/// Bytes of a read.
const READ_BUFFER_BYTES: usize = 4096;

/// Events, read by a thread that sleeps while nothing comes.
#[derive(Debug)]
pub struct TerminalInput(mpsc::UnboundedReceiver<Event>);

/// Standard input where that is the terminal; else the terminal that the program was started from.
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
    /// Starts to read.
    ///
    /// # Errors
    /// When there is no terminal, or no thread for it.
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

    /// The next event; nothing when the terminal is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

/// Reads until the terminal or the receiver is gone.
fn read(source: &Source, sender: &mpsc::UnboundedSender<Event>) {
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

/// Waits for bytes; whether some came within `time`.
fn wait_readable(source: &Source, time: Option<Duration>) -> Result<bool, Errno> {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    let mut sources = [PollFd::new(source, PollFlags::IN)];
    poll(&mut sources, time.as_ref()).map(|count| count > 0)
}
