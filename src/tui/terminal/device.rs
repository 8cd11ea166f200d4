//! The device that terminal output is written to.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

use ratatui::layout::Size;
use rustix::termios::tcgetwinsize;

/// The output device of the terminal: standard output if it is a terminal, else standard error if it is a terminal,
/// else the controlling terminal. A standard output that is a pipe or a file is left for the result of the command.
#[derive(Debug)]
pub(super) enum Device {
    Stdout,
    Stderr,
    Tty(File),
}

/// Returns the terminal. It is static because a panic in any thread needs it.
pub(super) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| find().unwrap_or(Device::Stdout))
}

/// Returns the first device that is a terminal.
pub(super) fn find() -> Option<Device> {
    if io::stdout().is_terminal() {
        Some(Device::Stdout)
    } else if io::stderr().is_terminal() {
        Some(Device::Stderr)
    } else {
        open_tty().map(Device::Tty)
    }
}

/// Opens the controlling terminal.
pub(super) fn open_tty() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
}

/// Returns the size of the terminal in cells.
///
/// # Errors
/// If there is no terminal.
pub fn size() -> io::Result<Size> {
    let size = tcgetwinsize(device())?;
    Ok(Size::new(size.ws_col, size.ws_row))
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stdout => rustix::stdio::stdout(),
            Self::Stderr => rustix::stdio::stderr(),
            Self::Tty(file) => file.as_fd(),
        }
    }
}

impl Write for &Device {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Device::Stdout => io::stdout().write(bytes),
            Device::Stderr => io::stderr().write(bytes),
            Device::Tty(file) => (&mut &*file).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Device::Stdout => io::stdout().flush(),
            Device::Stderr => io::stderr().flush(),
            Device::Tty(_) => Ok(()),
        }
    }
}
