//! A question in a line, where there is no console.

use std::io::{self, Read as _, Write as _};

use zeroize::Zeroizing;

use super::device;

/// The longest line that a terminal gives, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// Asks on the terminal that the program was started from, which standard input, output and error need not be. Gives what is
/// typed, without the end of the line; nothing at the end of input (Ctrl-D).
///
/// # Errors
/// When there is no terminal, or it is gone.
pub fn prompt(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let mut terminal = device::open_tty().ok_or(io::ErrorKind::NotFound)?;
    terminal.write_all(question.as_bytes())?;
    // A terminal gives a line at a time.
    let mut bytes = Zeroizing::new([0; MAX_LINE_BYTES]);
    let count = terminal.read(&mut *bytes)?;
    let line = String::from_utf8_lossy(&bytes[..count]).trim_end_matches('\n').to_owned();
    Ok((count > 0).then(|| Zeroizing::new(line)))
}
