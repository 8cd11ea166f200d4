//! The detail page of one API call.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::{PageEvent, api_calls};
use crate::client::log::ApiCall;
use crate::error_remedies;
use crate::text::time;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// Handles a key press on the page of `call`.
pub fn handle_key(call: Option<&ApiCall>, key: KeyEvent) -> Vec<PageEvent> {
    let copies = keymap::action(&[Context::ApiCall], key) == Some(Action::Copy);
    let text = call.filter(|_| copies).and_then(|call| serde_json::to_string_pretty(call).ok());
    text.map(|text| PageEvent::Copy("call", text)).into_iter().collect()
}

/// Draws the page.
pub fn draw(call: Option<&ApiCall>, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
    let title = call.map_or("API call not found".to_owned(), |call| text::escape_controls(call.operation));
    let area = Container::new(title).with_buttons(buttons).draw(canvas, area);
    let mut view = ScrollView::new(area.width);
    if let Some(call) = call {
        write(call, &mut view);
    } else {
        view.paragraph(
            "The console keeps the latest 1,000 API calls. To keep all of them, start it with --log FILE.",
            2,
            theme::TEXT,
        );
    }
    view.draw(canvas, area);
}

fn write(call: &ApiCall, view: &mut ScrollView) {
    view.key_value("Time", &time::to_millisecond(call.time), theme::TEXT);
    view.key_value("Service", call.service, theme::TEXT);
    view.key_value("Region", &call.region, theme::TEXT);
    let style = if call.error_code.is_some() { theme::ERROR } else { theme::SUCCESS };
    view.key_value("Result", &api_calls::result(call), style);
    view.key_value(
        "HTTP status",
        &call.status.map_or_else(|| "No response".to_owned(), |status| status.to_string()),
        theme::TEXT,
    );
    view.key_value("Request ID", call.request_id.as_deref().unwrap_or_default(), theme::TEXT);
    view.key_value("Duration", &format!("{} ms", call.duration_milliseconds), theme::TEXT);
    view.key_value("Attempts", &call.attempts.to_string(), theme::TEXT);
    if let Some(code) = &call.error_code {
        let guide = error_remedies::for_error(code, "");
        view.blank_line();
        view.paragraph(guide.meaning, 2, theme::TEXT);
        view.paragraph(&format!("What to do: {}", guide.action), 2, theme::TEXT);
    }
}
