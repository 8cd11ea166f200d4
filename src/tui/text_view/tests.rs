//! Tests of the view: scrolling, searching, colors, and its footer.

use crossterm::event::KeyModifiers;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

fn press(view: &mut TextView, code: KeyCode) -> TextViewEvent {
    view.handle_key(KeyEvent::new(code, KeyModifiers::NONE), (20, 5))
}

#[test]
fn page_keys_scroll_by_the_height_of_the_screen() {
    let mut view = TextView::new("key policy", "line\n".repeat(10));
    for (code, top) in [
        (KeyCode::PageDown, 4),
        (KeyCode::Down, 5),
        (KeyCode::PageDown, 6),
        (KeyCode::PageUp, 2),
        (KeyCode::Home, 0),
        (KeyCode::Up, 0),
        (KeyCode::End, 6),
    ] {
        assert_eq!(press(&mut view, code), TextViewEvent::Handled);
        assert_eq!(view.top_row, top, "{code:?}");
    }
    assert_eq!(press(&mut view, KeyCode::Esc), TextViewEvent::Close);
}

#[test]
fn saved_file_is_named_after_its_content() {
    let name = |what, text: &str| match TextView::new(what, text.to_owned()).save_request() {
        Call::WriteFile { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name("key policy", "{}"), "key-policy.json");
    assert_eq!(name("AWS CLI commands", "aws kms create-key"), "aws-cli-commands.sh");
    assert_eq!(name("Error", "no"), "error.txt");
}

#[test]
fn text_fills_the_screen_and_long_lines_wrap() {
    let view = TextView::new("Key ARN", format!("{}\nend", "x".repeat(25)));
    let mut terminal = Terminal::new(TestBackend::new(20, 5)).unwrap();
    let frame = terminal.draw(|frame| view.draw(&mut Canvas::new(frame), Rect::new(0, 0, 20, 5))).unwrap();
    let shown = crate::flow::tape::screen_text(frame.buffer);
    assert!(shown.starts_with(&format!("{}\n{}\nend\n", "x".repeat(20), "x".repeat(5))), "{shown}");
}
