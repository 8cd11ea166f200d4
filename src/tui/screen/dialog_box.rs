//! Draws the open dialog in a box in the middle of the screen.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use crate::create_key::account_state::AccountState;
use crate::tui::app::{App, Dialog};
use crate::tui::dialogs::cli_commands;
use crate::tui::dialogs::palette::Palette;
use crate::tui::drafts;
use crate::tui::keymap::{Binding, Keymap};
use crate::tui::theme;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::MIN_BORDERED_WIDTH;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{button_row, text};

/// The maximum width of a dialog, in columns.
const MAX_WIDTH: u16 = 76;
/// The title of the preview.
const PREVIEW_TITLE: &str = "Preview of the new KMS key";
/// The maximum width of the palette, in columns.
const MAX_PALETTE_WIDTH: u16 = 100;
/// The maximum height of the palette, in rows.
const MAX_PALETTE_HEIGHT: u16 = 40;

/// Draws the open dialogs.
pub(super) fn draw(app: &App, canvas: &mut Canvas, area: Rect) {
    if let Some(dialog) = &app.dialog {
        draw_dialog(app, dialog, canvas, area);
    }
    if let Some(login) = &app.login {
        let mut view = dialog_view(area);
        login.write(&mut view);
        draw_box(login.title(), &view, None, canvas, area);
    }
}

/// Returns the title of the open dialog.
pub(super) fn title(app: &App) -> Option<String> {
    if let Some(login) = &app.login {
        return Some(login.title().to_owned());
    }
    let mut view = dialog_view(Rect::new(0, 0, 80, 24));
    app.dialog.as_ref().map(|dialog| write(app, dialog, &mut view))
}

/// Writes a dialog and returns its title.
fn write(app: &App, dialog: &Dialog, view: &mut ScrollView) -> String {
    match dialog {
        Dialog::Drafts(list) => list.write(view, &app.drafts, &app.account).to_owned(),
        other => write_dialog(other, &app.account, &app.keymap, view),
    }
}

fn draw_dialog(app: &App, dialog: &Dialog, canvas: &mut Canvas, area: Rect) {
    match dialog {
        Dialog::Palette(palette) => return draw_palette(palette, canvas, area),
        Dialog::Preview { scroll } => return draw_preview(app, scroll, canvas, area),
        _ => {}
    }
    let mut view = dialog_view(area);
    let title = write(app, dialog, &mut view);
    let scroll = match dialog {
        Dialog::Task(task) => Some(task.scroll()),
        Dialog::TryKey(trial) => Some(trial.scroll()),
        Dialog::FieldHelp { scroll, .. } => Some(scroll),
        _ => None,
    };
    draw_box(&title, &view, scroll, canvas, area);
}

/// Draws the preview of the wizard.
fn draw_preview(app: &App, scroll: &ScrollState, canvas: &mut Canvas, area: Rect) {
    let place = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let inner = draw_frame(PREVIEW_TITLE, canvas, place);
    let mut view = ScrollView::new(inner.width);
    if let Some(wizard) = &app.wizard {
        wizard.write_preview(&mut view, &app.account, false);
    }
    view.draw_scrolled(canvas, inner, scroll);
}

/// Draws the palette, which is wider than other dialogs and takes most of the height.
fn draw_palette(palette: &Palette, canvas: &mut Canvas, area: Rect) {
    let width = if area.width < MIN_BORDERED_WIDTH { area.width } else { MAX_PALETTE_WIDTH.min(area.width - 4) };
    let height = area.height.saturating_sub(3).min(MAX_PALETTE_HEIGHT);
    let mut view = ScrollView::new(width.saturating_sub(4));
    palette.write(&mut view, usize::from(height.saturating_sub(2)));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + ((area.height - height) / 3).max(1), width, height };
    let inner = draw_frame(palette.title(), canvas, place);
    view.draw(canvas, inner);
}

fn width(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(MAX_WIDTH)
}

fn dialog_view(area: Rect) -> ScrollView {
    ScrollView::new(width(area).saturating_sub(4))
}

