//! Splits a tape into the tokens of VHS.

/// The characters that are tokens by themselves.
const SYMBOLS: &str = "@=][-%^\\+";

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word, which is a keyword or a string without quotes.
    Word,
    /// A string in quotes.
    Text,
    Number,
    /// A regular expression between slashes.
    Pattern,
    /// A JSON object up to its first closing brace, which can be on another line.
    Json,
    Comment,
    Symbol,
    /// A character that can't start a token.
    Illegal,
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    /// The token as it is written.
    pub raw: &'a str,
    /// The text without the quotes, slashes, or `#`.
    pub value: &'a str,
    /// The position in the tape, in bytes.
    pub start: usize,
    /// The line, starting at 1.
    pub line: usize,
    /// The position of the first character of the line, in bytes.
    pub line_start: usize,
    /// Whether only spaces are before it on its line.
    pub is_first_in_line: bool,
    /// Whether its closing quote, slash, or brace is there, if its kind has one.
    pub is_closed: bool,
}

impl Token<'_> {
    pub fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.raw == symbol
    }

    pub fn end(&self) -> usize {
        self.start + self.raw.len()
    }
}

/// Iterates over the tokens of a tape.
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
    line: usize,
    line_start: usize,
    is_first_in_line: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, position: 0, line: 1, line_start: 0, is_first_in_line: true }
    }

    fn skip_whitespace(&mut self) {
        for byte in self.text[self.position..].bytes() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.position + 1;
                    self.is_first_in_line = true;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => break,
            }
            self.position += 1;
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_whitespace();
        let rest = &self.text[self.position..];
        let (kind, length) = scan(rest)?;
        let raw = &rest[..length];
        let (value, is_closed) = match kind {
            Kind::Comment => (&raw[1..], true),
            // The braces are a part of the value.
            Kind::Json => (raw, raw.ends_with('}')),
            Kind::Text | Kind::Pattern => closed_value(kind, raw),
            Kind::Word | Kind::Number | Kind::Symbol | Kind::Illegal => (raw, true),
        };
        let token = Token {
            kind,
            raw,
            value,
            start: self.position,
            line: self.line,
            line_start: self.line_start,
            is_first_in_line: self.is_first_in_line,
            is_closed,
        };
        if let Some(last) = raw.rfind('\n') {
            self.line += raw.matches('\n').count();
            self.line_start = self.position + last + 1;
        }
        self.position += length;
        self.is_first_in_line = false;
        Some(token)
    }
}

/// Returns the kind and the length in bytes of the token at the start of `rest`.
fn scan(rest: &str) -> Option<(Kind, usize)> {
    let first = rest.chars().next()?;
    let is_digit = |character: char| character.is_ascii_digit();
    let length_while = |is_part: fn(char) -> bool| rest.find(|character| !is_part(character)).unwrap_or(rest.len());
    Some(match first {
        '#' => (Kind::Comment, line_length(rest)),
        '{' => (Kind::Json, rest.find('}').map_or(rest.len(), |end| end + 1)),
        '"' | '\'' | '`' => {
            let line = &rest[..line_length(rest)];
            (Kind::Text, line[1..].find(first).map_or(line.len(), |end| end + 2))
        }
        '/' => {
            let line = &rest[..line_length(rest)];
            (Kind::Pattern, pattern_end(line).map_or(line.len(), |end| end + 1))
        }
        _ if SYMBOLS.contains(first) => (Kind::Symbol, 1),
        _ if is_digit(first) || first == '.' && rest[1..].starts_with(is_digit) => {
            (Kind::Number, length_while(|character| character.is_ascii_digit() || character == '.'))
        }
        _ if first.is_ascii_alphabetic() || first == '.' => {
            (Kind::Word, length_while(|character| character.is_ascii_alphanumeric() || "._-/%".contains(character)))
        }
        _ => (Kind::Illegal, first.len_utf8()),
    })
}

/// Returns the length in bytes of the line at the start of `rest`. For VHS, a carriage return ends it, too.
fn line_length(rest: &str) -> usize {
    rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// Returns the position of the slash that closes the regular expression at the start of `line`.
fn pattern_end(line: &str) -> Option<usize> {
    let mut is_escaped = false;
    let position = line[1..].find(|character| {
        let closes = character == '/' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        closes
    });
    position.map(|position| position + 1)
}

/// Returns the text between the delimiters of `raw`, and whether the closing one is there.
fn closed_value(kind: Kind, raw: &str) -> (&str, bool) {
    let is_closed = match kind {
        Kind::Pattern => pattern_end(raw).is_some(),
        _ => raw.len() > 1 && raw.ends_with(&raw[..1]),
    };
    (if is_closed { &raw[1..raw.len() - 1] } else { &raw[1..] }, is_closed)
}
