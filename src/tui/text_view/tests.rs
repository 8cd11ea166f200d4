//! Tests of the view: scrolling, searching, colors, and its footer.

use crossterm::event::KeyModifiers;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::tui::widgets::canvas::{Click, ClickMap};

fn draw(view: &TextView, (width, height): (u16, u16)) -> (Buffer, ClickMap) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut clicks = ClickMap::default();
    let frame = terminal
        .draw(|frame| {
            let mut canvas = Canvas::new(frame);
            view.draw(&mut canvas, Rect::new(0, 0, width, height), &Keymap::default());
            clicks = canvas.into_clicks();
        })
        .unwrap();
    (frame.buffer.clone(), clicks)
}

fn shown(view: &TextView, size: (u16, u16)) -> String {
    crate::flow::tape::screen_text(&draw(view, size).0)
}

fn footer(view: &TextView, size: (u16, u16)) -> String {
    shown(view, size).trim_end().lines().last().unwrap_or_default().trim_end().to_owned()
}

/// Opens the search line and types.
fn search(view: &mut TextView, typed: &str, size: (u16, u16)) {
    for letter in std::iter::once('/').chain(typed.chars()) {
        view.handle_key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), size);
    }
}

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
    assert_eq!(name("Terraform code", "# x\nresource \"aws_kms_key\" \"k\" {\n}"), "terraform-code.tf");
    assert_eq!(name("CSV table", "Key ID\n1234\n"), "csv-table.csv");
    assert_eq!(name("Markdown table", "| Key ID |"), "markdown-table.md");
    assert_eq!(name("Error", "no"), "error.txt");
}

#[test]
fn text_fills_the_screen_and_long_lines_wrap() {
    let view = TextView::new("Key ARN", format!("{}\nend", "x".repeat(25)));
    let shown = shown(&view, (20, 5));
    assert!(shown.starts_with(&format!("{}\n{}\nend\n", "x".repeat(20), "x".repeat(5))), "{shown}");
}

const SIZE: (u16, u16) = (80, 5);

#[test]
fn search_goes_to_the_first_hit_from_the_top_and_around_the_end() {
    let lines: Vec<String> = (1..=40).map(|number| format!("line {number}")).collect();
    let mut view = TextView::new("event", lines.join("\n"));
    for _ in 0..6 {
        view.handle_key(KeyCode::Down.into(), SIZE);
    }
    search(&mut view, "line 1", SIZE);
    assert_eq!((view.top_row, view.search_status(view.hits().len()).as_deref()), (6, Some("Match 2 of 11")));
    assert!(footer(&view, SIZE).contains("Match 2 of 11  Enter Keep  Esc Clear"), "{}", footer(&view, SIZE));
    view.handle_key(KeyCode::Enter.into(), SIZE);
    for (key, status) in
        [('n', "Match 3 of 11"), ('N', "Match 2 of 11"), ('N', "Match 1 of 11"), ('N', "Match 11 of 11")]
    {
        view.handle_key(KeyCode::Char(key).into(), SIZE);
        assert!(footer(&view, SIZE).ends_with(status), "{key} {}", footer(&view, SIZE));
    }
    assert!(shown(&view, SIZE).contains("line 19"));
    view.handle_key(KeyCode::Char('n').into(), SIZE);
    assert_eq!(view.top_row, 0);
}

#[test]
fn backspace_returns_to_where_the_search_began() {
    let mut view = TextView::new("event", format!("one\n{}two", "-\n".repeat(30)));
    search(&mut view, "two", SIZE);
    assert!(shown(&view, SIZE).contains("two"));
    for _ in 0..3 {
        view.handle_key(KeyCode::Backspace.into(), SIZE);
    }
    view.handle_paste("on\n", SIZE);
    assert!(shown(&view, SIZE).starts_with("one\n") && footer(&view, SIZE).contains("Match 1 of 1"));
    view.handle_paste("x", SIZE);
    assert!(footer(&view, SIZE).contains("No matches"), "{}", footer(&view, SIZE));
}

#[test]
fn escape_clears_the_search_before_it_closes_the_view() {
    let mut view = TextView::new("event", "one".to_owned());
    for keys in [&[KeyCode::Esc][..], &[KeyCode::Enter, KeyCode::Esc]] {
        search(&mut view, "yo", SIZE);
        for key in keys {
            assert_eq!(press(&mut view, *key), TextViewEvent::Handled);
        }
        assert_eq!(view.search, None);
    }
    search(&mut view, "", SIZE);
    assert_eq!(press(&mut view, KeyCode::Enter), TextViewEvent::Handled);
    assert_eq!(press(&mut view, KeyCode::Enter), TextViewEvent::Close);
}