/// Draws a dialog box in the middle of the screen.
fn draw_box(title: &str, view: &ScrollView, scroll: Option<&ScrollState>, canvas: &mut Canvas, area: Rect) {
    let width = width(area);
    let height = u16::try_from(view.len() + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    let inner = draw_frame(title, canvas, place);
    match scroll {
        Some(scroll) => view.draw_scrolled(canvas, inner, scroll),
        None => view.draw(canvas, inner),
    }
}

/// Draws the border and title of a dialog, and returns the area of its content.
fn draw_frame(title: &str, canvas: &mut Canvas, place: Rect) -> Rect {
    canvas.cover();
    canvas.render(Clear, place);
    let title = Span::styled(format!(" {title} "), theme::HEADING);
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(theme::ACCENT).title(title);
    let inner = block.inner(place);
    canvas.render(block, place);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Writes keys and their descriptions.
fn write_bindings(view: &mut ScrollView, bindings: &[&Binding], keymap: &Keymap) {
    for binding in bindings {
        let words = text::wrap(binding.help, view.width.saturating_sub(13));
        for (row, words) in words.into_iter().enumerate() {
            let label = if row == 0 { keymap.label(binding) } else { String::new() };
            let label = Span::styled(text::fit(&label, 12), theme::ACCENT);
            view.push_line(Line::from(vec![label, Span::raw(words)]));
        }
    }
}

/// Writes a dialog and returns its title.
fn write_dialog(dialog: &Dialog, account: &AccountState, keymap: &Keymap, view: &mut ScrollView) -> String {
    match dialog {
        // `write` writes this one, because it needs the drafts.
        Dialog::Drafts(_) => String::new(),
        Dialog::ConfirmUnsaved { reason, is_confirm_focused } => {
            drafts::write_unsaved_confirmation(view, reason, *is_confirm_focused).to_owned()
        }
        Dialog::Menu(menu) => menu.write(view).to_owned(),
        Dialog::Switcher(switcher) => {
            switcher.write(view);
            switcher.title().to_owned()
        }
        Dialog::Task(task) => task.write(view, account),
        Dialog::TryKey(trial) => trial.write(view, account),
        Dialog::Connect(connecting) => {
            connecting.write(view);
            connecting.title().to_owned()
        }
        Dialog::ConfirmDisconnect { store_id, name, key_count, is_confirm_focused } => {
            write_disconnect_confirmation((store_id, name), *key_count, *is_confirm_focused, account, view);
            "Disconnect external key store?".to_owned()
        }
        Dialog::ConfirmDiscard { is_confirm_focused, quits, form } => {
            let (title, lost) = match form {
                Some(_) => ("Discard your changes?", "You lose everything that you entered in the form."),
                None => ("Discard the new KMS key?", "You lose everything that you entered for the new KMS key."),
            };
            view.paragraph(lost, 0, theme::TEXT);
            view.blank_line();
            let confirm_label = if *quits { "Discard and quit" } else { "Discard" };
            button_row(view, &[Some("Keep editing"), Some(confirm_label)], usize::from(*is_confirm_focused));
            if *quits {
                view.paragraph("Press Ctrl-C again to quit.", 1, theme::SECONDARY);
            }
            title.to_owned()
        }
        Dialog::FieldHelp { field, bindings, .. } => {
            view.paragraph(field.help(), 0, theme::TEXT);
            view.blank_line();
            view.paragraph(field.hint(), 0, theme::SECONDARY);
            view.blank_line();
            write_bindings(view, bindings, keymap);
            field.short_label().to_owned()
        }
        // `draw_dialog` writes these, because they need the size of the screen.
        Dialog::Palette(palette) => palette.title().to_owned(),
        Dialog::Preview { .. } => PREVIEW_TITLE.to_owned(),
    }
}

/// Writes the dialog that confirms disconnecting a key store.
fn write_disconnect_confirmation(
    (store_id, name): (&str, &str),
    key_count: usize,
    is_confirm_focused: bool,
    account: &AccountState,
    view: &mut ScrollView,
) {
    view.key_value("External key store", name, theme::TEXT);
    view.key_value("Custom key store ID", store_id, theme::TEXT);
    view.blank_line();
    let words = match key_count {
        1 => "1 KMS key in this key store becomes unavailable".to_owned(),
        keys => format!("{keys} KMS keys in this key store become unavailable"),
    };
    let rest = "KMS keys in a disconnected key store can't encrypt or decrypt data.";
    view.paragraph(&format!("{words}. {rest}"), 0, theme::TEXT);
    view.blank_line();
    let confirm_label = if account.is_read_only { cli_commands::COPY_LABEL } else { "Disconnect" };
    if account.is_read_only {
        cli_commands::write_read_only_commands(view, &cli_commands::disconnect(store_id, account));
    }
    view.focused(account.is_read_only, |view| {
        button_row(view, &[Some("Cancel"), Some(confirm_label)], usize::from(is_confirm_focused));
    });
}
