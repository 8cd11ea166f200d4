//! The frame around every page: header, breadcrumbs, navigation, messages, dialogs, and the footer with the available
//! keys.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::app::drafts::shows_drafts;
use super::app::navigation::NAVIGATION;
use super::app::{App, Dialog, MIN_SCREEN_SIZE};
use super::dialogs::cli_commands;
use super::drafts;
use super::flash;
use super::header;
use super::keymap::{Action, Binding};
use super::pages::{self, Location};
use super::theme;
use super::widgets::form::SecretInput;
use super::widgets::scroll::ScrollState;
use super::widgets::scroll_view::ScrollView;
use super::widgets::{button_row, text};
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Method;

/// Draws the whole screen.
pub fn draw(app: &App, frame: &mut Frame) {
    let area = frame.area();
    if area.width < MIN_SCREEN_SIZE.0 || area.height < MIN_SCREEN_SIZE.1 {
        let words = format!("Enlarge to {}x{}. Ctrl-C quits.", MIN_SCREEN_SIZE.0, MIN_SCREEN_SIZE.1);
        frame.render_widget(
            Line::raw(text::truncate(&words, area.width.into())),
            Rect { height: area.height.min(1), ..area },
        );
        return;
    }
    let flashes = flash::lines(&app.flashes, area.width);
    let shown = u16::try_from(flashes.len()).unwrap_or(u16::MAX).min(area.height / 3);
    let notice = app.drafts.notice(&app.account, area.width.into()).filter(|_| shows_drafts(&app.location));
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(shown),
        Constraint::Length(u16::from(notice.is_some())),
        Constraint::Min(1),
        Constraint::Length(1),
    ];
    let [header, crumbs, flash, draft, body, footer] = Layout::vertical(rows).areas(area);
    header::draw(app, frame, header);
    frame.render_widget(Line::styled(text::truncate(&breadcrumbs(app), crumbs.width.into()), theme::SECONDARY), crumbs);
    for (row, line) in flashes.into_iter().take(shown.into()).enumerate() {
        let y = flash.y + u16::try_from(row).unwrap_or(0);
        frame.render_widget(line, Rect { y, height: 1, ..flash });
    }
    frame.render_widget(notice.unwrap_or_default(), draft);
    draw_body(app, frame, body);
    if let Some(dialog) = &app.dialog {
        draw_dialog(app, dialog, frame, area);
    }
    if let Some(login) = &app.login {
        let mut view = dialog_view(area);
        login.write(&mut view);
        draw_dialog_box(login.title(), &view, None, frame, area);
    }
    // The keys of a dialog depend on whether there is more to scroll to, which is known when it has been drawn.
    draw_footer(app, frame, footer);
    if let Some(text) = &app.text_view {
        text.draw(frame, area);
    }
}

fn breadcrumbs(app: &App) -> String {
    let store_name = |id: &String| app.account.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone();
    let rest = match &app.location {
        Location::KeyStores => "External key stores".to_owned(),
        Location::KeyStore(id) => format!("External key stores > {}", store_name(id)),
        Location::Keys => "Customer managed keys".to_owned(),
        Location::AwsKeys => "AWS managed keys".to_owned(),
        Location::CloudHsm => "AWS CloudHSM key stores".to_owned(),
        Location::Key(id) => format!("Customer managed keys > {id}"),
        Location::ExternalKeys => "External key manager".to_owned(),
        Location::Events => return " CloudTrail > Event history".to_owned(),
        Location::Event(id) => {
            let name = app.events.event(id).map_or(id, |event| &event.event_name);
            return format!(" CloudTrail > Event history > {}", text::escape_controls(name));
        }
        Location::ApiCalls => return " API calls".to_owned(),
        Location::ApiCall(number) => {
            let name = app.api_calls.call(*number).map_or("", |call| call.operation);
            return format!(" API calls > {name}");
        }
        Location::CreateKey => match app.wizard.as_ref().map(|wizard| &wizard.method) {
            Some(Method::FromKeyStore { custom_key_store_id: id }) => {
                format!("External key stores > {} > Create key", store_name(id))
            }
            _ => "Customer managed keys > Create key".to_owned(),
        },
    };
    format!(" KMS > {}", text::escape_controls(&rest))
}

