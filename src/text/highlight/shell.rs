//! Commands of a POSIX shell.

use super::Token;
use super::scanner::Scanner;

/// Characters that end a word outside quotes.
const WORD_ENDS: &str = " \t\n'\"\\$`;|&<>()#";

pub(super) fn scan(scanner: &mut Scanner) {
    let mut place = Place::Command;
    while let Some(letter) = scanner.peek() {
        place = match letter {
            '\n' => {
                scanner.take_char(Token::Text);
                Place::Command
            }
            ' ' | '\t' => {
                scanner.take_char(Token::Text);
                place.after_space()
            }
            // A backslash at the end of a line continues the command.
            '\\' => {
                let escaped = scanner.rest()[1..].chars().next();
                let is_line_end = escaped.is_none_or(|letter| letter == '\n');
                let token = if is_line_end { Token::Punctuation } else { Token::String };
                scanner.take(token, 1);
                scanner.take_char(if is_line_end { Token::Text } else { token });
                if is_line_end { place.after_space() } else { Place::InWord }
            }
            '#' if place != Place::InWord => {
                scanner.take_line(Token::Comment);
                place
            }
            ';' | '|' | '&' | '(' | ')' | '<' | '>' | '`' => {
                scanner.take_char(Token::Punctuation);
                if matches!(letter, ')' | '<' | '>') { Place::Argument } else { Place::Command }
            }
            '\'' => {
                let end = scanner.rest()[1..].find('\'').map_or(scanner.rest().len(), |end| end + 2);
                scanner.take(Token::String, end);
                Place::InWord
            }
            '"' => {
                scan_double_quotes(scanner);
                Place::InWord
            }
            '$' => scan_dollar(scanner),
            _ => scan_word(scanner, place),
        }
    }
}

/// Where the next word is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the name of a command.
    Command,
    /// At an argument.
    Argument,
    /// Inside a word.
    InWord,
}

impl Place {
    fn after_space(self) -> Self {
        if self == Self::InWord { Self::Argument } else { self }
    }
}

fn scan_word(scanner: &mut Scanner, place: Place) -> Place {
    let rest = scanner.rest();
    let is_end = |(index, letter): &(usize, char)| WORD_ENDS.contains(*letter) && (*letter != '#' || *index == 0);
    let end = rest.char_indices().find(is_end).map_or(rest.len(), |(index, _)| index);
    let word = &rest[..end.max(rest.chars().next().map_or(0, char::len_utf8))];
    let token = match place {
        Place::Argument if word.starts_with('-') => return scan_option(scanner, word),
        Place::Command => match word.split_once('=') {
            Some((name, _)) if is_name(name) => {
                scanner.take(Token::Variable, name.len());
                scanner.take(Token::Punctuation, 1);
                return Place::Command;
            }
            _ => Token::Keyword,
        },
        Place::Argument | Place::InWord => Token::Text,
    };
    scanner.take(token, word.len());
    Place::InWord
}

fn scan_option(scanner: &mut Scanner, word: &str) -> Place {
    let name = word.split('=').next().unwrap_or(word);
    scanner.take(Token::Option, name.len());
    if name.len() < word.len() {
        scanner.take(Token::Punctuation, 1);
        scanner.take(Token::Text, word.len() - name.len() - 1);
    }
    Place::InWord
}

fn scan_double_quotes(scanner: &mut Scanner) {
    scanner.take_char(Token::String);
    while let Some(letter) = scanner.peek() {
        match letter {
            '"' => return scanner.take_char(Token::String),
            '\\' => {
                scanner.take_char(Token::String);
                scanner.take_char(Token::String);
            }
            '$' => {
                scan_dollar(scanner);
            }
            _ => scanner.take_char(Token::String),
        }
    }
}

/// Reads `$NAME` or `${…}` as a variable, and `$(` as the start of a command.
fn scan_dollar(scanner: &mut Scanner) -> Place {
    let after = &scanner.rest()[1..];
    if after.starts_with('(') {
        scanner.take(Token::Punctuation, 2);
        return Place::Command;
    }
    let length = if after.starts_with('{') {
        after.find(['}', '\n']).map_or(after.len(), |end| if after[end..].starts_with('}') { end + 1 } else { end })
    } else {
        after.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(after.len())
    };
    scanner.take(if length == 0 { Token::Text } else { Token::Variable }, length + 1);
    Place::InWord
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
