//! The page of one call to AWS.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Wish, api_calls};
use crate::client::log::ApiCall;
use crate::create_key::guide;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::text;

/// What a key does with a call.
pub fn press(call: Option<&ApiCall>, key: KeyEvent) -> Vec<Wish> {
    let copies = keymap::action(&[Context::ApiCall], key) == Some(Action::CopyId);
    let text = call.filter(|_| copies).and_then(|call| serde_json::to_string_pretty(call).ok());
    text.map(|text| Wish::Copy("call", text)).into_iter().collect()
}

/// Draws the page.
pub fn draw(call: Option<&ApiCall>, frame: &mut Frame, area: Rect) {
    let mut paper = Paper::new(area.width);
    if let Some(call) = call {
        write(call, &mut paper);
    } else {
        paper.heading("No such call");
        paper.prose("Only the latest are kept; the file of --log has all.", 2, theme::TEXT);
    }
    paper.draw(frame, area);
}

fn write(call: &ApiCall, paper: &mut Paper) {
    paper.heading(&text::escape_controls(call.operation));
    paper.pair("Time", &call.time.strftime("%Y-%m-%d %H:%M:%S%.3fZ").to_string(), theme::TEXT);
    paper.pair("Service", call.service, theme::TEXT);
    paper.pair("Region", &call.region, theme::TEXT);
    let style = if call.error_code.is_some() { theme::BAD } else { theme::GOOD };
    paper.pair("Result", &api_calls::result(call), style);
    paper.pair(
        "HTTP status",
        &call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()),
        theme::TEXT,
    );
    paper.pair("Request ID", call.request_id.as_deref().unwrap_or_default(), theme::TEXT);
    paper.pair("Duration", &format!("{} ms", call.duration_milliseconds), theme::TEXT);
    paper.pair("Attempts", &call.attempts.to_string(), theme::TEXT);
    if let Some(code) = &call.error_code {
        let guide = guide::for_error(code, "");
        paper.gap();
        paper.prose(guide.meaning, 2, theme::TEXT);
        paper.prose(&format!("What to do: {}", guide.action), 2, theme::TEXT);
    }
}
