//! Messages on top of the page.

use ratatui::text::{Line, Span};

use super::pages::Location;
use super::text_view::TextView;
use super::theme;
use super::widgets::text;

/// Lines of text that a message takes at most, below its title.
const MAX_LINES: usize = 2;

/// A message on top of the page. A success goes with the next action; a failure stays until it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Whether it tells of a success.
    pub is_success: bool,
    /// What happened, in a word.
    pub title: String,
    /// What happened.
    pub text: String,
    /// What shows more.
    pub link: Option<Link>,
}

/// What shows more than a message: the words of the button, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A page.
    Page(&'static str, Location),
    /// A text.
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
    /// A success.
    pub fn success(title: &str, text: String) -> Self {
        Self { is_success: true, title: title.to_owned(), text, link: None }
    }

    /// A failure, which can be shown and copied whole.
    pub fn failure(title: &str, text: &str) -> Self {
        let whole = TextView::new("Error", format!("{title}\n{text}\n"));
        let link = Some(Link::Text("Show all", whole));
        Self { is_success: false, title: title.to_owned(), text: text.to_owned(), link }
    }

    /// The same with a link.
    #[must_use]
    pub fn with_link(self, link: Link) -> Self {
        Self { link: Some(link), ..self }
    }
}

/// A failure as it is shown and copied whole.
pub fn error_details(code: &str, message: &str, request_id: &str) -> TextView {
    let request = if request_id.is_empty() { String::new() } else { format!("Request ID: {request_id}\n") };
    TextView::new("Error", format!("{code}\n{message}\n{request}"))
}

/// The newest message, and in a line the titles of those beneath it.
pub fn lines(flashes: &[Flash], width: u16) -> Vec<Line<'static>> {
    let Some((Flash { is_success: is_good, title, text: words, link }, beneath)) = flashes.split_last() else {
        return Vec::new();
    };
    let (mark, style) = if *is_good { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
    let close = match link {
        Some(link) => format!("   [v] {}   [Esc] Close", link.label()),
        None => "   [Esc] Close".to_owned(),
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
        lines.push(Line::styled(text::truncate(&earlier, usize::from(width)), theme::MUTED));
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
