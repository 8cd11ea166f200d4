//! The tokens of a line of a tape.

/// A token of a line.
pub(super) enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Pattern(&'a str),
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Pattern(pattern) => write!(f, "/{pattern}/"),
        }
    }
}

/// The tokens of a line, one after the other.
pub(super) struct Tokens<'a> {
    line: &'a str,
    rest: &'a str,
    token: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, rest: line, token: line }
    }

    /// Returns the column in characters, starting at 1, at which the current token begins.
    pub(super) fn column(&self) -> usize {
        self.line[..self.line.len() - self.token.len()].chars().count() + 1
    }

    /// Returns the next token, or `None` at the end of the line or at a comment.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, String> {
        self.rest = self.rest.trim_start();
        self.token = self.rest;
        match self.rest.chars().next() {
            None => Ok(None),
            Some('#') => {
                self.rest = "";
                Ok(None)
            }
            Some(quote @ ('"' | '\'' | '`')) => {
                let inside = &self.rest[1..];
                let end = inside.find(quote).ok_or_else(|| format!("the text has no closing {quote}"))?;
                self.rest = &inside[end + 1..];
                Ok(Some(Token::Text(&inside[..end])))
            }
            Some('/') => {
                let inside = &self.rest[1..];
                let mut escaped = false;
                let end = inside.find(|character| {
                    let closes = character == '/' && !escaped;
                    escaped = character == '\\' && !escaped;
                    closes
                });
                let end = end.ok_or("the regular expression has no closing /")?;
                self.rest = &inside[end + 1..];
                Ok(Some(Token::Pattern(&inside[..end])))
            }
            Some(_) => {
                let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                Ok(Some(Token::Word(word)))
            }
        }
    }

    /// Returns the next token, which must be a word or quoted text.
    pub(super) fn value(&mut self, command: &str) -> Result<&'a str, String> {
        match self.next()? {
            Some(Token::Word(value) | Token::Text(value)) => Ok(value),
            Some(other) => Err(format!("{command} needs a value, not {other}")),
            None => Err(format!("{command} needs a value")),
        }
    }

    /// Returns the next token, which must be quoted text.
    pub(super) fn quoted_text(&mut self, command: &str) -> Result<&'a str, String> {
        match self.next()? {
            Some(Token::Text(text)) => Ok(text),
            Some(other) => Err(format!("{command} needs text in quotes, not {other}")),
            None => Err(format!("{command} needs text in quotes")),
        }
    }

    /// Returns the next token if it is a regular expression.
    pub(super) fn pattern(&mut self) -> Result<Option<&'a str>, String> {
        let before = self.rest;
        let Some(Token::Pattern(pattern)) = self.next()? else {
            self.rest = before;
            return Ok(None);
        };
        Ok(Some(pattern))
    }

    /// Returns the next token as a number if it is a number of at most `max`.
    pub(super) fn number(&mut self, max: usize) -> Result<Option<usize>, String> {
        let before = self.rest;
        let is_number = |word: &str| word.chars().all(|character| character.is_ascii_digit());
        match self.next()? {
            Some(Token::Word(word)) if is_number(word) => match word.parse() {
                Ok(count) if count <= max => Ok(Some(count)),
                _ => Err(format!("{word} is too large; use a number of at most {max}")),
            },
            _ => {
                self.rest = before;
                Ok(None)
            }
        }
    }

    /// Returns the rest of the line, which can contain any characters.
    pub(super) fn rest(&mut self) -> &'a str {
        self.token = self.rest.trim_start();
        std::mem::take(&mut self.rest).trim()
    }

    /// Requires that the line ends here.
    pub(super) fn end(&mut self) -> Result<(), String> {
        match self.next()? {
            Some(token) => Err(format!("remove {token}")),
            None => Ok(()),
        }
    }
}
