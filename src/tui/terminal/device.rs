//! What the terminal is written to by.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;

/// Standard output where that is the terminal. Where it is a pipe or a file, as when the key that is made is handed on, it is
/// kept for that, and the terminal is standard error, else the terminal that the program was started from.
#[derive(Debug)]
pub(super) enum Device {
    Stdout,
    Stderr,
    Tty(File),
}

/// The terminal. Static, for a panic in any thread must find it.
pub(super) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| find().unwrap_or(Device::Stdout))
}

/// The first that is a terminal.
pub(super) fn find() -> Option<Device> {
    if io::stdout().is_terminal() {
        Some(Device::Stdout)
    } else if io::stderr().is_terminal() {
        Some(Device::Stderr)
    } else {
        open_tty().map(Device::Tty)
    }
}

/// The terminal that the program was started from.
pub(super) fn open_tty() -> Option<File> {
    File::options().read(true).write(true).open("/dev/tty").ok()
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
