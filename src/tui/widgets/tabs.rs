//! A row of tabs.

use ratatui::text::{Line, Span};

use super::canvas::Click;
use super::scroll_view::ScrollView;
use crate::tui::theme;

/// Writes the titles of tabs. The shown tab is filled, and marked if the tabs have the focus.
pub fn write(view: &mut ScrollView, titles: &[&'static str], shown: usize, is_focused: bool) {
    view.push_line(Line::from(Span::styled(if is_focused { "▸" } else { " " }, theme::ACCENT)));
    for (index, title) in titles.iter().enumerate() {
        let style = if index == shown { theme::PRIMARY } else { theme::TEXT };
        view.append_clickable(Span::styled(format!(" {title} "), style), Click::Tab(index));
        view.append_span(Span::raw(" "));
    }
}
