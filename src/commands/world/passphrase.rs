//! The passphrase of a snapshot: from the terminal without echo, or from a file.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Read, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::accessible::hide_input;
use crate::bundled::snapshot::{SnapshotError, check_passphrase};
use crate::cli::PassphraseOptions;
use crate::commands::signals;
use crate::tui::terminal::signals::Signals;

/// The maximum length of a passphrase in bytes. Longer ones would be cut by the terminal.
const MAX_LENGTH: usize = 1024;

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// There is no terminal to ask on.
    #[error(
        "Couldn't ask for the passphrase, because there is no terminal. To read it from a file, add --passphrase-file FILE."
    )]
    NoTerminal,
    /// The input ended before the passphrase.
    #[error("The passphrase wasn't entered, so nothing was done.")]
    NotEntered,
    /// The second passphrase isn't the first one.
    #[error("The passphrases are different, so nothing was written. Try again.")]
    Different,
    /// The passphrase is too short.
    #[error("Couldn't use the passphrase: {0}.")]
    TooShort(SnapshotError),
    /// The passphrase is too long, or isn't text.
    #[error("The passphrase must be UTF-8 text of up to {MAX_LENGTH} bytes.")]
    Invalid,
    /// The file can't be read.
    #[error("Couldn't read the passphrase from {path}: {source}.", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The terminal can't be used.
    #[error("Couldn't use the terminal: {0}.")]
    Terminal(io::Error),
}

/// Returns the passphrase for a new snapshot. On the terminal, it must be entered twice.
pub(super) fn new(options: &PassphraseOptions) -> Result<Zeroizing<String>, PassphraseError> {
    let read = if let Some(path) = &options.passphrase_file {
        from_file(path)?
    } else {
        let mut terminal = Terminal::open()?;
        let first = terminal.ask("Passphrase for the snapshot")?;
        check_passphrase(&first).map_err(PassphraseError::TooShort)?;
        if *terminal.ask("The same passphrase again")? != *first {
            return Err(PassphraseError::Different);
        }
        first
    };
    check_passphrase(&read).map_err(PassphraseError::TooShort)?;
    Ok(read)
}

/// Returns the passphrase of a snapshot that exists.
pub(super) fn existing(options: &PassphraseOptions) -> Result<Zeroizing<String>, PassphraseError> {
    match &options.passphrase_file {
        Some(path) => from_file(path),
        None => Terminal::open()?.ask("Passphrase of the snapshot"),
    }
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, PassphraseError> {
    let failed = |source| PassphraseError::File { path: path.to_owned(), source };
    read_passphrase(&mut File::open(path).map_err(failed)?, false)
        .map_err(failed)?
        .ok_or(PassphraseError::NotEntered)?
}

/// Reads up to the end of a line or of the input, without a buffer that keeps a copy. Returns `None` if there is nothing.
///
/// In a file, a line break that isn't at the end is part of the passphrase.
fn read_passphrase(
    input: &mut impl Read,
    is_line: bool,
) -> io::Result<Option<Result<Zeroizing<String>, PassphraseError>>> {
    // One byte more shows that the passphrase is too long. A line break can have two.
    let mut bytes = Zeroizing::new(vec![0; MAX_LENGTH + 3]);
    let mut length = 0;
    while length < bytes.len() && !(is_line && bytes[..length].ends_with(b"\n")) {
        match input.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length == 0 {
        return Ok(None);
    }
    let read = &bytes[..length];
    let text = read.strip_suffix(b"\n").map_or(read, |line| line.strip_suffix(b"\r").unwrap_or(line));
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_LENGTH);
    Ok(Some(text.map(|text| Zeroizing::new(text.to_owned())).ok_or(PassphraseError::Invalid)))
}

/// The terminal that the passphrase is asked for on.
struct Terminal(File);

impl Terminal {
    fn open() -> Result<Self, PassphraseError> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(PassphraseError::NoTerminal);
        }
        exit_on_signal().map_err(PassphraseError::Terminal)?;
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(PassphraseError::Terminal)?;
        Ok(Self(File::from(input)))
    }

    fn ask(&mut self, question: &str) -> Result<Zeroizing<String>, PassphraseError> {
        let hidden = hide_input();
        let mut notes = io::stderr();
        let _ = write!(notes, "{question}: ");
        let _ = notes.flush();
        let read = read_passphrase(&mut self.0, true);
        drop(hidden);
        // The line break that the user typed isn't shown, either.
        let _ = writeln!(notes);
        read.map_err(PassphraseError::Terminal)?.ok_or(PassphraseError::NotEntered)?
    }
}

/// Shows typed text again when a signal ends the program.
fn exit_on_signal() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    std::thread::spawn(move || runtime.block_on(signals::exit_on_signal(signals, || "Stopped.")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], is_line: bool) -> Option<String> {
        let read = read_passphrase(&mut &*bytes, is_line).unwrap()?;
        read.ok().map(|text| text.to_string())
    }

    #[test]
    fn line_break_at_the_end_is_not_part_of_the_passphrase() {
        for text in ["secret words", "secret words\n", "secret words\r\n"] {
            assert_eq!(read(text.as_bytes(), false).as_deref(), Some("secret words"), "{text:?}");
            assert_eq!(read(text.as_bytes(), true).as_deref(), Some("secret words"), "{text:?}");
        }
        assert_eq!(read(b"two\nlines\n", false).as_deref(), Some("two\nlines"));
        assert_eq!(read(b"", true), None);
        assert_eq!(read(b"\n", true).as_deref(), Some(""));
    }

    #[test]
    fn long_and_binary_passphrases_are_refused() {
        assert_eq!(read(&[b'a'; MAX_LENGTH], false).map(|text| text.len()), Some(MAX_LENGTH));
        for bytes in [&[b'a'; MAX_LENGTH + 1][..], &[b'a'; 5 * MAX_LENGTH], b"\xff\xfe and more"] {
            assert!(matches!(read_passphrase(&mut &*bytes, false), Ok(Some(Err(PassphraseError::Invalid)))));
        }
    }
}
