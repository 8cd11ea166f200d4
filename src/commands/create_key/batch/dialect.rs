//! The CSV dialects that spreadsheets save: byte order mark, separator, line breaks.

use crate::text::{escape_controls, strip_byte_order_mark_bytes};

/// The separators that spreadsheets use, the most common first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A CSV file, ready to be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect<'a> {
    /// What separates the columns.
    pub separator: u8,
    /// The line number in the file, counted from 1, where `body` starts.
    pub first_line: u64,
    /// The contents of the file, starting with the header.
    pub body: &'a [u8],
}

impl<'a> Dialect<'a> {
    /// Detects the dialect of a file. The separator is the one in a first line such as `sep=;`, or else the most common
    /// separator in the header.
    ///
    /// # Errors
    /// The message for a file that isn't UTF-8, or for a `sep=` line that doesn't name a separator.
    pub fn detect(file: &'a [u8]) -> Result<Self, String> {
        if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
            return Err(format!("the file is encoded in UTF-16. {SAVE_AS_UTF_8}"));
        }
        let text = strip_byte_order_mark_bytes(file);
        let (first, rest) = split_line(text);
        match named_separator(first)? {
            Some(separator) => Ok(Self { separator, first_line: 2, body: rest }),
            None => Ok(Self { separator: detect_separator(text), first_line: 1, body: text }),
        }
    }

    /// Returns a line counter that starts at the body.
    pub fn line_counter(&self) -> LineCounter<'a> {
        LineCounter { rest: self.body, offset: 0, line: self.first_line }
    }

    /// Returns the name of the separator for messages.
    pub fn separator_name(&self) -> String {
        match self.separator {
            b',' => "comma".to_owned(),
            b';' => "semicolon".to_owned(),
            b'\t' => "tab".to_owned(),
            other => format!("\"{}\"", char::from(other)),
        }
    }
}

/// The remedy for a file in another encoding.
pub const SAVE_AS_UTF_8: &str = "Save it as \"CSV UTF-8\", then try again";

/// Splits the text into the first line, without its line break, and the rest.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(text.len());
    let (line, rest) = text.split_at(end);
    (line, &rest[line_break(rest)..])
}

/// Returns the length of the line break that `text` starts with: LF, CRLF, or CR.
fn line_break(text: &[u8]) -> usize {
    match text {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// Parses the separator in a line such as `sep=;`, which Excel reads and other programs write for Excel.
fn named_separator(line: &[u8]) -> Result<Option<u8>, String> {
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let Some((name, value)) = bare.split_at_checked(4).filter(|(name, _)| name.eq_ignore_ascii_case(b"sep=")) else {
        return Ok(None);
    };
    match value {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' || *byte == b'\t' => Ok(Some(*byte)),
        _ => Err(format!(
            "line 1: \"{}{}\" doesn't name a separator. Write \"sep=\" and one character, such as \"sep=;\"",
            String::from_utf8_lossy(name),
            escape_controls(&String::from_utf8_lossy(value)),
        )),
    }
}

/// Returns the most common separator in the header. A header with only one column has none.
fn detect_separator(text: &[u8]) -> u8 {
    let start = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(text.len());
    let (header, _) = split_line(&text[start..]);
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut is_quoted = false;
    for byte in header {
        is_quoted ^= *byte == b'"';
        if let Some(index) = SEPARATORS.iter().position(|separator| separator == byte && !is_quoted) {
            counts[index] += 1;
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    let pairs = SEPARATORS.into_iter().zip(counts);
    pairs.filter(|(_, count)| *count == most).map(|(separator, _)| separator).next().unwrap_or(b',')
}

/// Converts byte offsets into line numbers. The offsets must be in ascending order.
#[derive(Clone, Debug)]
pub struct LineCounter<'a> {
    rest: &'a [u8],
    offset: u64,
    line: u64,
}

impl LineCounter<'_> {
    /// Returns the line number of the record at `byte`. Empty lines before a record aren't part of it.
    pub fn line_at(&mut self, byte: u64) -> u64 {
        while let [first, ..] = self.rest {
            let is_break = matches!(first, b'\r' | b'\n');
            if self.offset >= byte && !is_break {
                break;
            }
            let length = line_break(self.rest).max(1);
            self.line += u64::from(is_break);
            self.offset += length as u64;
            self.rest = &self.rest[length..];
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separator_is_detected_from_the_header() {
        for (text, separator) in [
            ("alias,tag\n", b','),
            ("alias;tag\r\na;\"b,c\"", b';'),
            ("\u{feff}alias\ttag\n", b'\t'),
            ("\n\n\"alias\";\"a,b,c\"\n", b';'),
            ("alias", b','),
            ("", b','),
        ] {
            let dialect = Dialect::detect(text.as_bytes()).unwrap();
            assert_eq!((dialect.separator, dialect.first_line), (separator, 1), "{text:?}");
        }
    }

    #[test]
    fn sep_line_sets_the_separator() {
        for line in ["sep=;\n", "SEP=;\r\n", "\u{feff}\"sep=;\"\r"] {
            let file = format!("{line}alias,tag");
            let expected = Dialect { separator: b';', first_line: 2, body: b"alias,tag" };
            assert_eq!(Dialect::detect(file.as_bytes()), Ok(expected), "{line:?}");
        }
        for line in ["sep=", "sep=;;", "sep=x"] {
            let error = Dialect::detect(line.as_bytes()).unwrap_err();
            assert!(error.starts_with(&format!("line 1: \"{line}\" doesn't name a separator. ")), "{error}");
        }
    }

    #[test]
    fn utf_16_is_rejected_with_a_remedy() {
        for file in [b"\xff\xfea\0", b"\xfe\xff\0a"] {
            assert!(Dialect::detect(file).unwrap_err().contains("UTF-16. Save it as \"CSV UTF-8\""));
        }
    }

    #[test]
    fn line_counter_recognizes_every_line_break() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("sep=;{end}a{end}{end}b{end}c");
            let dialect = Dialect::detect(text.as_bytes()).unwrap();
            let mut lines = dialect.line_counter();
            let next = (1 + end.len()) as u64;
            assert_eq!(
                [0, next, next + 2 * end.len() as u64 + 1].map(|byte| lines.line_at(byte)),
                [2, 4, 5],
                "{end:?}"
            );
        }
    }
}