#[test]
fn hit_is_highlighted_across_rows_and_the_current_one_is_reversed() {
    let size = (10, 5);
    let mut view = TextView::new("event", "12345678日本語 語日".to_owned());
    search(&mut view, "8日", size);
    let buffer = draw(&view, size).0;
    for (x, y, symbol) in [(7, 0, "8"), (8, 0, "日")] {
        let cell = &buffer[(x, y)];
        assert_eq!((cell.symbol(), cell.fg), (symbol, Color::Cyan));
        assert!(cell.modifier.contains(Modifier::REVERSED | Modifier::UNDERLINED | Modifier::BOLD));
    }
    assert_eq!((buffer[(0, 1)].symbol(), buffer[(0, 1)].modifier), ("本", Modifier::empty()));
    view.handle_key(KeyCode::Esc.into(), size);
    search(&mut view, "日本語", size);
    let buffer = draw(&view, size).0;
    let is_hit = |x, y| buffer[(x, y)].modifier.contains(Modifier::REVERSED);
    assert!(is_hit(8, 0) && is_hit(0, 1) && is_hit(2, 1) && !is_hit(4, 1) && !is_hit(5, 1));
    view.handle_key(KeyCode::Esc.into(), size);
    search(&mut view, "語", size);
    let buffer = draw(&view, size).0;
    let hit = buffer[(5, 1)].modifier;
    assert!(hit.contains(Modifier::UNDERLINED | Modifier::BOLD) && !hit.contains(Modifier::REVERSED));
}

#[test]
fn json_has_colors_and_line_numbers_appear_on_request() {
    let mut view = TextView::new("event", "{\n  \"a\": \"b\"\n}".to_owned());
    assert!(shown(&view, SIZE).starts_with("{\n  \"a\": \"b\"\n}\n"));
    let buffer = draw(&view, SIZE).0;
    assert_eq!((buffer[(2, 1)].fg, buffer[(7, 1)].fg), (Color::Cyan, Color::Blue));
    view.handle_key(KeyCode::Char('#').into(), SIZE);
    assert!(shown(&view, SIZE).starts_with("1  {\n2    \"a\": \"b\"\n3  }\n"));
    assert_eq!(press(&mut view, KeyCode::Char('y')), TextViewEvent::Copy("event", view.text().to_owned()));
}

#[test]
fn sections_have_their_own_languages() {
    let sections = [("Commands", Language::Shell, "aws kms x"), ("Policy", Language::Json, "{\"a\": 1}\n")];
    let view = TextView::of_sections("preview", sections);
    assert_eq!(view.text(), "Commands\n\naws kms x\n\nPolicy\n\n{\"a\": 1}\n");
    let buffer = draw(&view, (80, 9)).0;
    assert!(buffer[(0, 2)].modifier.contains(Modifier::BOLD));
    assert_eq!((buffer[(0, 0)].fg, buffer[(1, 6)].fg), (Color::Reset, Color::Cyan));
}

#[test]
fn keys_of_the_footer_can_be_clicked() {
    let mut view = TextView::new("event", "one two\n".repeat(20));
    let keys = |view: &TextView| {
        let clicks = draw(view, (60, 5)).1;
        let key = |click: &Click| if let Click::Key(key) = click { Some(key.code) } else { None };
        clicks.iter().filter_map(|(_, click)| key(click)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&view), ['y', 's', '/'].map(KeyCode::Char).into_iter().chain([KeyCode::Esc]).collect::<Vec<_>>());
    assert_eq!(footer(&view, (60, 5)), " y Copy  s Save  / Search  Esc Close  Lines 1-4 of 20");
    search(&mut view, "two", (60, 5));
    assert_eq!(keys(&view), [KeyCode::Enter, KeyCode::Esc]);
}

#[test]
fn assigned_keys_are_shown_in_the_footer() {
    let keymap = Keymap::new([(Action::Search, vec!["f".parse().unwrap()])].into());
    let mut terminal = Terminal::new(TestBackend::new(60, 3)).unwrap();
    let view = TextView::new("event", String::new());
    let area = Rect::new(0, 0, 60, 3);
    let frame = terminal.draw(|frame| view.draw(&mut Canvas::new(frame), area, &keymap)).unwrap();
    assert!(crate::flow::tape::screen_text(frame.buffer).contains("f Search"));
}

proptest::proptest! {
    #[test]
    fn no_key_and_no_text_panics(
        text in "(\\PC|\n|\t|日|\u{301}){0,60}",
        typed in ".{0,4}",
        keys in proptest::collection::vec(0usize..14, 0..20),
        width in 1u16..30,
        height in 1u16..8,
    ) {
        let codes = [
            KeyCode::Char('n'), KeyCode::Char('N'), KeyCode::Char('#'), KeyCode::Char('/'), KeyCode::Enter,
            KeyCode::Esc, KeyCode::Down, KeyCode::Up, KeyCode::PageDown, KeyCode::End, KeyCode::Backspace,
            KeyCode::Char('a'), KeyCode::Left, KeyCode::Home,
        ];
        let mut view = TextView::new("event", text);
        search(&mut view, &typed, (width, height));
        for key in keys {
            view.handle_key(codes[key].into(), (width, height));
            draw(&view, (width, height));
            draw(&view, (height, width));
        }
    }
}
