//! Code on a page: JSON, shell commands, and Terraform, in color, with line numbers and marks for changed lines.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::scroll_view::ScrollView;
use super::text;
use crate::text::highlight::{Language, Token, highlight};
use crate::tui::theme;

/// Code to show.
#[derive(Clone, Copy, Debug)]
pub struct CodeView<'a> {
    /// The language, which determines the colors.
    pub language: Language,
    /// The code.
    pub text: &'a str,
    /// Whether lines have numbers.
    pub has_line_numbers: bool,
    /// The numbers of the lines to mark as changed, from 1.
    pub changed_lines: &'a [usize],
}

impl<'a> CodeView<'a> {
    /// Creates a view without line numbers.
    pub fn new(language: Language, text: &'a str) -> Self {
        Self { language, text, has_line_numbers: false, changed_lines: &[] }
    }

    /// Adds line numbers.
    #[must_use]
    pub fn with_line_numbers(self) -> Self {
        Self { has_line_numbers: true, ..self }
    }

    /// Marks lines as changed, by their numbers from 1.
    #[must_use]
    pub fn with_changes(self, changed_lines: &'a [usize]) -> Self {
        Self { changed_lines, ..self }
    }

    /// Writes the code. Lines that are too long continue on the next row.
    pub fn write(&self, view: &mut ScrollView) {
        let digits = self.text.lines().count().max(1).to_string().len();
        let margin = if self.has_line_numbers { digits + 3 } else { 2 };
        let room = view.width.saturating_sub(margin + 1).max(8);
        for (number, parts) in styled_lines(self.language, self.text).enumerate() {
            let is_changed = self.changed_lines.contains(&(number + 1));
            for (row, spans) in wrap(parts, room, |_, style| style).into_iter().enumerate() {
                let mark = if is_changed { "▌" } else { " " };
                let label = match (self.has_line_numbers, row) {
                    (false, _) => String::new(),
                    (true, 0) => format!("{:>digits$} ", number + 1),
                    (true, _) => " ".repeat(digits + 1),
                };
                let lead = [Span::styled(mark, theme::ACCENT), Span::styled(label, theme::SECONDARY), Span::raw(" ")];
                view.push_line(lead.into_iter().chain(spans).collect::<Line>());
                if self.changed_lines.first() == Some(&(number + 1)) {
                    view.focus_last_line();
                }
            }
        }
    }
}

/// Returns the style of a token.
fn token_style(token: Token) -> Style {
    match token {
        Token::Key | Token::Option => theme::ACCENT,
        Token::String => theme::INFO,
        Token::Number | Token::Variable => theme::VALUE,
        Token::Keyword => theme::HEADING,
        Token::Comment => theme::SECONDARY,
        Token::Added => theme::SUCCESS,
        Token::Removed => theme::ERROR,
        Token::Punctuation | Token::Text => theme::TEXT,
    }
}

/// Returns the styled parts of each line of a text: of each part of `text.split('\n')`.
pub fn styled_lines(language: Language, text: &str) -> impl Iterator<Item = Vec<(Style, &str)>> {
    text.split('\n').zip(highlight(language, text)).map(|(line, tokens)| {
        let start = tokens.first().map_or(0, |(_, range)| range.start);
        let styled = |(token, range): (Token, Range<usize>)| {
            let part = line.get(range.start.checked_sub(start)?..range.end.checked_sub(start)?)?;
            Some((token_style(token), part))
        };
        tokens.into_iter().filter_map(styled).collect()
    })
}

/// Splits the styled parts of a line into rows of at most `room` columns, with control characters escaped. `restyle`
/// returns the style of a part of the line that is shown, from its bytes in the escaped line and its own style.
pub fn wrap<'a>(
    parts: impl IntoIterator<Item = (Style, &'a str)>,
    room: usize,
    restyle: impl Fn(Range<usize>, Style) -> Style,
) -> Vec<Vec<Span<'static>>> {
    let (mut rows, mut used, mut start) = (vec![Vec::<Span>::new()], 0, 0);
    for (style, part) in parts {
        for grapheme in text::escape_controls(part).graphemes(true) {
            let style = restyle(start..start + grapheme.len(), style);
            start += grapheme.len();
            let wide = text::width(grapheme);
            if used + wide > room {
                rows.push(Vec::new());
                used = 0;
            }
            used += wide;
            let Some(row) = rows.last_mut() else { continue };
            match row.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push_str(grapheme),
                _ => row.push(Span::styled(grapheme.to_owned(), style)),
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(code: CodeView, width: u16) -> Vec<String> {
        let mut view = ScrollView::new(width);
        code.write(&mut view);
        view.lines().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_are_numbered_and_long_ones_continue_below() {
        let code = CodeView::new(Language::Json, "{\n  \"Sid\": \"Allow use of the key\"\n}").with_line_numbers();
        let lines = [" 1  {", " 2    \"Sid\": \"Allow use o", "    f the key\"", " 3  }"];
        assert_eq!(written(code, 26), lines);
    }

    #[test]
    fn changed_lines_have_a_mark() {
        let code = CodeView::new(Language::Shell, "aws kms\n  --region x").with_changes(&[2]);
        assert_eq!(written(code, 40), ["  aws kms", "▌   --region x"]);
    }
}
