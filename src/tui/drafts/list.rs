//! The list of drafts on the screen: one is gone on with, or discarded.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::{Drafts, offer, stood, store, what};
use crate::create_key::known::Known;
use crate::create_key::method::Method;
use crate::drafts::{Entry, Place, Saved};
use crate::tui::pages::date;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::{button_row, text};

/// The list of drafts on the screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// The wizard that opens when none of them is gone on with.
    pub begin: Option<Method>,
    /// Where one went; before that it is the first row that leads on.
    cursor: Option<usize>,
    /// The draft that is about to be open.
    pub opens: Option<String>,
    /// The draft that is asked about, and whether the focus is on *Discard*; it starts on *Keep*.
    discards: Option<(String, bool)>,
}

/// What a key did.
#[derive(Clone, Debug, PartialEq)]
pub enum Pressed {
    /// It moved the cursor, or nothing.
    Taken,
    /// Close the list.
    Close,
    /// Go on with a draft.
    Open(String),
    /// Begin anew.
    Begin(Method),
    /// Remove a draft.
    Discard(String),
}

impl List {
    /// The list, and beneath it the wizard that can be begun instead.
    pub fn new(begin: Option<Method>) -> Self {
        Self { begin, ..Self::default() }
    }

    fn cursor(&self, drafts: &Drafts, known: &Known) -> usize {
        let leads_on = || {
            let place = drafts.place(known)?;
            drafts.list.iter().position(|entry| offer(entry, &place).is_ok())
        };
        let anew = if self.begin.is_some() { drafts.list.len() } else { 0 };
        self.cursor.or_else(leads_on).unwrap_or(anew).min(self.rows(drafts).saturating_sub(1))
    }

    fn rows(&self, drafts: &Drafts) -> usize {
        drafts.list.len() + usize::from(self.begin.is_some())
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, drafts: &Drafts, known: &Known) -> Pressed {
        let cursor = self.cursor(drafts, known);
        let here = drafts.list.get(cursor);
        // What is typed in the meantime is for the wizard, and never for the page beneath.
        if self.opens.is_some() {
            return if key.code == KeyCode::Esc { Pressed::Close } else { Pressed::Taken };
        }
        if let Some((name, on_do)) = self.discards.take() {
            match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
                    self.discards = Some((name, !on_do));
                }
                KeyCode::Enter | KeyCode::Char(' ') if on_do => return Pressed::Discard(name),
                KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Esc => {}
                _ => self.discards = Some((name, on_do)),
            }
            return Pressed::Taken;
        }
        match (key.code, here) {
            (KeyCode::Up | KeyCode::BackTab, _) => self.cursor = Some(cursor.saturating_sub(1)),
            (KeyCode::Down | KeyCode::Tab, _) => {
                self.cursor = Some((cursor + 1).min(self.rows(drafts).saturating_sub(1)));
            }
            (KeyCode::Home, _) => self.cursor = Some(0),
            (KeyCode::End, _) => self.cursor = Some(self.rows(drafts).saturating_sub(1)),
            (KeyCode::Esc | KeyCode::Char('q' | 'D'), _) => return Pressed::Close,
            (KeyCode::Char('n'), _) => return self.begin.clone().map_or(Pressed::Taken, Pressed::Begin),
            (KeyCode::Enter | KeyCode::Char(' '), None) => {
                return self.begin.clone().map_or(Pressed::Close, Pressed::Begin);
            }
            (KeyCode::Enter | KeyCode::Char(' '), Some(entry)) => {
                let is_offered = drafts.place(known).is_some_and(|place| offer(entry, &place).is_ok());
                if is_offered {
                    self.opens = Some(entry.name.clone());
                    return Pressed::Open(entry.name.clone());
                }
            }
            (KeyCode::Char('d'), Some(Entry { name, saved: Ok(_), is_open: false })) => {
                self.discards = Some((name.clone(), false));
            }
            _ => {}
        }
        Pressed::Taken
    }

    /// Writes the list, or the question whether to discard a draft; gives the title.
    pub fn write(&self, paper: &mut Paper, drafts: &Drafts, known: &Known) -> &'static str {
        let Some(place) = drafts.place(known) else { return "Drafts" };
        let cursor = self.cursor(drafts, known);
        if let Some((name, on_do)) = &self.discards
            && let Some((_, saved)) =
                drafts.list.iter().find(|entry| entry.name == *name).and_then(|entry| entry.saved.as_ref().ok())
        {
            write_question(paper, saved, *on_do);
            return "Discard the draft?";
        }
        for (row, entry) in drafts.list.iter().enumerate() {
            paper.focused(row == cursor, |paper| write_entry(paper, entry, row == cursor, &place, known));
        }
        if drafts.list.is_empty() {
            paper.prose("No drafts are kept.", 0, theme::TEXT);
        }
        if self.begin.is_some() {
            paper.gap();
            let here = cursor == drafts.list.len();
            paper.focused(here, |paper| write_row(paper, here, "Create another KMS key", true));
        }
        paper.gap();
        let begins = if self.begin.is_some() { " · n another key" } else { "" };
        paper.prose(&format!("Enter goes on · d discards, and asks{begins} · Esc closes"), 0, theme::QUIET);
        "Unfinished KMS keys"
    }
}

fn write_row(paper: &mut Paper, here: bool, words: &str, is_offered: bool) {
    let style = match (here, is_offered) {
        (true, _) => theme::FOCUS,
        (false, true) => theme::TEXT,
        (false, false) => theme::QUIET,
    };
    let words = text::truncate(&text::escape_controls(words), paper.width.saturating_sub(3));
    let mark = Span::styled(if here { "▸ " } else { "  " }, theme::ACCENT);
    paper.line(Line::from(vec![mark, Span::styled(words, style)]));
}

fn write_entry(paper: &mut Paper, entry: &Entry, here: bool, place: &Place, known: &Known) {
    let offered = offer(entry, place);
    let words = match &entry.saved {
        Ok((_, saved)) => what(saved),
        Err(_) => format!("{}.json", entry.name),
    };
    write_row(paper, here, &words, offered.is_ok());
    match offered {
        Ok((at, saved)) => {
            let style = if saved.submission.is_in_doubt() { theme::WARNING } else { theme::QUIET };
            paper.prose(&stood(saved), 4, style);
            paper.prose(&format!("{} · {}", store(saved, known), date(at)), 4, theme::QUIET);
        }
        Err(why) => {
            paper.prose(&why, 4, theme::QUIET);
        }
    }
}

fn write_question(paper: &mut Paper, saved: &Saved, on_do: bool) {
    paper.pair("Draft", &what(saved), theme::TEXT);
    paper.pair("It stood", &stood(saved), theme::TEXT);
    paper.gap();
    paper.prose("What was typed and chosen for this KMS key is lost.", 0, theme::TEXT);
    if saved.submission.is_in_doubt() {
        paper.prose("Nothing will tell any more that a key may have been created for it.", 0, theme::WARNING);
    }
    paper.gap();
    button_row(paper, &[Some("Keep"), Some("Discard")], usize::from(on_do));
}
