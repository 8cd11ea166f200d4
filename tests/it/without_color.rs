//! Screens on terminals without color, which must show the same information.

use ratatui::style::{Color, Modifier};

use super::snapshots::{draw, snapshot};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::terminal::Capabilities;

const TAPE: &str = "Wait+Screen /Frankfurt/\nWait+Screen /111122223333/\nScreenshot key-stores.png\nTab\nScreenshot navigation.png\n\
    Escape\nType 'm'\nScreenshot menu.png\nEscape\nType '/zur'\nScreenshot search.png\nEnter\nEnter\nWait+Screen /General/\n\
    Screenshot key-store.png\nType 'C'\nWait+Screen /Create/\nScreenshot form.png\nCtrl+N\nScreenshot form-refused.png\nEscape\nEscape\nEscape\n\
    Escape\nEscape\nUp 2\nType 'n'\nWait+Screen /External key ID/\nScreenshot step.png\nCtrl+N\nScreenshot step-refused.png\n\
    Type 'payments-2026'\nTab\nSpace\nScreenshot step-filled.png\nCtrl+N\nWait+Screen /Add alias/\nType 'payments'\nCtrl+N\n\
    Ctrl+N\nScreenshot principals.png\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Review/\nScreenshot review.png\nCtrl+N\n\
    Wait+Screen /Success/\nEnter\nWait+Screen /General configuration/\nScreenshot key.png\n";

#[test]
fn screens_are_readable_without_color() {
    let mut player = Player::start((80, 24)).unwrap();
    let tape = Tape::parse("without-color", TAPE).unwrap();
    let no_color = Capabilities { has_color: false, has_unicode: true, has_cursor: true, reports_colors: true };
    let played = tape::play(&tape, &mut player, &mut |shot, player| {
        let colored = draw(player.app(), (80, 24));
        let mut plain = colored.clone();
        no_color.adapt(&mut plain);
        for (cell, before) in plain.content.iter().zip(&colored.content) {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
            assert!(cell.modifier.contains(before.modifier));
        }
        let is_marked = |cell: &ratatui::buffer::Cell| {
            cell.modifier.contains(Modifier::REVERSED) || ["▸", "▌"].contains(&cell.symbol())
        };
        assert!(plain.content.iter().skip(80).any(is_marked), "{shot}: the focus is not visible");
        insta::assert_snapshot!(format!("without-color-{}", shot.trim_end_matches(".png")), snapshot(&plain));
        Ok(())
    });
    played.unwrap_or_else(|error| panic!("{error}"));
    assert!(!player.has_quit());
}
