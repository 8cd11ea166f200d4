//! The configuration language of Terraform.

use super::Token;
use super::json::is_number_part;
use super::scanner::Scanner;

pub(super) fn scan(scanner: &mut Scanner) {
    while let Some(letter) = scanner.peek() {
        match letter {
            '"' => scan_string(scanner),
            '#' => scanner.take_line(Token::Comment),
            '/' if scanner.rest().starts_with("//") => scanner.take_line(Token::Comment),
            '/' if scanner.rest().starts_with("/*") => {
                let rest = scanner.rest();
                scanner.take(Token::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2));
            }
            '0'..='9' => scanner.take_while(Token::Number, is_number_part),
            _ if is_word_start(letter) => scan_word(scanner),
            _ if letter.is_whitespace() => scanner.take_char(Token::Text),
            _ if letter.is_ascii_punctuation() => scanner.take_char(Token::Punctuation),
            _ => scanner.take_char(Token::Text),
        }
    }
}

/// A string is a key if an equals sign follows. Templates in a string are variables.
fn scan_string(scanner: &mut Scanner) {
    let length = scanner.quoted_length();
    let is_key = is_assigned(&scanner.rest()[length..]);
    if is_key {
        return scanner.take(Token::Key, length);
    }
    let string = &scanner.rest()[..length];
    let mut position = 0;
    while let Some((start, end)) = find_template(string, position) {
        scanner.take(Token::String, start - position);
        scanner.take(Token::Variable, end - start);
        position = end;
    }
    scanner.take(Token::String, length - position);
}

/// Returns the range of the next `${…}` or `%{…}`. A doubled sign starts no template.
fn find_template(string: &str, from: usize) -> Option<(usize, usize)> {
    let mut position = from;
    while let Some(offset) = string[position..].find(['$', '%']) {
        let start = position + offset;
        let sign = &string[start..=start];
        let after = &string[start + 1..];
        if after.starts_with('{') {
            let end = after.find('}').map_or(string.len(), |end| start + 1 + end + 1);
            return Some((start, end));
        }
        position = start + if after.starts_with(sign) { 2 } else { 1 };
    }
    None
}

fn scan_word(scanner: &mut Scanner) {
    let rest = scanner.rest();
    let length = rest.find(|letter: char| !is_word_part(letter)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    let token = if is_assigned(after) {
        Token::Key
    } else if word.contains('.') {
        Token::Variable
    } else if matches!(word, "true" | "false" | "null" | "for" | "in" | "if") || starts_block_or_call(after) {
        Token::Keyword
    } else {
        Token::Text
    };
    scanner.take(token, length);
}

/// Whether a single equals sign follows, so that the word before it is a key.
fn is_assigned(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    after.starts_with('=') && !after.starts_with("==")
}

/// Whether the word before is the type of a block, or the name of a function.
fn starts_block_or_call(after: &str) -> bool {
    after.starts_with('(') || after.trim_start_matches([' ', '\t']).starts_with(['{', '"'])
}

fn is_word_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn is_word_part(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')
}
