//! Turns clicks of the user into the clicks of a tape, which name a text.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use crate::flow::tape::{click_event, find_text};
use crate::tui::app::App;
use crate::tui::widgets::canvas::{Click, ClickMap};

/// The maximum length of the text of a click, in characters.
const MAX_TEXT: usize = 40;
/// The marks of the focus, which move.
const FOCUS_MARKS: [&str; 2] = ["▌", "▸"];

/// A click of a tape.
pub(super) struct TapeClick {
    /// The line of the tape.
    pub(super) line: String,
    /// The event that the line causes.
    pub(super) event: MouseEvent,
}

/// Returns the click of a tape that does the same as a press of a mouse button, or `None` if no text stands for it.
///
/// A click in a text field becomes one on its label, because the text can be a secret.
pub(super) fn tape_click(app: &App, frame: &Buffer, event: MouseEvent) -> Option<TapeClick> {
    let MouseEventKind::Down(button @ (MouseButton::Left | MouseButton::Right)) = event.kind else { return None };
    let clicks = app.clicks();
    let click = match clicks.at(event.column, event.row)? {
        Click::Text { control, .. } => Click::Focus(control),
        other => other,
    };
    let pointer = Position { x: event.column, y: event.row };
    let areas = clicks.iter().filter(|(area, other)| *other == click && area.contains(pointer));
    let (at, text) = areas.map(|(area, _)| *area).find_map(|area| label(frame, area, &clicks, &click))?;
    let occurrence = find_text(frame, &text).iter().position(|place| *place == at)? + 1;
    let quote = ['"', '\'', '`'].into_iter().find(|quote| !text.contains(*quote))?;
    let right = if button == MouseButton::Right { "right " } else { "" };
    let number = if occurrence > 1 { format!(" {occurrence}") } else { String::new() };
    let line = format!("#: click {right}{quote}{text}{quote}{number}");
    Some(TapeClick { line, event: click_event(button, at) })
}

/// Returns the first text of an area on which a click does the same, and its place.
fn label(frame: &Buffer, area: Rect, clicks: &ClickMap, click: &Click) -> Option<(Position, String)> {
    let symbol = |x: u16, y: u16| frame.cell((x, y)).map_or(" ", |cell| cell.symbol());
    let is_word = |symbol: &str| symbol.chars().all(char::is_alphanumeric);
    let is_mark = |symbol: &str| !symbol.trim().is_empty() && !FOCUS_MARKS.contains(&symbol);
    (area.top()..area.bottom()).find_map(|y| {
        let columns = || area.left()..area.right();
        let x = columns().find(|x| is_word(symbol(*x, y))).or_else(|| columns().find(|x| is_mark(symbol(*x, y))))?;
        if clicks.at(x, y).as_ref() != Some(click) {
            return None;
        }
        let (mut text, mut column) = (String::new(), x);
        while column < area.right() {
            let here = symbol(column, y);
            text.push_str(here);
            column += u16::try_from(here.width()).unwrap_or(1).max(1);
        }
        // The gap before the next column of a table, the end of a button, and what would be a variable end the text.
        let end = ["  ", " ]", "${"].into_iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
        let text: String = text[..end].chars().take(MAX_TEXT).collect();
        Some((Position { x, y }, text.trim_end().to_owned())).filter(|(_, text)| !text.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::player::Player;
    use crate::flow::tape::{ConsoleDriver as _, Tape, play};

    /// Clicks the first cell of `text`, and returns the line of the tape.
    fn line_for(player: &Player, text: &str) -> Option<String> {
        let frame = player.frame();
        let at = find_text(&frame, text)[0];
        tape_click(player.app(), &frame, click_event(MouseButton::Left, at)).map(|click| click.line)
    }

    fn play_text(player: &mut Player, text: &str) {
        play(&Tape::parse("t.tape", text).unwrap(), player, &mut |_, _| Ok(())).unwrap();
    }

    #[test]
    fn clicks_name_what_was_clicked() {
        let mut player = Player::start((80, 24)).unwrap();
        play_text(&mut player, "Wait+Screen /Frankfurt HSM/");
        assert_eq!(line_for(&player, "HSM").as_deref(), Some("#: click \"Dublin HSM\""));
        assert_eq!(line_for(&player, "/ Search").as_deref(), Some("#: click \"Search\""));
        let frame = player.frame();
        let middle = Position { x: 40, y: 20 };
        assert!(tape_click(player.app(), &frame, click_event(MouseButton::Left, middle)).is_none());
    }

    #[test]
    fn secrets_are_not_in_the_tape() {
        let mut player = Player::start((80, 60)).unwrap();
        play_text(
            &mut player,
            "Wait+Screen /Frankfurt HSM/\nType \"C\"\nWait+Screen /Secret access key/\n\
             #: click \"Proxy credential: Secret access key\"\nType \"hunter2hunter2\"\n#: click \"Show\"",
        );
        let line = line_for(&player, "hunter2").unwrap();
        assert!(!line.contains("hunter") && line.contains("Secret"), "{line}");
    }
}
