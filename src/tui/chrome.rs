//! What stands around every page: who and where one is, navigation, messages, dialogs, the keys that work now.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::app::{App, Dialog, Flash, LEAST_SIZE, NAVIGATION, shows_drafts};
use super::badge;
use super::drafts;
use super::keymap::{self, Action};
use super::pages::{self, Location};
use super::tasks::commands;
use super::theme;
use super::widgets::paper::Paper;
use super::widgets::{button_row, text};
use crate::create_key::known::Known;
use crate::create_key::method::Method;

/// Draws the whole screen.
pub fn draw(app: &App, frame: &mut Frame) {
    let area = frame.area();
    if area.width < LEAST_SIZE.0 || area.height < LEAST_SIZE.1 {
        let words = format!("Needs {} x {} cells. Ctrl-C quits.", LEAST_SIZE.0, LEAST_SIZE.1);
        frame.render_widget(
            Line::raw(text::cut(&words, area.width.into())),
            Rect { height: area.height.min(1), ..area },
        );
        return;
    }
    let flashes = flash_lines(app, area.width);
    let shown = u16::try_from(flashes.len()).unwrap_or(u16::MAX).min(area.height / 3);
    let notice = app.drafts.notice(&app.known, area.width.into()).filter(|_| shows_drafts(&app.location));
    let rows = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(shown),
        Constraint::Length(u16::from(notice.is_some())),
        Constraint::Min(1),
        Constraint::Length(1),
    ];
    let [header, crumbs, flash, draft, body, footer] = Layout::vertical(rows).areas(area);
    badge::draw(app, frame, header);
    frame.render_widget(Line::styled(text::cut(&breadcrumbs(app), crumbs.width.into()), theme::QUIET), crumbs);
    for (row, line) in flashes.into_iter().take(shown.into()).enumerate() {
        let y = flash.y + u16::try_from(row).unwrap_or(0);
        frame.render_widget(line, Rect { y, height: 1, ..flash });
    }
    frame.render_widget(notice.unwrap_or_default(), draft);
    draw_body(app, frame, body);
    draw_footer(app, frame, footer);
    if let Some(dialog) = &app.dialog {
        draw_dialog(app, dialog, frame, area);
    }
    if let Some(login) = &app.login {
        let mut paper = dialog_paper(area);
        login.write(&mut paper);
        draw_box(login.title(), &paper, None, frame, area);
    }
}

fn breadcrumbs(app: &App) -> String {
    let store_name = |id: &String| app.known.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone();
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
            return format!(" CloudTrail > Event history > {}", text::harmless(name));
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
    format!(" KMS > {}", text::harmless(&rest))
}

fn flash_lines(app: &App, width: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for Flash { is_good, title, text: words, link } in app.flashes.iter().rev().take(3) {
        let (mark, style) = if *is_good { ("✓", theme::GOOD) } else { ("✗", theme::BAD) };
        let close = match link {
            Some((words, _)) => format!("   [v] {words}   [Esc] Close"),
            None => "   [Esc] Close".to_owned(),
        };
        lines.push(Line::from(vec![
            Span::styled(format!(" {mark} {title}"), style.patch(theme::HEADING)),
            Span::styled(close, theme::ACCENT),
        ]));
        for row in text::wrap(&text::harmless(words), usize::from(width).saturating_sub(4)) {
            lines.push(Line::raw(format!("   {row}")));
        }
    }
    lines
}

fn draw_body(app: &App, frame: &mut Frame, area: Rect) {
    let on_list = app.is_on_list();
    let shows_navigation = on_list && (area.width >= 100 || app.navigation.is_some());
    let wide = if shows_navigation { 26.min(area.width / 2) } else { 0 };
    let [left, page] = Layout::horizontal([Constraint::Length(wide), Constraint::Min(1)]).areas(area);
    if shows_navigation {
        draw_navigation(app, frame, left);
    }
    let is_focused = app.navigation.is_none();
    match &app.location {
        Location::KeyStores => app.key_stores.draw(&app.known, is_focused, frame, page),
        Location::KeyStore(_) => app.key_store.draw(&app.known, frame, page),
        Location::Keys => app.keys.draw(&app.known, is_focused, frame, page),
        Location::AwsKeys => app.aws_keys.draw(&app.known, is_focused, frame, page),
        Location::CloudHsm => pages::draw_cloud_hsm(frame, page),
        Location::Key(_) => app.key.draw(&app.known, frame, page),
        Location::ExternalKeys => app.external_keys.draw(&app.known, is_focused, frame, page),
        Location::Events => app.events.draw(is_focused, frame, page),
        Location::Event(_) => app.event.draw(frame, page),
        Location::ApiCalls => app.api_calls.draw(is_focused, frame, page),
        Location::ApiCall(number) => pages::api_call::draw(app.api_calls.call(*number), frame, page),
        Location::CreateKey => {
            if let Some(wizard) = &app.wizard {
                wizard.draw(&app.known, frame, page);
            }
        }
    }
}

fn draw_navigation(app: &App, frame: &mut Frame, area: Rect) {
    let mut paper = Paper::new(area.width);
    paper.heading(" Key Management Service");
    paper.gap();
    for (place, (words, location)) in NAVIGATION.iter().enumerate() {
        let group = match location {
            Location::CloudHsm => Some("Custom key stores"),
            Location::ExternalKeys => Some("Outside of AWS"),
            Location::Events => Some("CloudTrail"),
            Location::ApiCalls => Some("This console"),
            _ => None,
        };
        if let Some(group) = group {
            paper.gap();
            paper.line(Line::styled(format!("  {group}"), theme::QUIET));
        }
        let (mark, style) = match (app.navigation == Some(place), app.location == *location) {
            (true, _) => (" ▸ ", theme::FOCUS),
            (false, true) => (" • ", theme::ACCENT),
            _ => ("   ", theme::TEXT),
        };
        paper.line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(*words, style)]));
    }
    paper.draw(frame, area);
}

