//! A question in a line, where there is no console.

use std::io::{self, BufRead as _, BufReader, Write as _};

use zeroize::Zeroizing;

use super::device;

/// More than any answer has, in bytes: the line is never moved, so nothing of it stays behind.
const MOST_BYTES: usize = 4096;

/// Asks on the terminal that the program was started from, which standard input, output and error need not be. Gives what is
/// typed, without the end of the line; nothing at the end of input (Ctrl-D).
///
/// # Errors
/// When there is no terminal, or it is gone.
pub fn ask(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let mut terminal = device::open().ok_or(io::ErrorKind::NotFound)?;
    terminal.write_all(question.as_bytes())?;
    let mut line = Zeroizing::new(String::with_capacity(MOST_BYTES));
    let count = BufReader::new(io::Read::take(terminal, MOST_BYTES as u64)).read_line(&mut line)?;
    Ok((count > 0).then_some(line))
}
