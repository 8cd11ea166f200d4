//! Flash messages at the top of the page.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

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
    /// A link to more details.
    pub link: Option<Link>,
}

/// A link of a message: its label and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Opens a page.
    Page(&'static str, Location),
    /// Opens a text view.
    Text(&'static str, TextView),
}

impl Link {
    fn label(&self) -> &'static str {
        match self {
            Self::Page(words, _) | Self::Text(words, _) => words,
        }
    }
}

impl Flash {
    /// Creates a success message.
    pub fn success(title: &str, text: String) -> Self {
        Self { is_success: true, title: title.to_owned(), text, link: None }
    }

    /// Creates a failure message with a link that shows the full text.
    pub fn failure(title: &str, text: &str) -> Self {
        let whole = TextView::new("Error", format!("{title}\n{text}\n"));
        let link = Some(Link::Text("Show all", whole));
        Self { is_success: false, title: title.to_owned(), text: text.to_owned(), link }
    }

    /// Adds a link.
    #[must_use]
    pub fn with_link(self, link: Link) -> Self {
        Self { link: Some(link), ..self }
    }
}

/// Creates the text view with the details of a failure.
pub fn error_details(code: &str, message: &str, request_id: &str) -> TextView {
    let request = if request_id.is_empty() { String::new() } else { format!("Request ID: {request_id}\n") };
    TextView::new("Error", format!("{code}\n{message}\n{request}"))
}

/// Draws the lines that fit, and makes the link and *Close* of the newest message react to clicks.
pub fn draw(flashes: &[Flash], lines: Vec<Line<'static>>, canvas: &mut Canvas, area: Rect) {
    if let (Some(flash), Some(title)) = (flashes.last(), lines.first().and_then(|line| line.spans.first())) {
        let mut x = title.width() + GAP.len();
        let link = flash.link.as_ref().map(|link| (link_label(link), Click::OpenLink));
        for (label, click) in link.into_iter().chain([(CLOSE.to_owned(), Click::CloseMessage)]) {
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

fn link_label(link: &Link) -> String {
    format!("[v] {}", link.label())
}

/// Returns the lines of the newest message, followed by one line with the titles of earlier messages.
pub fn lines(flashes: &[Flash], width: u16) -> Vec<Line<'static>> {
    let Some((Flash { is_success: is_good, title, text: words, link }, beneath)) = flashes.split_last() else {
        return Vec::new();
    };
    let (mark, style) = if *is_good { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
    let close = match link {
        Some(link) => format!("{GAP}{}{GAP}{CLOSE}", link_label(link)),
        None => format!("{GAP}{CLOSE}"),
    };
    let title =
        text::truncate(&text::escape_controls(title), usize::from(width).saturating_sub(text::width(&close) + 4));
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {mark} {title}"), style.patch(theme::HEADING)),
        Span::styled(close, theme::ACCENT),
    ])];
    let rows =
        text::wrap_truncated(&text::escape_controls(words), usize::from(width).saturating_sub(4), MAX_LINES, "…");
    lines.extend(rows.into_iter().map(|row| Line::raw(format!("   {row}"))));
    if !beneath.is_empty() {
        let title = |flash: &Flash| {
            format!("{} {}", if flash.is_success { "✓" } else { "✗" }, text::escape_controls(&flash.title))
        };
        let titles: Vec<String> = beneath.iter().rev().map(title).collect();
        let earlier = format!("   Earlier: {}", titles.join(", "));
        lines.push(Line::styled(text::truncate(&earlier, usize::from(width)), theme::SECONDARY));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(flashes: &[Flash]) -> Vec<String> {
        lines(flashes, 40).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_failure_is_truncated_to_three_lines_and_its_link_shows_all_of_it() {
        let long = "word ".repeat(40_000);
        let flash = Flash::failure("KMSInternalException", &long);
        let Some(Link::Text(_, view)) = &flash.link else { panic!("{flash:?}") };
        assert!(view.text().contains(&long));
        let shown = shown(&[flash]);
        assert_eq!(shown.len(), 3);
        assert!(shown[2].ends_with('…'), "{shown:?}");
    }

    #[test]
    fn earlier_messages_collapse_into_one_line() {
        let flash = |text: &str| Flash::success("Copied", text.to_owned());
        let shown = shown(&[flash("one"), flash("two"), flash("three")]);
        assert_eq!(shown, [" ✓ Copied   [Esc] Close", "   three", "   Earlier: ✓ Copied, ✓ Copied"]);
    }
}
