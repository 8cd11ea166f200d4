//! The rows of a screen that differ, as lines of text.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::item::ReviewItem;
use crate::flow::golden::{RowChange, Screen};
use crate::text;
use crate::tui::theme;

/// The columns of the row number and the sign before each line.
pub(super) const LABEL_WIDTH: u16 = 7;

/// A line of the view: a label, which always stays in sight, and the text of a row.
#[derive(Clone, Debug)]
pub(super) struct DiffLine {
    pub(super) label: Span<'static>,
    pub(super) body: Line<'static>,
}

/// Returns the lines for the rows of an item that differ. Words are wrapped to `columns`.
pub(super) fn lines(item: &ReviewItem, columns: u16) -> Vec<DiffLine> {
    let (Some(old), Some(new)) = (&item.old, &item.new) else { return Vec::new() };
    let columns = usize::from(columns.saturating_sub(LABEL_WIDTH)).max(1);
    let mut lines = Vec::new();
    for change in &item.changes {
        let number = format!("{:>4}", change.row + 1);
        if change.expected.0 == change.actual.0 {
            let body = Line::raw(text::escape_controls(&change.actual.0));
            lines.push(DiffLine { label: Span::styled(format!("{number}   "), theme::SECONDARY), body });
        } else {
            let (old, new) = text_lines(change);
            lines.push(DiffLine { label: Span::styled(format!("{number} - "), theme::ERROR), body: old });
            lines.push(DiffLine { label: Span::styled(format!("{number} + "), theme::SUCCESS), body: new });
        }
        for words in style_changes(old, new, change.row) {
            for words in text::wrap(&format!("Style of {words}"), columns) {
                lines.push(DiffLine { label: Span::raw(""), body: Line::styled(words, theme::ACCENT) });
            }
        }
    }
    lines
}

/// Returns the old and the new text of a row. The part that differs is in reverse video.
fn text_lines(change: &RowChange) -> (Line<'static>, Line<'static>) {
    let (old, new) = (text::escape_controls(&change.expected.0), text::escape_controls(&change.actual.0));
    let same = |(one, other): &(&str, &str)| one == other;
    let start: usize = old.graphemes(true).zip(new.graphemes(true)).take_while(same).map(|(one, _)| one.len()).sum();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let ends = old_rest.graphemes(true).rev().zip(new_rest.graphemes(true).rev());
    let end: usize = ends.take_while(same).map(|(one, _)| one.len()).sum();
    let line = |text: &str, style: Style| {
        let (before, rest) = text.split_at(start);
        let (changed, after) = rest.split_at(rest.len() - end);
        let part = |text: &str, style| Span::styled(text.to_owned(), style);
        Line::from(vec![part(before, style), part(changed, style.patch(theme::FOCUS)), part(after, style)])
    };
    (line(&old, theme::ERROR), line(&new, theme::SUCCESS))
}

/// Describes the columns of a row whose style differs, such as `columns 1-7: bold, was default`.
fn style_changes(old: &Screen, new: &Screen, row: usize) -> Vec<String> {
    let (old, new) = (column_styles(old, row), column_styles(new, row));
    let style_at = |styles: &[&str], column: usize| match styles.get(column) {
        None | Some(&"") => "default".to_owned(),
        Some(style) => (*style).to_owned(),
    };
    let count = old.len().max(new.len());
    let pair = |column: usize| (style_at(&old, column), style_at(&new, column));
    let mut changes = Vec::new();
    let mut column = 0;
    while column < count {
        let (first, styles) = (column + 1, pair(column));
        while column < count && pair(column) == styles {
            column += 1;
        }
        let (was, is) = styles;
        if was != is {
            let columns = if first == column { format!("column {first}") } else { format!("columns {first}-{column}") };
            changes.push(format!("{columns}: {is}, was {was}"));
        }
    }
    changes
}

/// Returns the words for the style of each column of a row, up to the last one that isn't in the default style.
fn column_styles(screen: &Screen, row: usize) -> Vec<&str> {
    let mut columns = Vec::new();
    for run in screen.styles.iter().filter(|run| usize::from(run.row) == row) {
        let end = usize::from(run.last) + 1;
        if columns.len() < end {
            columns.resize(end, "");
        }
        if let Some(styled) = columns.get_mut(usize::from(run.first)..end) {
            styled.fill(run.style.as_str());
        }
    }
    columns
}
