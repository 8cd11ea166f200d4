//! Draws a review: the item, one of its views, and the keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::diff::{self, DiffLine, LABEL_WIDTH};
use super::item::{Decision, ItemKind, ReviewItem};
use super::{Review, View};
use crate::flow::golden::{Screen, StyleRun, golden_path};
use crate::text;
use crate::tui::theme;

/// The smallest terminal in which a screen can be reviewed, in columns and rows.
const MIN_SIZE: (u16, u16) = (60, 12);

/// Whether a review can be drawn at this size.
pub(super) fn fits(size: Size) -> bool {
    size.width >= MIN_SIZE.0 && size.height >= MIN_SIZE.1
}

/// What the middle of the terminal shows.
enum Content<'a> {
    Screen(&'a Screen),
    Lines(Vec<DiffLine>),
    /// There is no such screen.
    Words(String),
}

/// Draws the current item of the review.
pub fn draw(review: &Review, frame: &mut Frame) {
    let area = frame.area();
    if !fits(area.as_size()) {
        let words = format!("Enlarge to {}x{}. Ctrl-C cancels.", MIN_SIZE.0, MIN_SIZE.1);
        let words = Line::raw(text::truncate(&words, area.width.into()));
        return frame.render_widget(words, Rect { height: area.height.min(1), ..area });
    }
    let Some((index, item)) = review.current() else { return };
    let rows = [1, 1, 1].map(Constraint::Length).into_iter().chain([Constraint::Min(1)]);
    let rows = rows.chain([1, 1].map(Constraint::Length)).collect::<Vec<_>>();
    let [title, place, tabs, body, rule, footer] = Layout::vertical(rows).areas(area);
    draw_title(review, index, item, frame, title);
    let words = format!(" {} · {}", text::escape_controls(&item.place), item.summary());
    frame.render_widget(Line::styled(text::truncate(&words, place.width.into()), theme::SECONDARY), place);
    let content = content(item, review.view(), body.width);
    let shown = draw_content(&content, review, frame, body);
    draw_tabs(review.view(), &shown.words, frame, tabs);
    draw_rule(&shown.hints, frame, rule);
    draw_footer(frame, footer);
}

fn draw_title(review: &Review, index: usize, item: &ReviewItem, frame: &mut Frame, area: Rect) {
    let (decision, style) = match item.decision {
        None => ("Undecided", theme::WARNING),
        Some(Decision::Accepted) => ("Accepted", theme::SUCCESS),
        Some(Decision::Rejected) => ("Rejected", theme::ERROR),
    };
    let position = format!(" Item {} of {} · ", index + 1, review.items().len());
    let path = item.path.display().to_string();
    let short = item.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let title = |path: &str| match item.size {
        Some((width, height)) => format!("{path} at {width}x{height} · {}", item.name),
        None => format!("golden file {path}"),
    };
    let room = usize::from(area.width).saturating_sub(text::width(&position) + text::width(decision) + 2);
    let title = [title(&path), title(&short)].map(|words| text::escape_controls(&words));
    let title = title.iter().find(|words| text::width(words) <= room).unwrap_or(&title[1]);
    let line = vec![
        Span::styled(position, theme::SECONDARY),
        Span::styled(text::fit(title, room), theme::HEADING),
        Span::raw(" "),
        Span::styled(decision, style.patch(theme::HEADING)),
    ];
    frame.render_widget(Line::from(line), area);
}

/// Returns what a view of an item shows.
fn content(item: &ReviewItem, view: View, columns: u16) -> Content<'_> {
    let golden = match item.size {
        Some(size) => golden_path(&item.path, size).display().to_string(),
        None => item.place.clone(),
    };
    match (view, &item.new, &item.old) {
        (View::Diff, Some(_), Some(_)) => Content::Lines(diff::lines(item, columns)),
        // Without another screen to compare it with, the view of the differences shows the whole screen.
        (View::New | View::Diff, Some(screen), _) | (View::Old | View::Diff, _, Some(screen)) => {
            Content::Screen(screen)
        }
        (View::New, None, _) if item.kind == ItemKind::LeftOverFile => {
            Content::Words("No tape takes the screens of this golden file.".to_owned())
        }
        (View::New, None, _) => Content::Words(format!("The tape doesn't take the screen {}.", item.name)),
        (_, _, None) => Content::Words(format!("{golden} doesn't have the screen {}.", item.name)),
    }
}

/// The part of the content that is in sight, and the keys that show the rest.
#[derive(Default)]
struct Shown {
    words: String,
    hints: Vec<(&'static str, &'static str)>,
}

fn draw_content(content: &Content<'_>, review: &Review, frame: &mut Frame, area: Rect) -> Shown {
    let (rows, columns, label) = match content {
        Content::Words(words) => {
            let lines = text::wrap(&format!(" {}", text::escape_controls(words)), area.width.into());
            frame.render_widget(Paragraph::new(lines.join("\n")).style(theme::SECONDARY), area);
            return Shown::default();
        }
        Content::Screen(screen) => (screen.rows.len(), screen_width(screen), 0),
        Content::Lines(lines) => {
            (lines.len(), lines.iter().map(|line| line.body.width()).max().unwrap_or(0), LABEL_WIDTH)
        }
    };
    let (height, width) = (usize::from(area.height), usize::from(area.width - label));
    let position = review.position();
    let top = position.rows.update_viewport(0, rows, height);
    let left = position.columns.update_viewport(0, columns, width);
    for (y, row) in (area.y..area.bottom()).zip(top..rows) {
        let area = Rect { y, height: 1, ..area };
        match content {
            Content::Screen(screen) => draw_row(screen, row, left, frame, area),
            Content::Lines(lines) => draw_diff_line(&lines[row], left, frame, area),
            Content::Words(_) => {}
        }
    }
    let what = if matches!(content, Content::Lines(_)) { "Lines" } else { "Rows" };
    let range = |first: usize, room: usize, all: usize| format!("{}-{} of {all}", first + 1, all.min(first + room));
    let (mut words, mut hints) = (Vec::new(), Vec::new());
    if rows > height {
        words.push(format!("{what} {}", range(top, height, rows)));
        hints.extend([("↑/↓", "Scroll"), ("PgUp/PgDn", "Page")]);
    }
    if columns > width {
        words.push(format!("Columns {}", range(left, width, columns)));
        hints.push(("</>", "Columns"));
    }
    Shown { words: words.join(" · "), hints }
}

