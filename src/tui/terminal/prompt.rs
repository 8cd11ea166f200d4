//! A one-line prompt, for commands without the full-screen console.

use std::io::{self, Read as _, Write as _};

use zeroize::Zeroizing;

use super::device;

/// The maximum length of a terminal line, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// Prompts on the controlling terminal, even if the standard streams are redirected. Returns the typed line without its
/// line ending, or `None` at the end of input (Ctrl-D).
///
/// # Errors
/// If there is no terminal, or if it was closed.
pub fn prompt(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let mut terminal = device::open_tty().ok_or(io::ErrorKind::NotFound)?;
    terminal.write_all(question.as_bytes())?;
    // A terminal returns one line per read.
    let mut bytes = Zeroizing::new([0; MAX_LINE_BYTES]);
    let count = terminal.read(&mut *bytes)?;
    let line = String::from_utf8_lossy(&bytes[..count]).trim_end_matches('\n').to_owned();
    Ok((count > 0).then(|| Zeroizing::new(line)))
}