/// Returns the title of what is on the screen: of the dialog, the step of the wizard, or the page. Unless the screen is
/// too narrow, the title is part of its text.
pub fn title(app: &App) -> String {
    if let Some(login) = &app.login {
        return login.title().to_owned();
    }
    match (&app.dialog, &app.location, &app.wizard) {
        (Some(dialog), ..) => {
            let mut view = dialog_view(Rect::new(0, 0, 80, 24));
            match dialog {
                Dialog::Drafts(list) => list.write(&mut view, &app.drafts, &app.account).to_owned(),
                other => write_dialog(other, &app.account, &mut view),
            }
        }
        (None, Location::CreateKey, Some(wizard)) => wizard.step.title().to_owned(),
        // The ID of a key differs between accounts.
        (None, Location::Key(_), _) => "Customer managed keys >".to_owned(),
        _ => {
            let crumbs = breadcrumbs(app);
            crumbs.rsplit(" > ").next().unwrap_or(&crumbs).trim().to_owned()
        }
    }
}

/// Whether what the user types is a secret.
pub fn is_typing_secret(app: &App) -> bool {
    match (&app.login, &app.dialog) {
        (Some(login), _) => login.is_typing(),
        (None, Some(Dialog::Task(task))) => task.secret_input().is_some(),
        _ => false,
    }
}

/// Returns the input that has the focus if it holds a secret that `key` edits.
pub fn edited_secret(app: &App, key: KeyEvent) -> Option<SecretInput> {
    match (&app.login, &app.dialog) {
        (Some(login), _) => login.edited_secret(key),
        (None, Some(Dialog::Task(task))) => task.edited_secret(key),
        _ => None,
    }
}

/// Returns the input that `text` goes to when it is pasted, if the text is a secret there.
pub fn pasted_secret(app: &App, text: &str) -> Option<SecretInput> {
    match (&app.login, &app.dialog) {
        (Some(login), _) => login.secret_input(),
        (None, Some(Dialog::Task(task))) => task.pasted_secret(text),
        _ => None,
    }
}

fn draw_body(app: &App, frame: &mut Frame, area: Rect) {
    let on_list = app.is_on_navigation_page();
    let shows_navigation = on_list && (area.width >= 100 || app.navigation_focus.is_some());
    let wide = if shows_navigation { 26.min(area.width / 2) } else { 0 };
    let [left, page] = Layout::horizontal([Constraint::Length(wide), Constraint::Min(1)]).areas(area);
    if shows_navigation {
        draw_navigation(app, frame, left);
    }
    let is_focused = app.navigation_focus.is_none();
    match &app.location {
        Location::KeyStores => app.key_stores.draw(&app.account, is_focused, frame, page),
        Location::KeyStore(_) => app.key_store.draw(&app.account, frame, page),
        Location::Keys => app.keys.draw(&app.account, is_focused, frame, page),
        Location::AwsKeys => app.aws_keys.draw(&app.account, is_focused, frame, page),
        Location::CloudHsm => pages::draw_cloud_hsm(frame, page),
        Location::Key(_) => app.key.draw(&app.account, frame, page),
        Location::ExternalKeys => app.external_keys.draw(&app.account, is_focused, frame, page),
        Location::Events => app.events.draw(is_focused, frame, page),
        Location::Event(_) => app.event.draw(frame, page),
        Location::ApiCalls => app.api_calls.draw(is_focused, frame, page),
        Location::ApiCall(number) => pages::api_call::draw(app.api_calls.call(*number), frame, page),
        Location::CreateKey => {
            if let Some(wizard) = &app.wizard {
                wizard.draw(&app.account, frame, page);
            }
        }
    }
}

