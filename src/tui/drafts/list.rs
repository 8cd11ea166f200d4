//! The list of drafts, to resume or discard one.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::{Drafts, check_resumable, describe_progress, display_name, key_store_name};
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Method;
use crate::drafts::{DraftEntry, DraftScope, SavedDraft};
use crate::text::time;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{button_row, text};

/// The columns of *d to discard* in the line below the list.
const DISCARD_COLUMNS: Range<usize> = 23..35;

/// The list of drafts on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftList {
    /// The wizard to open instead of a draft, when the list was opened by creating a key.
    pub new_key_method: Option<Method>,
    /// The row that the user moved to. By default, the cursor is on the first draft that can be resumed.
    cursor: Option<usize>,
    /// The draft that is being opened.
    pub opening: Option<String>,
    /// The draft to confirm discarding, and whether the focus is on *Discard*. It starts on *Keep*.
    discard_confirmation: Option<(String, bool)>,
}

/// The result of a key press.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftListEvent {
    /// Nothing to do for the caller.
    Handled,
    /// Closes the list.
    Close,
    /// Resumes a draft.
    Open(String),
    /// Opens an empty wizard.
    CreateNew(Method),
    /// Deletes a draft.
    Discard(String),
}

impl DraftList {
    /// Creates the list, with a row for a new KMS key if `new_key_method` is given.
    pub fn new(new_key_method: Option<Method>) -> Self {
        Self { new_key_method, ..Self::default() }
    }

    fn cursor(&self, drafts: &Drafts, account: &AccountState) -> usize {
        let first_resumable = || {
            let place = drafts.scope(account)?;
            drafts.list.iter().position(|entry| check_resumable(entry, &place).is_ok())
        };
        let new_key_row = if self.new_key_method.is_some() { drafts.list.len() } else { 0 };
        self.cursor.or_else(first_resumable).unwrap_or(new_key_row).min(self.rows(drafts).saturating_sub(1))
    }

    fn rows(&self, drafts: &Drafts) -> usize {
        drafts.list.len() + usize::from(self.new_key_method.is_some())
    }

    /// Whether the list asks whether to discard a draft.
    pub fn is_confirming(&self) -> bool {
        self.discard_confirmation.is_some()
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, drafts: &Drafts, account: &AccountState) -> DraftListEvent {
        let cursor = self.cursor(drafts, account);
        let here = drafts.list.get(cursor);
        // Keys pressed while the draft opens are meant for the wizard, not for the page behind the list.
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
                let is_resumable = drafts.scope(account).is_some_and(|place| check_resumable(entry, &place).is_ok());
                if is_resumable {
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

    /// Moves the cursor to a clicked row or button, and returns the key that activates it.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match (click, &mut self.discard_confirmation) {
            _ if self.opening.is_some() => return None,
            (Click::Button(button), Some((_, is_discard_focused))) => *is_discard_focused = *button == 1,
            (Click::Row(row), None) => self.cursor = Some(*row),
            _ => return None,
        }
        Some(KeyCode::Enter.into())
    }

    /// Moves the cursor by this number of rows.
    pub fn move_cursor_by(&mut self, rows: isize, drafts: &Drafts, account: &AccountState) {
        if self.opening.is_none() && self.discard_confirmation.is_none() {
            let moved = self.cursor(drafts, account).saturating_add_signed(rows);
            self.cursor = Some(moved.min(self.rows(drafts).saturating_sub(1)));
        }
    }

    /// Writes the list, or the confirmation for discarding a draft. Returns the dialog title.
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
            view.focused(row == cursor, |view| {
                view.clickable(Click::Row(row), |view| write_entry(view, entry, row == cursor, &place, account));
            });
        }
        if drafts.list.is_empty() {
            view.paragraph("No drafts", 0, theme::TEXT);
        }
        if self.new_key_method.is_some() {
            view.blank_line();
            let here = cursor == drafts.list.len();
            view.focused(here, |view| {
                let row = Click::Row(drafts.list.len());
                view.clickable(row, |view| write_row(view, here, "Create another KMS key", true));
            });
        }
        view.blank_line();
        let new_key = if self.new_key_method.is_some() { ", n for a new key" } else { "" };
        if !drafts.list.is_empty() {
            let line = view.len();
            let words = format!("Press Enter to resume, d to discard{new_key}, or Esc to close.");
            view.paragraph(&words, 0, theme::SECONDARY);
            view.clickable_at(line, DISCARD_COLUMNS, Click::Key(KeyCode::Char('d').into()));
        }
        "Drafts of KMS keys"
    }
}

fn write_row(view: &mut ScrollView, here: bool, words: &str, is_enabled: bool) {
    let style = match (here, is_enabled) {
        (true, _) => theme::SELECTED,
        (false, true) => theme::TEXT,
        (false, false) => theme::SECONDARY,
    };
    let words = text::truncate(&text::escape_controls(words), view.width.saturating_sub(3));
    let mark = Span::styled(if here { "▌ " } else { "  " }, theme::ACCENT);
    view.push_line(Line::from(vec![mark, Span::styled(words, style)]));
}

fn write_entry(view: &mut ScrollView, entry: &DraftEntry, here: bool, place: &DraftScope, account: &AccountState) {
    let resumable = check_resumable(entry, place);
    let words = match &entry.saved {
        Ok((_, saved)) => display_name(saved),
        Err(_) => format!("{}.json", entry.name),
    };
    write_row(view, here, &words, resumable.is_ok());
    match resumable {
        Ok((at, saved)) => {
            let style = if saved.submission.is_in_doubt() { theme::WARNING } else { theme::SECONDARY };
            view.paragraph(&describe_progress(saved), 4, style);
            view.paragraph(
                &format!("{} · {}", key_store_name(saved, account), time::to_minute(at)),
                4,
                theme::SECONDARY,
            );
        }
        Err(why) => {
            view.paragraph(&why, 4, theme::SECONDARY);
        }
    }
}

fn write_discard_confirmation(view: &mut ScrollView, saved: &SavedDraft, is_discard_focused: bool) {
    view.key_value("Draft", &display_name(saved), theme::TEXT);
    view.key_value("Progress", &describe_progress(saved), theme::TEXT);
    view.blank_line();
    view.paragraph("You will lose everything you entered for this KMS key.", 0, theme::TEXT);
    if saved.submission.is_in_doubt() {
        view.warning("There will be no record that a KMS key might have been created.", 0);
    }
    view.blank_line();
    button_row(view, &[Some("Keep"), Some("Discard")], usize::from(is_discard_focused));
}
