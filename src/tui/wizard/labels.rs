//! Step *Alias and description*.

use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

use super::Wizard;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::text;

impl Wizard {
    pub(super) fn write_labels(&self, paper: &mut Paper, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        paper.gap();
        self.write_text_field(paper, Field::Alias, errors, "payments-key");
        if self.submission.key().is_some() {
            return;
        }
        paper.gap();
        self.write_field(paper, Field::Description, errors, |paper, is_focused| {
            let still = TextArea::from(self.draft.description.split('\n'));
            let area = if is_focused { &self.area } else { &still };
            write_area(paper, area, is_focused, 4, 3);
        });
    }
}

/// Writes the part of a text around its cursor: `rows` lines or more, at most `most` when it is long.
pub(super) fn write_area(paper: &mut Paper, area: &TextArea, is_focused: bool, most: usize, least: usize) {
    let lines = area.lines();
    let cursor = area.cursor();
    let (row, column) = (cursor.0, cursor.1);
    let shown = most.max(1);
    let top = row.saturating_sub(shown / 2).min(lines.len().saturating_sub(shown));
    let inner = paper.width.saturating_sub(5).max(4);
    let edge = if is_focused { theme::ACCENT } else { theme::QUIET };
    let number_of_rows = lines.len().clamp(least, shown.max(least));
    for index in top..top + number_of_rows {
        let line = lines.get(index).map(String::as_str).unwrap_or_default();
        let before: String = line.chars().take(column).collect();
        let before = text::width(&text::harmless(&before));
        let here = is_focused && index == row;
        let skip = if here { before.saturating_sub(inner - 1) } else { 0 };
        let shown: String = {
            let mut passed = 0;
            let mut kept = String::new();
            for grapheme in text::harmless(&line.replace('\t', "  ")).chars() {
                if passed >= skip {
                    kept.push(grapheme);
                }
                passed += text::width(grapheme.encode_utf8(&mut [0; 4]));
            }
            kept
        };
        paper.line(Line::from(vec![
            Span::raw("  "),
            Span::styled(if is_focused { "▌" } else { "▏" }, edge),
            Span::raw(text::fit(&shown, inner)),
            Span::styled(if is_focused { "▐" } else { "▕" }, edge),
        ]));
        if here {
            paper.cursor_at(3 + before - skip);
        }
    }
}
