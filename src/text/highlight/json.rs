//! JSON, also while it's edited.

use super::Token;
use super::scanner::Scanner;

pub(super) fn scan(scanner: &mut Scanner) {
    while let Some(letter) = scanner.peek() {
        match letter {
            '"' => scan_string(scanner),
            '{' | '}' | '[' | ']' | ':' | ',' => scanner.take_char(Token::Punctuation),
            '-' | '0'..='9' => scanner.take_while(Token::Number, is_number_part),
            _ if letter.is_alphabetic() => scan_word(scanner),
            _ => scanner.take_char(Token::Text),
        }
    }
}

/// A string is a key if a colon follows.
fn scan_string(scanner: &mut Scanner) {
    let length = scanner.quoted_length();
    let is_key = scanner.rest()[length..].trim_start().starts_with(':');
    scanner.take(if is_key { Token::Key } else { Token::String }, length);
}

fn scan_word(scanner: &mut Scanner) {
    let rest = scanner.rest();
    let word = &rest[..rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len())];
    let is_keyword = matches!(word, "true" | "false" | "null");
    scanner.take(if is_keyword { Token::Keyword } else { Token::Text }, word.len());
}

pub(super) fn is_number_part(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.' | 'e' | 'E')
}