fn draw_navigation(app: &App, frame: &mut Frame, area: Rect) {
    let mut view = ScrollView::new(area.width);
    view.heading(" Key Management Service");
    view.blank_line();
    for (place, (words, location)) in NAVIGATION.iter().enumerate() {
        let group = match location {
            Location::CloudHsm => Some("Custom key stores"),
            Location::ExternalKeys => Some("Outside AWS"),
            Location::Events => Some("CloudTrail"),
            Location::ApiCalls => Some("This console"),
            _ => None,
        };
        if let Some(group) = group {
            view.blank_line();
            view.push_line(Line::styled(format!("  {group}"), theme::SECONDARY));
        }
        let (mark, style) = match (app.navigation_focus == Some(place), app.location == *location) {
            (true, _) => (" ▸ ", theme::FOCUS),
            (false, true) => (" • ", theme::ACCENT),
            _ => ("   ", theme::TEXT),
        };
        view.push_line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(*words, style)]));
    }
    view.draw(frame, area);
}

/// The maximum number of keys in the footer.
const MAX_HINTS: usize = 8;

/// Returns the key bindings that fit into a footer of `width` columns. Help, back, and quit are always included.
pub fn footer_bindings(app: &App, width: u16) -> Vec<&'static Binding> {
    let is_kept = |binding: &Binding| matches!(binding.action, Action::Help | Action::Back | Action::Quit);
    let columns = |binding: &Binding| text::width(binding.label) + 1 + text::width(binding.title) + 2;
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

fn draw_footer(app: &App, frame: &mut Frame, area: Rect) {
    let mut spans = vec![Span::raw(" ")];
    for binding in footer_bindings(app, area.width) {
        spans.push(Span::styled(binding.label, theme::ACCENT));
        spans.push(Span::styled(format!(" {}  ", binding.title), theme::SECONDARY));
    }
    frame.render_widget(Line::from(spans), area);
}

fn draw_dialog(app: &App, dialog: &Dialog, frame: &mut Frame, area: Rect) {
    let mut view = dialog_view(area);
    let title = match dialog {
        Dialog::Drafts(list) => list.write(&mut view, &app.drafts, &app.account).to_owned(),
        other => write_dialog(other, &app.account, &mut view),
    };
    let scroll = match dialog {
        Dialog::Task(task) => Some(task.scroll()),
        Dialog::FieldHelp { scroll, .. } | Dialog::KeyboardHelp { scroll, .. } => Some(scroll),
        _ => None,
    };
    draw_dialog_box(&title, &view, scroll, frame, area);
}

fn dialog_width(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(76)
}

fn dialog_view(area: Rect) -> ScrollView {
    ScrollView::new(dialog_width(area).saturating_sub(4))
}

/// Draws a dialog box in the middle of the screen.
fn draw_dialog_box(title: &str, view: &ScrollView, scroll: Option<&ScrollState>, frame: &mut Frame, area: Rect) {
    let width = dialog_width(area);
    let height = u16::try_from(view.len() + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block =
        Block::bordered().border_type(BorderType::Rounded).border_style(theme::ACCENT).title(format!(" {title} "));
    let inner = block.inner(place);
    frame.render_widget(block, place);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match scroll {
        Some(scroll) => view.draw_scrolled(frame, inner, scroll),
        None => view.draw(frame, inner),
    }
}

/// Writes keys and their descriptions.
fn write_bindings(view: &mut ScrollView, bindings: &[&Binding]) {
    for binding in bindings {
        let words = text::wrap(binding.help, view.width.saturating_sub(13));
        for (row, words) in words.into_iter().enumerate() {
            let label = if row == 0 { binding.label } else { "" };
            let label = Span::styled(text::fit(label, 12), theme::ACCENT);
            view.push_line(Line::from(vec![label, Span::raw(words)]));
        }
    }
}

/// Writes a dialog and returns its title.
fn write_dialog(dialog: &Dialog, account: &AccountState, view: &mut ScrollView) -> String {
    match dialog {
        // `draw_dialog` writes this one, because it needs the drafts.
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
            write_bindings(view, bindings);
            let label = field.label();
            let label = if label.len() > 50 { "Confirmation" } else { label };
            label.to_owned()
        }
        Dialog::KeyboardHelp { bindings, .. } => {
            write_bindings(view, bindings);
            "Keyboard shortcuts".to_owned()
        }
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
