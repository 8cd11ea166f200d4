//! The navigation menu at the left of the list pages.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::App;
use crate::tui::pages::Location;
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::container::{Container, MIN_BORDERED_WIDTH};
use crate::tui::widgets::scroll_view::ScrollView;

/// The width of the menu with its border, in columns.
const WIDTH: u16 = 29;

/// Returns the width of the menu: 0 if it is hidden.
pub(super) fn width(app: &App, area: Rect) -> u16 {
    let is_shown = app.is_on_navigation_page() && (area.width >= MIN_BORDERED_WIDTH || app.navigation_focus.is_some());
    if is_shown { WIDTH.min(area.width / 2) } else { 0 }
}

/// Draws the menu.
pub(super) fn draw(app: &App, canvas: &mut Canvas, area: Rect) {
    let is_focused = app.navigation_focus.is_some();
    let inner = Container::new("Key Management Service").focused(is_focused).draw(canvas, area);
    let mut view = ScrollView::new(inner.width);
    let entries = app.navigation();
    let groups = entries.iter().filter(|(_, location)| group_title(location).is_some()).count();
    let has_room_for_gaps = usize::from(inner.height) >= entries.len() + 2 * groups;
    for (place, (words, location)) in entries.into_iter().enumerate() {
        if let Some(group) = group_title(&location) {
            if has_room_for_gaps {
                view.blank_line();
            }
            view.push_line(Line::styled(format!("  {group}"), theme::SECONDARY));
        }
        let is_here = app.location == location;
        let (mark, style) = match (app.navigation_focus == Some(place), is_here) {
            (true, _) => ("▌", theme::SELECTED),
            (false, true) => ("●", theme::HEADING),
            _ => (" ", theme::TEXT),
        };
        view.clickable(Click::Navigate(location.clone()), |view| {
            view.push_line(Line::from(vec![
                Span::styled(format!("{mark} "), theme::ACCENT),
                Span::styled(words, style),
            ]));
        });
        if app.navigation_focus == Some(place) {
            view.focus_last_line();
        }
    }
    view.draw(canvas, inner);
}

/// Returns the title of the group that starts with this page.
fn group_title(location: &Location) -> Option<&'static str> {
    Some(match location {
        Location::CloudHsm => "Custom key stores",
        Location::ExternalKeys => "Outside AWS",
        Location::Events => "CloudTrail",
        Location::ApiCalls => "This console",
        Location::Workloads => "Bundled AWS",
        _ => return None,
    })
}
