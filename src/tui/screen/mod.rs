//! The frame around every page: header, breadcrumbs, navigation, messages, dialogs, and the footer with the available
//! keys.

mod breadcrumbs;
mod dialog_box;
mod footer;
mod navigation;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

pub use footer::footer_bindings;

use super::app::drafts::shows_drafts;
use super::app::{App, Dialog, MIN_SCREEN_SIZE};
use super::flash;
use super::header;
use super::keymap::{self, Action};
use super::lesson;
use super::pages::{self, Location};
use super::theme;
use super::widgets::button::{Button, ButtonKind};
use super::widgets::canvas::{Canvas, Click};
use super::widgets::form::SecretInput;
use super::widgets::text;
use crate::aws::active_proxy_faults::ActiveProxyFaults;

/// The key of *Drafts*, which the notice about drafts names.
const DRAFTS_KEY: KeyCode = KeyCode::Char('D');

/// Draws the whole screen, and remembers which parts of it react to clicks.
pub fn draw(app: &App, frame: &mut Frame) {
    let mut canvas = Canvas::new(frame);
    draw_screen(app, &mut canvas);
    app.set_clicks(canvas.into_clicks());
}

fn draw_screen(app: &App, canvas: &mut Canvas) {
    let screen = canvas.area();
    let panel_width = if app.lesson().is_some() { lesson::panel_width(screen.width) } else { 0 };
    let [area, panel] = Layout::horizontal([Constraint::Min(1), Constraint::Length(panel_width)]).areas(screen);
    canvas.set_area(area);
    if area.width < MIN_SCREEN_SIZE.0 || area.height < MIN_SCREEN_SIZE.1 {
        let words = format!("Enlarge to {}x{}. Ctrl-C quits.", MIN_SCREEN_SIZE.0, MIN_SCREEN_SIZE.1);
        let line = Line::raw(text::truncate(&words, area.width.into()));
        canvas.line(&line, Rect { height: area.height.min(1), ..area });
        return;
    }
    let keys = flash::ActionKeys {
        report: app.shows_reportable_error().then(|| app.keymap.label_of(Action::ErrorReport)),
        show_error: app.keymap.label_of(Action::ShowError),
        is_typing: app.is_typing(),
    };
    let flashes = flash::lines(&app.flashes, area.width, &keys);
    let shown = u16::try_from(flashes.len()).unwrap_or(u16::MAX).min(area.height / 3);
    let notice = app
        .drafts
        .notice(&app.account, &app.keymap.label_of(Action::Drafts), area.width.into())
        .filter(|_| shows_drafts(&app.location));
    let faults = faults_notice(app, area.width.into());
    let rows = [
        Constraint::Length(1),
        Constraint::Length(u16::from(faults.is_some())),
        Constraint::Length(1),
        Constraint::Length(shown),
        Constraint::Length(u16::from(notice.is_some())),
        Constraint::Min(1),
        Constraint::Length(1),
    ];
    let [header, fault, crumbs, flash, draft, body, footer] = Layout::vertical(rows).areas(area);
    header::draw(app, canvas, header);
    if let Some(notice) = faults {
        canvas.on_click(fault, Click::Navigate(Location::ProxyFaults));
        canvas.line(&notice, fault);
    }
    let badge = app.lesson_badge();
    let badge_width = badge.as_ref().map_or(0, |(words, _)| u16::try_from(text::width(words)).unwrap_or(u16::MAX));
    let [crumbs, lesson] = Layout::horizontal([Constraint::Min(1), Constraint::Length(badge_width)]).areas(crumbs);
    breadcrumbs::draw(app, canvas, crumbs);
    if let Some((words, is_done)) = badge {
        canvas.on_click(lesson, Click::Key(KeyCode::F(7).into()));
        canvas.line(&Line::styled(words, if is_done { theme::SUCCESS } else { theme::ACCENT }), lesson);
    }
    flash::draw(&app.flashes, flashes, &keys, canvas, flash);
    if let Some(notice) = notice {
        canvas.on_click(draft, Click::PageKey(DRAFTS_KEY.into()));
        canvas.line(&notice, draft);
    }
    draw_body(app, canvas, body);
    dialog_box::draw(app, canvas, area);
    if let Some(lesson) = app.lesson().filter(|_| app.is_lesson_in_front()) {
        canvas.cover();
        lesson.draw(canvas, Rect { height: area.height - 1, ..area }, &app.keymap);
    }
    // The keys of a dialog depend on whether there is more to scroll to, which is known when it has been drawn.
    footer::draw(app, canvas, footer);
    if let Some(text) = &app.text_view {
        canvas.cover();
        text.draw(canvas, area, &app.keymap);
    }
    if let Some(lesson) = app.lesson().filter(|_| panel_width > 0) {
        canvas.set_area(screen);
        lesson.draw(canvas, panel, &app.keymap);
    }
}

