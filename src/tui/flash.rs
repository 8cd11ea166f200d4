//! Flash messages at the top of the page.

use crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::error_report::ErrorDetails;
use super::pages::Location;
use super::text_view::TextView;
use super::theme;
use super::widgets::canvas::{Canvas, Click};
use super::widgets::text;

/// The label that closes the newest message.
const CLOSE: &str = "[Esc] Close";
/// The gap before each label.
const GAP: &str = "   ";
/// The maximum number of text lines of a message, below its title.
const MAX_LINES: usize = 2;

/// A message at the top of the page. A success message disappears with the next action. A failure stays until it is
/// closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Whether it reports a success.
    pub is_success: bool,
    /// The title.
    pub title: String,
    /// The message text.
    pub text: String,
    /// The links to more details.
    pub links: Vec<Link>,
}

/// A link of a message: its label and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Opens a page.
    Page(&'static str, Location),
    /// Opens a text view.
    Text(&'static str, TextView),
    /// Opens the dialog that tries the key with this ID.
    TryKey(&'static str, String),
}

impl Link {
    fn label(&self) -> &'static str {
        match self {
            Self::Page(words, _) | Self::Text(words, _) | Self::TryKey(words, _) => words,
        }
    }

    /// Returns the key that opens the link.
    pub fn key(&self) -> char {
        match self {
            Self::Page(..) | Self::Text(..) => 'v',
            Self::TryKey(..) => 't',
        }
    }
}

impl Flash {
    /// Creates a success message.
    pub fn success(title: &str, text: String) -> Self {
        Self { is_success: true, title: title.to_owned(), text, links: Vec::new() }
    }

    /// Creates a failure message with a link that shows the full text.
    pub fn failure(title: &str, text: &str) -> Self {
        let (title, text) = (title.to_owned(), text.to_owned());
        let error = ErrorDetails { code: title.clone(), message: text.clone(), request_id: String::new() };
        Self { is_success: false, title, text, links: vec![Link::Text("Show all", TextView::of_error(error))] }
    }

    /// Adds a link. It replaces a link with the same key.
    #[must_use]
    pub fn with_link(mut self, link: Link) -> Self {
        self.links.retain(|other| other.key() != link.key());
        self.links.push(link);
        self
    }
}

/// Returns the labels of the actions of a message, and what a click on them does. `report_key` is the key
/// that makes a report of the error, if there is one. It is left out if it would shorten the title.
fn actions(links: &[Link], report_key: Option<&str>, room: usize) -> Vec<(String, Click)> {
    let link = |(index, link): (usize, &Link)| (format!("[{}] {}", link.key(), link.label()), Click::OpenLink(index));
    let mut actions: Vec<(String, Click)> = links.iter().enumerate().map(link).collect();
    let close = (CLOSE.to_owned(), Click::CloseMessage);
    let report = report_key.map(|key| (format!("[{key}] Report"), Click::Key(KeyCode::Char('e').into())));
    let used = actions.iter().chain([&close]).chain(&report).map(|(label, _)| text::width(label) + GAP.len());
    let has_room = used.sum::<usize>() <= room;
    actions.extend(report.filter(|_| has_room));
    actions.push(close);
    actions
}

/// Draws the lines that fit, and makes the links and *Close* of the newest message react to clicks.
pub fn draw(flashes: &[Flash], lines: Vec<Line<'static>>, report_key: Option<&str>, canvas: &mut Canvas, area: Rect) {
    if let (Some(flash), Some(title)) = (flashes.last(), lines.first().and_then(|line| line.spans.first())) {
        let mut x = title.width() + GAP.len();
        let room = usize::from(area.width).saturating_sub(title.width() + 1);
        for (label, click) in actions(&flash.links, report_key, room) {
            let width = text::width(&label);
            let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
            let place = Rect { x: area.x.saturating_add(cells(x)), width: cells(width), height: 1, ..area };
            canvas.on_click(place.intersection(area), click);
            x += width + GAP.len();
        }
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        canvas.render(line, Rect { y, height: 1, ..area });
    }
}

/// Returns the lines of the newest message, followed by one line with the titles of earlier messages. `report_key` is
/// the key that makes a report of the error, if there is one.
pub fn lines(flashes: &[Flash], width: u16, report_key: Option<&str>) -> Vec<Line<'static>> {
    let Some((Flash { is_success: is_good, title, text: words, links }, beneath)) = flashes.split_last() else {
        return Vec::new();
    };
    let (mark, style) = if *is_good { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
    let (title, width) = (text::escape_controls(title), usize::from(width));
    let actions = actions(links, report_key, width.saturating_sub(text::width(&title) + 4));
    let close = actions.into_iter().fold(String::new(), |line, (label, _)| line + GAP + &label);
    let title = text::truncate(&title, width.saturating_sub(text::width(&close) + 4));
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {mark} {title}"), style.patch(theme::HEADING)),
        Span::styled(close, theme::ACCENT),
    ])];
    let rows = text::wrap_truncated(&text::escape_controls(words), width.saturating_sub(4), MAX_LINES, "…");
    lines.extend(rows.into_iter().map(|row| Line::raw(format!("   {row}"))));
    if !beneath.is_empty() {
        let title = |flash: &Flash| {
            format!("{} {}", if flash.is_success { "✓" } else { "✗" }, text::escape_controls(&flash.title))
        };
        let titles: Vec<String> = beneath.iter().rev().map(title).collect();
        let earlier = format!("   Earlier: {}", titles.join(", "));
        lines.push(Line::styled(text::truncate(&earlier, width), theme::SECONDARY));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(flashes: &[Flash]) -> Vec<String> {
        lines(flashes, 40, None).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_failure_is_truncated_to_three_lines_and_its_link_shows_all_of_it() {
        let long = "word ".repeat(40_000);
        let flash = Flash::failure("KMSInternalException", &long);
        let [Link::Text(_, view)] = &flash.links[..] else { panic!("{flash:?}") };
        assert!(view.text().contains(&long));
        let shown = shown(&[flash]);
        assert_eq!(shown.len(), 3);
        assert!(shown[2].ends_with('…'), "{shown:?}");
    }

    #[test]
    fn key_of_the_report_is_shown_if_the_title_leaves_room() {
        let title = |width| lines(&[Flash::failure("DisabledException", "No.")], width, Some("e"))[0].to_string();
        assert_eq!(title(70), " ✗ DisabledException   [v] Show all   [e] Report   [Esc] Close");
        assert_eq!(title(60), " ✗ DisabledException   [v] Show all   [Esc] Close");
    }

    #[test]
    fn success_can_have_two_links() {
        let flash = Flash::success("Success", String::new())
            .with_link(Link::Page("View key", Location::Key("k1".to_owned())))
            .with_link(Link::TryKey("Try it", "k1".to_owned()));
        assert_eq!(lines(&[flash], 60, None)[0].to_string(), " ✓ Success   [v] View key   [t] Try it   [Esc] Close");
    }

    #[test]
    fn earlier_messages_collapse_into_one_line() {
        let flash = |text: &str| Flash::success("Copied", text.to_owned());
        let shown = shown(&[flash("one"), flash("two"), flash("three")]);
        assert_eq!(shown, [" ✓ Copied   [Esc] Close", "   three", "   Earlier: ✓ Copied, ✓ Copied"]);
    }
}
