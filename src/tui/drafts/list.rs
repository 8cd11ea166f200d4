//! The list of drafts on the screen: one is gone on with, or discarded.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::{Drafts, check_resumable, describe_progress, display_name, key_store_name};
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Method;
use crate::drafts::{DraftEntry, DraftScope, SavedDraft};
use crate::tui::pages::format_date;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{button_row, text};

/// The list of drafts on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftList {
    /// The wizard that opens when none of them is gone on with.
    pub new_key_method: Option<Method>,
    /// Where one went; before that it is the first row that leads on.
    cursor: Option<usize>,
    /// The draft that is about to be open.
    pub opening: Option<String>,
    /// The draft that is asked about, and whether the focus is on *Discard*; it starts on *Keep*.
    discard_confirmation: Option<(String, bool)>,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftListEvent {
    /// It moved the cursor, or nothing.
    Handled,
    /// Close the list.
    Close,
    /// Go on with a draft.
    Open(String),
    /// Begin anew.
    CreateNew(Method),
    /// Remove a draft.
    Discard(String),
}

impl DraftList {
    /// The list, and beneath it the wizard that can be begun instead.
    pub fn new(begin: Option<Method>) -> Self {
        Self { new_key_method: begin, ..Self::default() }
    }

    fn cursor(&self, drafts: &Drafts, account: &AccountState) -> usize {
        let leads_on = || {
            let place = drafts.scope(account)?;
            drafts.list.iter().position(|entry| check_resumable(entry, &place).is_ok())
        };
        let anew = if self.new_key_method.is_some() { drafts.list.len() } else { 0 };
        self.cursor.or_else(leads_on).unwrap_or(anew).min(self.rows(drafts).saturating_sub(1))
    }

    fn rows(&self, drafts: &Drafts) -> usize {
        drafts.list.len() + usize::from(self.new_key_method.is_some())
    }

    /// Takes a key.
    pub fn handle_key(&mut self, key: KeyEvent, drafts: &Drafts, account: &AccountState) -> DraftListEvent {
        let cursor = self.cursor(drafts, account);
        let here = drafts.list.get(cursor);
        // What is typed in the meantime is for the wizard, and never for the page beneath.
        if self.opening.is_some() {
            return if key.code == KeyCode::Esc { DraftListEvent::Close } else { DraftListEvent::Handled };
        }
        if let Some((name, is_discard_focused)) = self.discard_confirmation.take() {
            match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
                    self.discard_confirmation = Some((name, !is_discard_focused));
                }
                KeyCode::Enter | KeyCode::Char(' ') if is_discard_focused => return DraftListEvent::Discard(name),
                KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Esc => {}
                _ => self.discard_confirmation = Some((name, is_discard_focused)),
            }
            return DraftListEvent::Handled;
        }
        match (key.code, here) {
            (KeyCode::Up | KeyCode::BackTab, _) => self.cursor = Some(cursor.saturating_sub(1)),
            (KeyCode::Down | KeyCode::Tab, _) => {
                self.cursor = Some((cursor + 1).min(self.rows(drafts).saturating_sub(1)));
            }
            (KeyCode::Home, _) => self.cursor = Some(0),
            (KeyCode::End, _) => self.cursor = Some(self.rows(drafts).saturating_sub(1)),
            (KeyCode::Esc | KeyCode::Char('q' | 'D'), _) => return DraftListEvent::Close,
            (KeyCode::Char('n'), _) => {
                return self.new_key_method.clone().map_or(DraftListEvent::Handled, DraftListEvent::CreateNew);
            }
            (KeyCode::Enter | KeyCode::Char(' '), None) => {
                return self.new_key_method.clone().map_or(DraftListEvent::Close, DraftListEvent::CreateNew);
            }
            (KeyCode::Enter | KeyCode::Char(' '), Some(entry)) => {
                let is_offered = drafts.scope(account).is_some_and(|place| check_resumable(entry, &place).is_ok());
                if is_offered {
                    self.opening = Some(entry.name.clone());
                    return DraftListEvent::Open(entry.name.clone());
                }
            }
            (KeyCode::Char('d'), Some(DraftEntry { name, saved: Ok(_), is_open: false })) => {
                self.discard_confirmation = Some((name.clone(), false));
            }
            _ => {}
        }
        DraftListEvent::Handled
    }

    /// Writes the list, or the question whether to discard a draft; gives the title.
    pub fn write(&self, view: &mut ScrollView, drafts: &Drafts, account: &AccountState) -> &'static str {
        let Some(place) = drafts.scope(account) else { return "Drafts" };
        let cursor = self.cursor(drafts, account);
        if let Some((name, is_discard_focused)) = &self.discard_confirmation
            && let Some((_, saved)) =
                drafts.list.iter().find(|entry| entry.name == *name).and_then(|entry| entry.saved.as_ref().ok())
        {
            write_discard_confirmation(view, saved, *is_discard_focused);
            return "Discard the draft?";
        }
        for (row, entry) in drafts.list.iter().enumerate() {
            view.focused(row == cursor, |view| write_entry(view, entry, row == cursor, &place, account));
        }
        if drafts.list.is_empty() {
            view.paragraph("No drafts are kept.", 0, theme::TEXT);
        }
        if self.new_key_method.is_some() {
            view.blank_line();
            let here = cursor == drafts.list.len();
            view.focused(here, |view| write_row(view, here, "Create another KMS key", true));
        }
        view.blank_line();
        let begins = if self.new_key_method.is_some() { " · n another key" } else { "" };
        view.paragraph(&format!("Enter goes on · d discards, and asks{begins} · Esc closes"), 0, theme::MUTED);
        "Unfinished KMS keys"
    }
}

fn write_row(view: &mut ScrollView, here: bool, words: &str, is_offered: bool) {
    let style = match (here, is_offered) {
        (true, _) => theme::FOCUS,
        (false, true) => theme::TEXT,
        (false, false) => theme::MUTED,
    };
    let words = text::truncate(&text::escape_controls(words), view.width.saturating_sub(3));
    let mark = Span::styled(if here { "▸ " } else { "  " }, theme::ACCENT);
    view.push_line(Line::from(vec![mark, Span::styled(words, style)]));
}

fn write_entry(view: &mut ScrollView, entry: &DraftEntry, here: bool, place: &DraftScope, account: &AccountState) {
    let offered = check_resumable(entry, place);
    let words = match &entry.saved {
        Ok((_, saved)) => display_name(saved),
        Err(_) => format!("{}.json", entry.name),
    };
    write_row(view, here, &words, offered.is_ok());
    match offered {
        Ok((at, saved)) => {
            let style = if saved.submission.is_in_doubt() { theme::WARNING } else { theme::MUTED };
            view.paragraph(&describe_progress(saved), 4, style);
            view.paragraph(&format!("{} · {}", key_store_name(saved, account), format_date(at)), 4, theme::MUTED);
        }
        Err(why) => {
            view.paragraph(&why, 4, theme::MUTED);
        }
    }
}

fn write_discard_confirmation(view: &mut ScrollView, saved: &SavedDraft, is_discard_focused: bool) {
    view.key_value("Draft", &display_name(saved), theme::TEXT);
    view.key_value("It stood", &describe_progress(saved), theme::TEXT);
    view.blank_line();
    view.paragraph("What was typed and chosen for this KMS key is lost.", 0, theme::TEXT);
    if saved.submission.is_in_doubt() {
        view.paragraph("Nothing will tell any more that a key may have been created for it.", 0, theme::WARNING);
    }
    view.blank_line();
    button_row(view, &[Some("Keep"), Some("Discard")], usize::from(is_discard_focused));
}
