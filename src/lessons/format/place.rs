//! The places of problems in a lesson file.

use std::ops::Range;

use super::LessonError;

/// The text of a lesson file.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// Creates the error for the place `offset`, in bytes.
    pub(super) fn error(self, offset: usize, problem: impl Into<String>) -> LessonError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        LessonError::Invalid {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem: problem.into(),
        }
    }

    /// Creates the error for text that isn't TOML, or has other keys or types than a lesson.
    pub(super) fn toml_error(self, error: &toml::de::Error) -> LessonError {
        let message = error.message().trim().replace('\n', "; ");
        let hint = if message.contains("unknown field") {
            "; correct its name or remove it"
        } else if message.contains("sequence, expected a string") {
            "; if it belongs to the step, write it above [step.let]"
        } else if message.contains("missing field") {
            "; add it"
        } else {
            ""
        };
        self.error(error.span().map_or(0, |span| span.start), format!("{message}{hint}"))
    }

    /// Returns the offset of a column in the string at `span`, which includes its quotation marks.
    pub(super) fn offset_inside(self, span: Range<usize>, column: usize) -> usize {
        let start = span.start;
        let raw = self.text.get(span).unwrap_or_default();
        let marks = ["'''", "\"\"\"", "'", "\""].into_iter().find(|marks| raw.starts_with(marks)).unwrap_or_default();
        let mut inside = marks.len();
        // TOML ignores a line break after three quotation marks.
        if marks.len() == 3 && raw[inside..].starts_with('\n') {
            inside += 1;
        }
        let has_escapes = marks.starts_with('"');
        let mut characters = raw[inside..].char_indices();
        let mut offset = start + raw.len();
        for _ in 0..column {
            let Some((at, character)) = characters.next() else { return start + raw.len() };
            offset = start + inside + at;
            if has_escapes && character == '\\' {
                characters.next();
            }
        }
        offset
    }
}