fn screen_width(screen: &Screen) -> usize {
    let styled = screen.styles.iter().map(|run| usize::from(run.last) + 1).max().unwrap_or(0);
    screen.rows.iter().map(|row| text::width(row)).max().unwrap_or(0).max(styled)
}

/// Draws a row of a screen from its column `left`.
fn draw_row(screen: &Screen, row: usize, left: usize, frame: &mut Frame, area: Rect) {
    let runs = screen.styles.iter().filter(|run| usize::from(run.row) == row);
    let styles = runs.map(|run| StyleRun { row: 0, ..run.clone() }).collect();
    let single = Screen { rows: screen.rows.get(row).cloned().into_iter().collect(), styles };
    let left = u16::try_from(left).unwrap_or(u16::MAX);
    let buffer = single.to_buffer((left.saturating_add(area.width), 1));
    let target = frame.buffer_mut();
    for x in 0..area.width {
        let cells = (buffer.cell((left.saturating_add(x), 0)), target.cell_mut((area.x + x, area.y)));
        if let (Some(cell), Some(target)) = cells {
            target.clone_from(cell);
        }
    }
}

fn draw_diff_line(line: &DiffLine, left: usize, frame: &mut Frame, area: Rect) {
    let [label, body] = Layout::horizontal([Constraint::Length(LABEL_WIDTH), Constraint::Min(1)]).areas(area);
    frame.render_widget(&line.label, label);
    let left = u16::try_from(left).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(line.body.clone()).scroll((0, left)), body);
}

/// Draws the views and the part of the content that is in sight, in a rule above the content.
fn draw_tabs(current: View, shown: &str, frame: &mut Frame, area: Rect) {
    let mut spans = vec![Span::styled("─", theme::SECONDARY)];
    for (number, view) in (1..).zip(View::ALL) {
        let style = if view == current { theme::FOCUS } else { theme::TEXT };
        spans.push(Span::styled(format!(" {number}"), theme::ACCENT.patch(style)));
        spans.push(Span::styled(format!(" {} ", view.word()), style));
        spans.push(Span::styled("─", theme::SECONDARY));
    }
    let shown = if shown.is_empty() { String::new() } else { format!(" {shown} ─") };
    fill_rule(&mut spans, text::width(&shown), area);
    spans.push(Span::styled(shown, theme::SECONDARY));
    frame.render_widget(Line::from(spans), area);
}

/// Draws the keys that scroll, in a rule below the content.
fn draw_rule(hints: &[(&str, &str)], frame: &mut Frame, area: Rect) {
    let mut words = Vec::new();
    for (key, title) in hints {
        words.push(Span::raw(if words.is_empty() { " " } else { "  " }));
        words.push(Span::styled((*key).to_owned(), theme::ACCENT));
        words.push(Span::styled(format!(" {title}"), theme::SECONDARY));
    }
    words.extend((!hints.is_empty()).then(|| Span::raw(" ")));
    let mut spans = Vec::new();
    fill_rule(&mut spans, words.iter().map(Span::width).sum::<usize>() + 1, area);
    spans.extend(words);
    spans.push(Span::styled("─", theme::SECONDARY));
    frame.render_widget(Line::from(spans), area);
}

/// Adds a rule that leaves `columns` of the row free.
fn fill_rule(spans: &mut Vec<Span<'_>>, columns: usize, area: Rect) {
    let used: usize = spans.iter().map(Span::width).sum();
    let length = usize::from(area.width).saturating_sub(used + columns);
    spans.push(Span::styled("─".repeat(length), theme::SECONDARY));
}

/// The keys of the footer. Those that end the review are always shown.
const KEYS: [(&str, &str); 7] = [
    ("a", "Accept"),
    ("r", "Reject"),
    ("A", "Accept tape"),
    ("←/→", "Item"),
    ("Tab", "View"),
    ("q", "Finish"),
    ("Ctrl-C", "Cancel"),
];

fn draw_footer(frame: &mut Frame, area: Rect) {
    let columns = |(key, title): &(&str, &str)| text::width(key) + text::width(title) + 3;
    let is_kept = |(key, _): &(&str, &str)| ["a", "r", "q", "Ctrl-C"].contains(key);
    // No spaces follow the last one.
    let mut room =
        usize::from(area.width + 1).saturating_sub(KEYS.iter().filter(|key| is_kept(key)).map(columns).sum());
    let mut spans = vec![Span::raw(" ")];
    for key in &KEYS {
        if !is_kept(key) {
            match room.checked_sub(columns(key)) {
                Some(rest) => room = rest,
                None => continue,
            }
        }
        spans.push(Span::styled(key.0, theme::ACCENT));
        spans.push(Span::styled(format!(" {}  ", key.1), theme::SECONDARY));
    }
    frame.render_widget(Line::from(spans), area);
}
