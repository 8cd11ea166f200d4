//! The lines that differ between two texts: added ones start with `+`, removed ones with `-`.

use super::Token;
use super::scanner::Scanner;

pub(super) fn scan(scanner: &mut Scanner) {
    while let Some(first) = scanner.peek() {
        match first {
            '+' => scanner.take_line(Token::Added),
            '-' => scanner.take_line(Token::Removed),
            '…' => scanner.take_line(Token::Comment),
            _ => scanner.take_line(Token::Text),
        }
        scanner.take_char(Token::Text);
    }
}
