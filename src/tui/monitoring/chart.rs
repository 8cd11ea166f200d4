//! Text charts: one column of block characters for each period, with a labeled axis.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Series;
use crate::tui::theme;

/// Blocks that fill one to eight eighths of a cell.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The width of the axis labels, in columns.
const LABEL_WIDTH: usize = 9;
/// The width of the axis left of the chart, in columns.
pub const AXIS_WIDTH: usize = LABEL_WIDTH + 2;

/// The maximum width of a period, in columns.
const MAX_COLUMN_WIDTH: usize = 5;

/// Returns how many eighths of `cells` cells a value fills. At least one, so that every recorded value is visible.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn eighths(value: f64, top: f64, cells: usize) -> usize {
    let all = cells * 8;
    let filled = if top > 0.0 { (value / top * all as f64).round() as usize } else { 0 };
    filled.clamp(1, all)
}

/// Returns the row of a value, counted from the bottom.
fn row_index(value: f64, top: f64, rows: usize) -> usize {
    (eighths(value, top, rows) - 1) / 8
}

/// A column chart.
pub struct Chart<'a> {
    /// The value of each column, or `None` without data.
    pub columns: &'a Series,
    /// A second series, drawn as dots above the columns.
    pub dots: Option<&'a Series>,
    /// The value of the upper edge.
    pub top: f64,
    /// The labels of the upper edge and the base line.
    pub labels: [String; 2],
    /// The value and the label of a horizontal limit line.
    pub limit: Option<(f64, String)>,
}

impl Chart<'_> {
    /// Returns the lines of the chart, `rows` high and at most `width` wide, and the width of a period in columns.
    pub fn lines(&self, rows: usize, width: usize) -> (Vec<Line<'static>>, usize) {
        let column_width = (width.saturating_sub(AXIS_WIDTH) / self.columns.len().max(1)).clamp(1, MAX_COLUMN_WIDTH);
        let limit = self.limit.as_ref().map(|(value, name)| (row_index(*value, self.top, rows), name));
        let lines = (0..rows).rev().map(|row| {
            let here = limit.filter(|(at, _)| *at == row);
            let label = match here {
                Some((_, name)) => name.as_str(),
                None if row + 1 == rows => &self.labels[0],
                None => "",
            };
            let mark = if label.is_empty() { '│' } else { '┤' };
            let mut spans = vec![Span::styled(format!("{label:>LABEL_WIDTH$} {mark}"), theme::SECONDARY)];
            for period in 0..self.columns.len() {
                let (cell, style) = self.cell(period, row, rows, here.is_some());
                let filler = match cell {
                    '•' if here.is_some() => '┄',
                    '•' => ' ',
                    column => column,
                };
                let cell: String = std::iter::once(cell).chain(std::iter::repeat_n(filler, column_width - 1)).collect();
                spans.push(Span::styled(cell, style));
            }
            Line::from(spans)
        });
        let mut lines: Vec<Line> = lines.collect();
        let axis = format!("{:>LABEL_WIDTH$} └{}", self.labels[1], "─".repeat(column_width * self.columns.len()));
        lines.push(Line::styled(axis, theme::SECONDARY));
        (lines, column_width)
    }

    fn cell(&self, period: usize, row: usize, rows: usize, has_limit: bool) -> (char, Style) {
        let filled = self.columns[period].map_or(0, |value| eighths(value, self.top, rows));
        let dot = self.dots.and_then(|dots| dots.get(period).copied().flatten());
        match filled.saturating_sub(row * 8) {
            0 if dot.is_some_and(|value| row_index(value, self.top, rows) == row) => ('•', theme::WARNING),
            0 if has_limit => ('┄', theme::WARNING),
            0 => (' ', theme::TEXT),
            more => (EIGHTHS[more.min(8) - 1], theme::ACCENT),
        }
    }
}

/// Returns a chart one cell high and at most `width` cells wide. Periods that share a cell are reduced with `best`.
pub fn sparkline(series: &Series, top: f64, width: usize, best: fn(f64, f64) -> f64) -> String {
    let share = series.len().div_ceil(width.max(1)).max(1);
    let cells = series.chunks(share).map(|chunk| {
        let value = chunk.iter().flatten().copied().reduce(best);
        value.map_or(' ', |value| EIGHTHS[eighths(value, top, 1) - 1])
    });
    cells.collect()
}

/// Returns a bar that fills the `share` of `width` columns.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub fn bar(share: f64, width: usize) -> String {
    "▇".repeat(((share * width as f64).round() as usize).clamp(1, width.max(1)))
}

/// Returns the smallest of 1, 2, 5, 10, 20, 50, and so on that is at least `value`.
pub fn round_up_axis(value: f64) -> f64 {
    let mut top = 1.0;
    while top < value {
        top *= 10.0;
    }
    [top / 5.0, top / 2.0].into_iter().find(|smaller| *smaller >= value.max(1.0)).unwrap_or(top)
}
