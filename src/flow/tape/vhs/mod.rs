//! Checks whether VHS accepts a tape.
//!
//! The grammar is that of the lexer and the parser of VHS. The values of settings that VHS checks only while it plays a
//! tape are not checked here.

mod arguments;
mod grammar;
mod lexer;
mod messages;
mod regexp;
#[cfg(test)]
mod tests;

use std::iter::Peekable;

use grammar::{Arguments, SettingValue, arguments_of, quote, setting};
use lexer::{Kind, Lexer, Token};
use messages::{describe_unclosed, describe_unknown_word};

/// A place in a tape that VHS doesn't accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct VhsError {
    /// The line, starting at 1.
    pub line: usize,
    /// The column in characters, starting at 1.
    pub column: usize,
    /// What is wrong, and how to write it.
    pub problem: String,
}

/// Checks whether VHS accepts the tape `text`. Returns the first error of each line.
///
/// The file of a `Source` isn't opened. Four things are errors although VHS accepts them, because VHS then reads
/// something else than the lines show:
///
/// - a string, regular expression, or JSON object without its closing delimiter
/// - a word at the start of a line that VHS reads as an argument of the command before, such as `Home` after
///   `Type "a"`, because VHS ignores line breaks
/// - a comment in the place of an argument
/// - a NUL character, at which VHS stops
pub(super) fn check(text: &str) -> Vec<VhsError> {
    let (read_text, nul) = text.split_once('\0').map_or((text, None), |(before, _)| (before, Some(before.len())));
    let mut parser = Parser { text: read_text, tokens: Lexer::new(read_text).peekable(), previous: None };
    let mut errors = parser.check_tape();
    if let Some(position) = nul {
        let line_start = read_text.rfind('\n').map_or(0, |end| end + 1);
        errors.push(VhsError {
            line: read_text.matches('\n').count() + 1,
            column: text[line_start..position].chars().count() + 1,
            problem: "VHS stops reading at a NUL character; remove it".into(),
        });
    }
    errors
}

/// A problem at a token.
struct Problem<'a> {
    at: Token<'a>,
    text: String,
}

impl<'a> Problem<'a> {
    fn new(at: Token<'a>, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

/// The last command without a problem.
#[derive(Clone, Copy)]
struct Previous<'a> {
    command: Token<'a>,
    arguments: Arguments,
    /// The last token that belongs to the command.
    last: Token<'a>,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Peekable<Lexer<'a>>,
    previous: Option<Previous<'a>>,
}

impl<'a> Parser<'a> {
    fn check_tape(&mut self) -> Vec<VhsError> {
        let mut errors = Vec::new();
        while let Some(token) = self.tokens.next() {
            if token.kind == Kind::Comment {
                continue;
            }
            if let Err(Problem { at, text }) = self.command(token) {
                let column = self.text[at.line_start..at.start].chars().count() + 1;
                errors.push(VhsError { line: at.line, column, problem: text });
                self.previous = None;
                // Later tokens of the line mostly belong to the same mistake.
                while self.tokens.next_if(|next| next.line == at.line).is_some() {}
            }
        }
        errors
    }

    fn command(&mut self, command: Token<'a>) -> Result<(), Problem<'a>> {
        let arguments = Some(command.raw).filter(|_| command.kind == Kind::Word).and_then(arguments_of);
        let Some(arguments) = arguments else {
            return Err(Problem::new(command, self.describe_unknown_command(command)));
        };
        let last = match arguments {
            Arguments::Nothing => command,
            Arguments::Key => self.key(command)?,
            Arguments::Ctrl => self.ctrl(command)?,
            Arguments::AltOrShift => self.alt_or_shift(command)?,
            Arguments::Type => {
                self.at_time()?;
                self.strings(command)?
            }
            Arguments::Strings => self.strings(command)?,
            Arguments::String => self.string(command, "a string")?,
            Arguments::Path(rule) => self.path(command, rule)?,
            Arguments::Env => self.env(command)?,
            Arguments::Time => self.time(command)?,
            Arguments::Wait => self.wait(command)?,
            Arguments::Setting => self.set(command)?,
        };
        self.previous = Some(Previous { command, arguments, last });
        Ok(())
    }

    /// Returns the next token if it can be an argument: not a comment, and not a word at the start of a line.
    fn peek_argument(&mut self) -> Option<Token<'a>> {
        let is_argument =
            |token: &&Token<'a>| token.kind != Kind::Comment && !(token.kind == Kind::Word && token.is_first_in_line);
        self.tokens.peek().filter(is_argument).copied()
    }

