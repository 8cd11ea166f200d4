//! The mouse in tapes: clicks on texts of the screen, and the wheel.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::Command;
use super::parse::{MAX_COUNT, parse_count};
use super::screen::{find_text, screen_text};
use super::tokens::{Token, Tokens};
use crate::text::nearest;

/// Parses the rest of a line with `click`: an optional `right`, the text, and its occurrence.
pub(super) fn parse_click(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    const FORM: &str = "click needs text in quotes, such as click \"Next\"";
    let (button, text) = match tokens.next()? {
        Some(Token::Text(text)) => (MouseButton::Left, text),
        Some(Token::Word("right")) => (MouseButton::Right, tokens.quoted_text("click right")?),
        Some(other) => return Err(format!("{FORM}, not {other}")),
        None => return Err(FORM.to_owned()),
    };
    if text.trim().is_empty() {
        return Err("click needs a text that is visible, such as click \"Next\"".to_owned());
    }
    let occurrence = match tokens.number(MAX_COUNT)? {
        Some(0) => return Err("occurrences are counted from 1; write 1, or leave it out".to_owned()),
        number => number.unwrap_or(1),
    };
    Ok(Command::Click { button, text: text.to_owned(), occurrence })
}

/// Parses the rest of a line with `wheel`: the direction, and the number of steps.
pub(super) fn parse_wheel(tokens: &mut Tokens<'_>) -> Result<Command, String> {
    let is_down = match tokens.next()? {
        Some(Token::Word("down")) => true,
        Some(Token::Word("up")) => false,
        _ => return Err("wheel needs a direction: write wheel up or wheel down".to_owned()),
    };
    Ok(Command::Wheel { is_down, count: parse_count(tokens)? })
}

/// Returns the event of a press of `button` at a position.
pub fn click_event(button: MouseButton, at: Position) -> MouseEvent {
    event(MouseEventKind::Down(button), at)
}

/// Returns the event of a step of the wheel. The pointer is where the last click was, or in the middle of the screen.
pub fn wheel_event(is_down: bool, pointer: Option<Position>, frame: &Buffer) -> MouseEvent {
    let middle = Position { x: frame.area.width / 2, y: frame.area.height / 2 };
    let kind = if is_down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
    event(kind, pointer.unwrap_or(middle))
}

fn event(kind: MouseEventKind, at: Position) -> MouseEvent {
    MouseEvent { kind, column: at.x, row: at.y, modifiers: KeyModifiers::NONE }
}

/// Returns the position of an occurrence of `text`, counted from 1.
///
/// # Errors
/// A message if the text isn't on the screen so often.
pub(super) fn locate(frame: &Buffer, text: &str, occurrence: usize) -> Result<Position, String> {
    let found = find_text(frame, text);
    if let Some(position) = found.get(occurrence - 1) {
        return Ok(*position);
    }
    if !found.is_empty() {
        let times = if found.len() == 1 { "once".to_owned() } else { format!("{} times", found.len()) };
        return Err(format!("can't click occurrence {occurrence} of \"{text}\", which is on the screen {times}"));
    }
    let hint = nearest_line(&screen_text(frame), text)
        .map_or_else(String::new, |line| format!("; the nearest line is \"{line}\""));
    Err(format!("can't click \"{text}\", which is not on the screen{hint}"))
}

/// Returns the line that is most similar to `text`: the one with a similar phrase, or with most of its words.
fn nearest_line(screen: &str, text: &str) -> Option<String> {
    let lines: Vec<&str> = screen.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let phrases = |line: &&str| {
        let parts = line.split("  ").flat_map(|part| part.split(['│', '[', ']']));
        parts.map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    };
    let all: Vec<String> = lines.iter().flat_map(phrases).filter(|phrase| !phrase.is_empty()).collect();
    if let Some(phrase) = nearest(text, all.iter().map(String::as_str)) {
        return lines.iter().find(|line| line.contains(phrase)).map(|line| (*line).to_owned());
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let common = |line: &&&str| {
        let line = line.to_lowercase();
        words.iter().filter(|word| line.contains(word.as_str())).count()
    };
    // The first of several lines with the same number of words.
    let best = lines.iter().rev().max_by_key(common)?;
    (common(&best) > 0).then(|| (*best).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::tape::Tape;

    fn screen() -> Buffer {
        Buffer::with_lines(["日 Next  [ Cancel ]", "External key stores (4)", "  Next"])
    }

    #[test]
    fn occurrences_are_counted_in_reading_order() {
        assert_eq!(locate(&screen(), "Next", 1), Ok(Position { x: 3, y: 0 }));
        assert_eq!(locate(&screen(), "Next", 2), Ok(Position { x: 2, y: 2 }));
        let error = locate(&screen(), "Next", 3).unwrap_err();
        assert_eq!(error, "can't click occurrence 3 of \"Next\", which is on the screen 2 times");
    }

    #[test]
    fn missing_text_is_reported_with_the_nearest_line() {
        let error = |text: &str| locate(&screen(), text, 1).unwrap_err();
        assert!(error("Cancle").ends_with("; the nearest line is \"日 Next  [ Cancel ]\""), "{}", error("Cancle"));
        let stores = "; the nearest line is \"External key stores (4)\"";
        assert!(error("All the key stores").ends_with(stores), "{}", error("All the key stores"));
        assert_eq!(error("Quux"), "can't click \"Quux\", which is not on the screen");
    }

    #[test]
    fn lines_with_the_mouse_are_parsed() {
        for line in ["click \"Next\"", "click 'a \"b\"' 2", "click right \"row\"", "wheel down", "wheel up 3"] {
            Tape::parse("t.tape", &format!("#: {line}")).unwrap();
        }
        for (line, problem) in [
            ("click", "t.tape:1:9: click needs text in quotes, such as click \"Next\""),
            ("click Next", "not"),
            ("click left \"a\"", "not"),
            ("click \" \"", "visible"),
            ("click \"a\" 0", "counted from 1"),
            ("click \"a\" 1 2", "t.tape:1"),
            ("wheel", "write wheel up or wheel down"),
            ("wheel left", "write wheel up or wheel down"),
            ("wheel up 0", "0 times"),
        ] {
            let error = Tape::parse("t.tape", &format!("#: {line}")).unwrap_err().to_string();
            assert!(error.contains(problem), "{line}: {error}");
        }
    }
}
