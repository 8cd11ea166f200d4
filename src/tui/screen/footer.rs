//! The footer with the keys that are available.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::App;
use crate::tui::keymap::{Action, Binding};
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::text;

/// The maximum number of keys in the footer.
const MAX_HINTS: usize = 8;

/// Returns the key bindings that fit into a footer of `width` columns. Help, back, and quit are always included.
pub fn footer_bindings(app: &App, width: u16) -> Vec<&'static Binding> {
    let is_kept = |binding: &Binding| matches!(binding.action, Action::Help | Action::Back | Action::Quit);
    let columns =
        |binding: &Binding| text::width(&app.keymap.label(binding)) + 1 + text::width(app.action_title(binding)) + 2;
    let bindings: Vec<&Binding> = app.bindings().filter(|binding| !binding.title.is_empty()).collect();
    let kept = || bindings.iter().filter(|binding| is_kept(binding));
    let mut room = usize::from(width).saturating_sub(1 + kept().map(|binding| columns(binding)).sum::<usize>());
    let mut places = MAX_HINTS.saturating_sub(kept().count());
    let has_room = |binding: &&&Binding| {
        let fits = is_kept(binding) || places > 0 && columns(binding) <= room;
        if fits && !is_kept(binding) {
            room -= columns(binding);
            places -= 1;
        }
        fits
    };
    bindings.iter().filter(has_room).copied().collect()
}

/// Draws the footer. A click on a key presses it.
pub(super) fn draw(app: &App, canvas: &mut Canvas, area: Rect) {
    let (mut line, mut x) = (Line::raw(" "), area.x + 1);
    for binding in footer_bindings(app, area.width) {
        let label = app.keymap.label(binding);
        let title = app.action_title(binding);
        let width = text::width(&label) + 1 + text::width(title);
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        // A stray click must not end the console.
        if binding.action != Action::Quit {
            canvas.on_click(Rect { x, width, ..area }, Click::Key(binding.key_event()));
        }
        x = x.saturating_add(width + 2);
        line.push_span(Span::styled(label, theme::ACCENT));
        line.push_span(Span::styled(format!(" {title}  "), theme::SECONDARY));
    }
    canvas.line(&line, area);
}
