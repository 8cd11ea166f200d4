//! The whole console under random key presses, clicks, pastes, sizes, and waits: nothing panics, going back loses no data, and
//! AWS understands every request.

use std::sync::Arc;

use bytes::Bytes;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xks_console::client::{Transport, TransportError};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{ConsoleDriver as _, screen_text};

/// Forwards every request and panics if the response says that the request was malformed.
struct RejectMalformedRequests(Arc<dyn Transport>);

impl Transport for RejectMalformedRequests {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = format!("{:?}", request.headers().get("x-amz-target"));
        Box::pin(async move {
            let response = self.0.send(request).await?;
            let body = String::from_utf8_lossy(response.body()).into_owned();
            for code in
                ["SerializationException", "UnknownOperation", "InvalidSignature", "MissingAction", "InvalidAction"]
            {
                assert!(!body.contains(code), "response to {target}: {body}");
            }
            Ok(response)
        })
    }

    fn is_bundled(&self) -> bool {
        self.0.is_bundled()
    }
}

#[derive(Clone, Debug)]
enum Input {
    Key(KeyCode, KeyModifiers),
    Paste(String),
    Resize(u16, u16),
    Wait(i64),
    Mouse(MouseEvent),
}

fn mouse_event() -> impl Strategy<Value = MouseEvent> {
    let kinds = prop_oneof![
        6 => Just(MouseEventKind::Down(MouseButton::Left)),
        1 => Just(MouseEventKind::Down(MouseButton::Right)),
        1 => Just(MouseEventKind::ScrollUp),
        1 => Just(MouseEventKind::ScrollDown),
    ];
    let event = |(kind, column, row)| MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    (kinds, 0u16..120, 0u16..40).prop_map(event)
}

fn input() -> impl Strategy<Value = Input> {
    let plain = |code| Just(Input::Key(code, KeyModifiers::NONE));
    let letters = prop::sample::select("nCmcdvyrsSa/?q xé0-=.\u{4e2d}".chars().collect::<Vec<_>>());
    let navigation = prop::sample::select(vec![
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::F(1),
    ]);
    let control = prop::sample::select(vec!['n', 'p', 'd', 'u', 'a', 'e', 'k', 'w', 'y', '7', 'r']);
    prop_oneof![
        6 => plain(KeyCode::Enter),
        5 => plain(KeyCode::Tab),
        2 => Just(Input::Key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        1 => plain(KeyCode::Esc),
        4 => navigation.prop_map(|code| Input::Key(code, KeyModifiers::NONE)),
        6 => letters.prop_map(|letter| Input::Key(KeyCode::Char(letter), KeyModifiers::NONE)),
        5 => control.prop_map(|letter| Input::Key(KeyCode::Char(letter), KeyModifiers::CONTROL)),
        1 => (1u32..9).prop_map(|digit| Input::Key(KeyCode::Char(char::from_digit(digit, 10).unwrap()), KeyModifiers::ALT)),
        2 => prop::sample::select(vec![
            "payments-2026", "111122223333", "alias\u{1b}[2J", "a\r\nb\tc", "{\"Statement\":[]}", "\u{202e}abc", "", "7",
            "https://xks-proxy.bundled.internal", "team = data",
        ]).prop_map(|text| Input::Paste(text.to_owned())),
        2 => (1u16..210, 1u16..70).prop_map(|(width, height)| Input::Resize(width, height)),
        1 => (1i64..9).prop_map(Input::Wait),
        6 => mouse_event().prop_map(Input::Mouse),
    ]
}

fn run_inputs(inputs: &[Input]) -> Result<(), TestCaseError> {
    let mut player = Player::start((80, 24)).unwrap();
    let client = player.client().clone();
    player.use_client(&client.map_transport(|inner| Arc::new(RejectMalformedRequests(inner))));
    for (index, input) in inputs.iter().enumerate() {
        let before = player.app().wizard.as_ref().map(|wizard| (wizard.draft.clone(), wizard.step));
        let changes_nothing = match input {
            Input::Key(code, modifiers) => {
                // Saving a text writes a file to the working directory.
                if *code == KeyCode::Char('s') && screen_text(&player.frame()).contains("s Save") {
                    continue;
                }
                player.press(KeyEvent::new(*code, *modifiers));
                *modifiers == KeyModifiers::CONTROL && *code == KeyCode::Char('p')
            }
            Input::Paste(text) => {
                player.paste(text);
                false
            }
            Input::Resize(width, height) => {
                player.resize((*width, *height));
                true
            }
            Input::Mouse(event) => {
                let shown = screen_text(&player.frame());
                player.mouse(*event).unwrap();
                player.settle();
                // Only a row of the palette that says so quits.
                let row = shown.lines().nth(event.row.into()).unwrap_or_default();
                prop_assert!(!player.has_quit() || row.contains("Quit"), "{event:?} quit the console:\n{shown}");
                false
            }
            Input::Wait(seconds) => {
                player.advance(jiff::SignedDuration::from_secs(*seconds));
                // The wizard may now have chosen a key store that finished connecting.
                false
            }
        };
        let after = player.app().wizard.as_ref().map(|wizard| (wizard.draft.clone(), wizard.step));
        if let (true, Some((draft, step)), Some((new_draft, new_step))) = (changes_nothing, before, after)
            && player.app().dialog.is_none()
        {
            prop_assert_eq!(draft, new_draft);
            if matches!(input, Input::Key(..))
                && !matches!(player.app().wizard, Some(ref wizard) if wizard.submission.key().is_some())
            {
                prop_assert!(new_step <= step, "going back must not advance");
            }
        }
        player.settle();
        if index % 4 == 0 {
            let _ = player.frame();
        }
        if player.has_quit() {
            break;
        }
    }
    let _ = player.frame();
    Ok(())
}

#[test]
fn random_input_at_random_sizes_neither_panics_nor_loses_data() {
    let cases = 40;
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config).run(&prop::collection::vec(input(), 300), |inputs| run_inputs(&inputs)).unwrap();
}
