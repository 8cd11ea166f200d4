//! A text of several lines, around its cursor.

use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

use super::paper::Paper;
use super::text;
use crate::tui::theme;

/// Writes the part of a text around its cursor: `rows` lines or more, at most `most` when it is long.
pub fn write_area(paper: &mut Paper, area: &TextArea, is_focused: bool, most: usize, least: usize) {
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