    /// Takes the next token if it is an argument with this property.
    fn take_if(&mut self, accept: impl FnOnce(&Token<'a>) -> bool) -> Result<Option<Token<'a>>, Problem<'a>> {
        let Some(token) = self.peek_argument().filter(accept) else { return Ok(None) };
        self.tokens.next();
        if token.is_closed {
            return Ok(Some(token));
        }
        Err(Problem::new(token, describe_unclosed(token)))
    }

    /// Returns the problem that `command` has no argument, or that the next token isn't the right one.
    fn missing(&mut self, command: Token<'a>, needed: &str) -> Problem<'a> {
        match self.peek_argument().filter(|found| found.line == command.line) {
            Some(found) => {
                let name = command.raw;
                Problem::new(found, format!("{name} needs {needed}, not `{}`", self.written(found)))
            }
            None => Problem::new(command, format!("{} needs {needed}", command.raw)),
        }
    }

    /// Returns the characters from the start of `token` to the next space.
    fn written(&self, token: Token<'a>) -> &'a str {
        let rest = &self.text[token.start..];
        &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())]
    }

    fn describe_unknown_command(&self, token: Token<'a>) -> String {
        let written = self.written(token);
        let raw = token.raw.lines().next().unwrap_or_default();
        if raw == "\u{feff}" {
            return "VHS doesn't accept a byte order mark; save the tape without it".into();
        }
        let previous = self.previous.filter(|previous| previous.last.line == token.line);
        let word = Some(token.raw).filter(|_| token.kind == Kind::Word);
        if let Some(text) = word.and_then(describe_unknown_word) {
            return text;
        }
        if let Some(text) = previous.and_then(|previous| self.describe_rest(previous, token)) {
            return text;
        }
        match token.kind {
            _ if !token.is_closed => describe_unclosed(token),
            Kind::Text => format!("a text is not a command; write Type {raw} to type it"),
            Kind::Word => format!("VHS has no command `{raw}`; write Type {} to type it", quote(raw)),
            _ => format!("VHS expects a command here, not `{written}`; write Type {} to type it", quote(written)),
        }
    }

    /// Describes `token`, which follows a complete command on its line.
    fn describe_rest(&self, previous: Previous<'a>, token: Token<'a>) -> Option<String> {
        let name = previous.command.raw;
        let is_adjacent = previous.last.end() == token.start;
        let command = &self.text[previous.command.start..previous.last.end()];
        Some(match (previous.arguments, token.kind) {
            (Arguments::Nothing, _) => format!("{name} takes no argument, such as `{}`", self.written(token)),
            (Arguments::Key, Kind::Word) if is_adjacent => {
                format!(
                    "a count has no unit; write {name} 3 to press the key 3 times, or {name}@500ms to wait after it"
                )
            }
            (Arguments::Ctrl | Arguments::AltOrShift, Kind::Number) => {
                format!("VHS can't repeat {command}; write it several times")
            }
            (Arguments::Wait, Kind::Text) => {
                format!("{name} needs a regular expression between slashes, such as /{}/", token.value)
            }
            (_, _) if token.is("@") => format!("{name} takes no time after @; remove it"),
            (Arguments::AltOrShift, _) if token.is("+") => format!("{name} takes only one key"),
            (Arguments::Time | Arguments::Wait | Arguments::Setting, Kind::Word)
                if is_adjacent && previous.last.kind == Kind::Number =>
            {
                match setting(self.text[previous.command.end()..].split_whitespace().next().unwrap_or_default()) {
                    Some(SettingValue::TypingSpeed) => {
                        format!("TypingSpeed has no unit `{}`; write ms or s", token.raw)
                    }
                    Some(SettingValue::Time) | None => {
                        format!("VHS has no unit of time `{}`; write ms, s, or m", token.raw)
                    }
                    Some(_) => format!("this setting has no unit; remove `{}`", token.raw),
                }
            }
            (
                Arguments::Type
                | Arguments::Strings
                | Arguments::String
                | Arguments::Path(_)
                | Arguments::Env
                | Arguments::Setting,
                _,
            ) => format!("the value of {name} ends before `{}`; write all of it in quotes", self.written(token)),
            _ => return None,
        })
    }
}