fn draw_footer(app: &App, frame: &mut Frame, area: Rect) {
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    // A dialog takes the keys first, and explains itself.
    let is_heard = |action: Action| {
        let is_over = app.dialog.is_some() || app.login.is_some();
        !is_over || !matches!(action, Action::Help | Action::Keys | Action::ApiCalls | Action::Switch)
    };
    for binding in keymap::bindings(&app.contexts()).filter(|one| !one.title.is_empty() && is_heard(one.action)) {
        let words = format!("{} {}", binding.label, binding.title);
        if used + text::width(&words) + 2 > usize::from(area.width) {
            continue;
        }
        used += text::width(&words) + 2;
        spans.push(Span::styled(binding.label, theme::ACCENT));
        spans.push(Span::styled(format!(" {}  ", binding.title), theme::QUIET));
    }
    frame.render_widget(Line::from(spans), area);
}

fn draw_dialog(app: &App, dialog: &Dialog, frame: &mut Frame, area: Rect) {
    let mut paper = dialog_paper(area);
    let (title, scroll) = match dialog {
        Dialog::Drafts(list) => (list.write(&mut paper, &app.drafts, &app.known).to_owned(), None),
        other => write_dialog(other, &app.known, &mut paper),
    };
    draw_box(&title, &paper, scroll, frame, area);
}

fn dialog_width(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(76)
}

fn dialog_paper(area: Rect) -> Paper {
    Paper::new(dialog_width(area).saturating_sub(4))
}

/// Draws a box in the middle of the screen.
fn draw_box(title: &str, paper: &Paper, scroll: Option<usize>, frame: &mut Frame, area: Rect) {
    let width = dialog_width(area);
    let height = u16::try_from(paper.len() + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block =
        Block::bordered().border_type(BorderType::Rounded).border_style(theme::ACCENT).title(format!(" {title} "));
    let inner = block.inner(place);
    frame.render_widget(block, place);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match scroll {
        Some(top) => paper.draw_from(frame, inner, top),
        None => paper.draw(frame, inner),
    }
}

/// Writes a dialog; gives its title, and where it is scrolled to when it scrolls.
fn write_dialog(dialog: &Dialog, known: &Known, paper: &mut Paper) -> (String, Option<usize>) {
    match dialog {
        // Written above, from what is known of them.
        Dialog::Drafts(_) => (String::new(), None),
        Dialog::Unsaved { reason, on_do } => (drafts::write_unsaved(paper, reason, *on_do).to_owned(), None),
        Dialog::Menu(menu) => (menu.write(paper).to_owned(), None),
        Dialog::Switch(switcher) => {
            switcher.write(paper);
            (switcher.title().to_owned(), None)
        }
        Dialog::Task(task) => {
            let (title, scroll) = task.write(paper, known);
            (title, (scroll > 0).then_some(scroll))
        }
        Dialog::Connect(connecting) => {
            connecting.write(paper);
            (connecting.title().to_owned(), None)
        }
        Dialog::Disconnect { store_id, name, keys, on_do } => {
            paper.pair("External key store", name, theme::TEXT);
            paper.pair("Custom key store ID", store_id, theme::TEXT);
            paper.gap();
            let words = match keys {
                1 => "The KMS key in this store becomes unavailable".to_owned(),
                keys => format!("The {keys} KMS keys in this store become unavailable"),
            };
            let rest = "nothing can be encrypted or decrypted with it until the store is connected again.";
            paper.prose(&format!("{words}: {rest}"), 0, theme::TEXT);
            paper.gap();
            let go = if known.is_read_only { commands::COPY } else { "Disconnect" };
            if known.is_read_only {
                commands::write_instead(paper, &commands::disconnect(store_id, known));
            }
            paper.focused(known.is_read_only, |paper| {
                button_row(paper, &[Some("Cancel"), Some(go)], usize::from(*on_do));
            });
            ("Disconnect external key store?".to_owned(), None)
        }
        Dialog::Discard { on_do, quits } => {
            paper.prose("What you have typed and chosen for the new KMS key would be lost.", 0, theme::TEXT);
            paper.gap();
            let go = if *quits { "Discard and quit" } else { "Discard" };
            button_row(paper, &[Some("Keep editing"), Some(go)], usize::from(*on_do));
            if *quits {
                paper.prose("Ctrl-C once more quits.", 1, theme::QUIET);
            }
            ("Discard the new KMS key?".to_owned(), None)
        }
        Dialog::FieldHelp { field, scroll } => {
            paper.prose(field.help(), 0, theme::TEXT);
            paper.gap();
            paper.prose(field.hint(), 0, theme::QUIET);
            let label = field.label();
            let label = if label.len() > 50 { "Confirmation" } else { label };
            (label.to_owned(), Some(*scroll))
        }
        Dialog::Keys { contexts, scroll } => {
            for binding in keymap::bindings(contexts) {
                let words = text::wrap(binding.help, paper.width.saturating_sub(13));
                for (row, words) in words.into_iter().enumerate() {
                    let label = if row == 0 { binding.label } else { "" };
                    let label = Span::styled(text::fit(label, 12), theme::ACCENT);
                    paper.line(Line::from(vec![label, Span::raw(words)]));
                }
            }
            ("Keys".to_owned(), Some(*scroll))
        }
    }
}
