//! A position in a text, and the tokens before it.

use std::ops::Range;

use super::Token;

/// Reads a text from the start to the end.
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    tokens: Vec<(Token, Range<usize>)>,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner at the start of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0, tokens: Vec::new() }
    }

    /// Returns the text that isn't read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    /// Returns the next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads `bytes` bytes as a token. The end must be between characters.
    pub(super) fn take(&mut self, token: Token, bytes: usize) {
        let start = self.position;
        self.position += bytes;
        match self.tokens.last_mut() {
            Some((last, range)) if *last == token => range.end = self.position,
            _ if bytes == 0 => {}
            _ => self.tokens.push((token, start..self.position)),
        }
    }

    /// Reads one character as a token.
    pub(super) fn take_char(&mut self, token: Token) {
        self.take(token, self.peek().map_or(0, char::len_utf8));
    }

    /// Reads characters as a token for as long as `is_part` accepts them.
    pub(super) fn take_while(&mut self, token: Token, is_part: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.take(token, rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()));
    }

    /// Reads the rest of the line as a token, without the line break.
    pub(super) fn take_line(&mut self, token: Token) {
        self.take_while(token, |letter| letter != '\n');
    }

    /// Returns the length of the string in double quotes that starts here. It ends at the quote, or before the line
    /// break or the end of the text if it isn't closed.
    pub(super) fn quoted_length(&self) -> usize {
        let mut is_escaped = false;
        for (index, letter) in self.rest().char_indices().skip(1) {
            match letter {
                '\n' => return index,
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => return index + 1,
                _ => {}
            }
        }
        self.rest().len()
    }

    /// Returns the tokens by line, without the line breaks.
    pub(super) fn into_lines(self) -> Vec<Vec<(Token, Range<usize>)>> {
        let mut lines = vec![Vec::new()];
        for (token, range) in self.tokens {
            let mut start = range.start;
            for (index, part) in self.text[range].split('\n').enumerate() {
                if index > 0 {
                    lines.push(Vec::new());
                }
                if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
                    line.push((token, start..start + part.len()));
                }
                start += part.len() + 1;
            }
        }
        lines
    }
}
