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

/// The keys of the actions of a message that aren't its links.
#[derive(Clone, Debug, Default)]
pub struct ActionKeys {
    /// The key that makes a report of the error, if there is one.
    pub report: Option<String>,
    /// The key that shows the full error, also while the user types.
    pub show_error: String,
    /// Whether letters go into a text field, so that they don't open links.
    pub is_typing: bool,
}

impl ActionKeys {
    /// Returns the key that opens a link now, if there is one.
    fn of_link(&self, link: &Link) -> Option<String> {
        match link {
            _ if !self.is_typing => Some(link.key().to_string()),
            Link::Text(_, view) if view.error().is_some() => Some(self.show_error.clone()),
            _ => None,
        }
    }
}

/// Returns the labels of the actions of a message, and what a click on them does. The report is left out if it would
/// shorten the title.
fn actions(links: &[Link], keys: &ActionKeys, room: usize) -> Vec<(String, Click)> {
    let link = |(index, link): (usize, &Link)| {
        Some((format!("[{}] {}", keys.of_link(link)?, link.label()), Click::OpenLink(index)))
    };
    let mut actions: Vec<(String, Click)> = links.iter().enumerate().filter_map(link).collect();
    let close = (CLOSE.to_owned(), Click::CloseMessage);
    let report = keys.report.as_ref().map(|key| (format!("[{key}] Report"), Click::Key(KeyCode::Char('e').into())));
    let used = actions.iter().chain([&close]).chain(&report).map(|(label, _)| text::width(label) + GAP.len());
    let has_room = used.sum::<usize>() <= room;
    actions.extend(report.filter(|_| has_room));
    actions.push(close);
    actions
}

/// Draws the lines that fit, and makes the links and *Close* of the newest message react to clicks.
pub fn draw(flashes: &[Flash], lines: Vec<Line<'static>>, keys: &ActionKeys, canvas: &mut Canvas, area: Rect) {
    if let (Some(flash), Some(title)) = (flashes.last(), lines.first().and_then(|line| line.spans.first())) {
        let mut x = title.width() + GAP.len();
        let room = usize::from(area.width).saturating_sub(title.width() + 1);
        for (label, click) in actions(&flash.links, keys, room) {
            let width = text::width(&label);
            let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
            let place = Rect { x: area.x.saturating_add(cells(x)), width: cells(width), height: 1, ..area };
            canvas.on_click(place.intersection(area), click);
            x += width + GAP.len();
        }
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        canvas.line(&line, Rect { y, height: 1, ..area });
    }
}

/// Returns the lines of the newest message, followed by one line with the titles of earlier messages.
pub fn lines(flashes: &[Flash], width: u16, keys: &ActionKeys) -> Vec<Line<'static>> {
    let Some((Flash { is_success: is_good, title, text: words, links }, beneath)) = flashes.split_last() else {
        return Vec::new();
    };
    let (mark, style) = if *is_good { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
    let (title, width) = (text::escape_controls(title), usize::from(width));
    let actions = actions(links, keys, width.saturating_sub(text::width(&title) + 4));
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
        lines(flashes, 40, &ActionKeys::default()).iter().map(ToString::to_string).collect()
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
        let title = |width| {
            lines(
                &[Flash::failure("DisabledException", "No.")],
                width,
                &ActionKeys { report: Some("e".to_owned()), ..ActionKeys::default() },
            )[0]
            .to_string()
        };
        assert_eq!(title(70), " ✗ DisabledException   [v] Show all   [e] Report   [Esc] Close");
        assert_eq!(title(60), " ✗ DisabledException   [v] Show all   [Esc] Close");
    }

    #[test]
    fn letters_are_not_offered_while_the_user_types() {
        let keys = ActionKeys { show_error: "F4".to_owned(), is_typing: true, ..ActionKeys::default() };
        let title = |flash: Flash| lines(&[flash], 60, &keys)[0].to_string();
        assert_eq!(title(Flash::failure("Failed", "No.")), " ✗ Failed   [F4] Show all   [Esc] Close");
        let link = Link::Text("Show all", TextView::new("key ID", "1".to_owned()));
        assert_eq!(title(Flash::success("Copied", String::new()).with_link(link)), " ✓ Copied   [Esc] Close");
    }

    #[test]
    fn success_can_have_two_links() {
        let flash = Flash::success("Success", String::new())
            .with_link(Link::Page("View key", Location::Key("k1".to_owned())))
            .with_link(Link::TryKey("Try it", "k1".to_owned()));
        assert_eq!(
            lines(&[flash], 60, &ActionKeys::default())[0].to_string(),
            " ✓ Success   [v] View key   [t] Try it   [Esc] Close"
        );
    }

    #[test]
    fn earlier_messages_collapse_into_one_line() {
        let flash = |text: &str| Flash::success("Copied", text.to_owned());
        let shown = shown(&[flash("one"), flash("two"), flash("three")]);
        assert_eq!(shown, [" ✓ Copied   [Esc] Close", "   three", "   Earlier: ✓ Copied, ✓ Copied"]);
    }
}