/// Returns the notice that proxy faults are active.
fn faults_notice(app: &App, width: usize) -> Option<Line<'static>> {
    let ActiveProxyFaults { count, first } = app.active_proxy_faults.as_ref()?;
    let words = match count {
        1 => format!(" ▲ 1 proxy fault is active: {first}"),
        count => format!(" ▲ {count} proxy faults are active: {first}, and {} more", count - 1),
    };
    Some(Line::styled(text::truncate(&text::escape_controls(&words), width), theme::WARNING))
}

/// Returns the title of what is on the screen: of the dialog, the step of the wizard, or the page. Unless the screen is
/// too narrow, the title is part of its text.
pub fn title(app: &App) -> String {
    if let Some(title) = dialog_box::title(app) {
        return title;
    }
    match (&app.location, &app.wizard) {
        (Location::CreateKey, Some(wizard)) => wizard.step.title().to_owned(),
        // The ID of a key differs between accounts.
        (Location::Key(_), _) => "Customer managed keys ›".to_owned(),
        _ => breadcrumbs::page_name(app),
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

/// Returns the buttons of the current page, from the actions that are available there.
fn page_buttons(app: &App) -> Vec<Button> {
    let buttons = app.page_bindings().filter_map(|(binding, applies)| {
        let (label, kind) = keymap::page_button(binding)?;
        let button = Button::new(label).on_click(Click::PageKey(binding.key_event()));
        Some((kind, Button { kind: if applies { kind } else { ButtonKind::Disabled }, ..button }))
    });
    let mut buttons: Vec<(ButtonKind, Button)> = buttons.collect();
    buttons.sort_by_key(|(kind, _)| *kind);
    buttons.into_iter().map(|(_, button)| button).collect()
}

fn draw_body(app: &App, canvas: &mut Canvas, area: Rect) {
    let wide = navigation::width(app, area);
    let [left, page] = Layout::horizontal([Constraint::Length(wide), Constraint::Min(1)]).areas(area);
    if wide > 0 {
        navigation::draw(app, canvas, left);
    }
    let is_focused = app.navigation_focus.is_none();
    let buttons = page_buttons(app);
    match &app.location {
        Location::KeyStores => app.key_stores.draw(&app.account, is_focused, buttons, canvas, page),
        Location::KeyStore(_) => app.key_store.draw(&app.account, canvas, page),
        Location::Keys => app.keys.draw(&app.account, is_focused, buttons, canvas, page),
        Location::AwsKeys => app.aws_keys.draw(&app.account, is_focused, buttons, canvas, page),
        Location::CloudHsm => pages::draw_cloud_hsm(canvas, page),
        Location::Key(_) => app.key.draw(&app.account, buttons, canvas, page),
        Location::ExternalKeys => app.external_keys.draw(&app.account, is_focused, buttons, canvas, page),
        Location::ProxyFaults => app.proxy_fault_list.draw(is_focused, buttons, canvas, page),
        Location::Workloads => app.workloads.draw(is_focused, canvas, page),
        Location::Events => app.events.draw(is_focused, buttons, canvas, page),
        Location::Event(_) => app.event.draw(buttons, canvas, page),
        Location::Xray => app.flows.draw(&app.account, is_focused, buttons, canvas, page),
        Location::XrayFlow(_) => app.flow.draw(&app.account, buttons, canvas, page),
        Location::ApiCalls => app.api_calls.draw(is_focused, buttons, canvas, page),
        Location::ApiCall(number) => pages::api_call::draw(app.api_calls.call(*number), buttons, canvas, page),
        Location::CreateKey => {
            if let Some(wizard) = &app.wizard {
                wizard.draw(&app.account, canvas, page);
            }
        }
    }
}
