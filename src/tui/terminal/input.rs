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
const READ: usize = 4096;

/// Events, read by a thread that sleeps while nothing comes.
#[derive(Debug)]
pub struct Input(mpsc::UnboundedReceiver<Event>);

/// Standard input where that is the terminal; else the terminal that the program was started from.
enum Source {
    Standard(io::Stdin),
    Opened(File),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Standard(stdin) => stdin.as_fd(),
            Self::Opened(file) => file.as_fd(),
        }
    }
}

impl Input {
    /// Starts to read.
    ///
    /// # Errors
    /// When there is no terminal, or no thread for it.
    pub fn open() -> io::Result<Self> {
        let source = if io::stdin().is_terminal() {
            Source::Standard(io::stdin())
        } else {
            Source::Opened(device::open().ok_or(io::ErrorKind::NotFound)?)
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
    let (mut decoder, mut bytes) = (Decoder::default(), [0; READ]);
    loop {
        let events = match wait(source, decoder.patience()) {
            Ok(false) => decoder.idle().into_iter().collect(),
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
fn wait(source: &Source, time: Option<Duration>) -> Result<bool, Errno> {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    let mut sources = [PollFd::new(source, PollFlags::IN)];
    poll(&mut sources, time.as_ref()).map(|count| count > 0)
}
