//! The command palette and the keyboard help: a list of everything that can be done or opened here, with a search.

use std::cell::Cell;
use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::{Line, Span};

use crate::tui::dialogs::menu::MenuAction;
use crate::tui::pages::Location;
use crate::tui::theme;
use crate::tui::theme_name::ThemeName;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::fuzzy::{self, FuzzyMatch};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;
use crate::tui::widgets::text_field::TextField;

/// The maximum number of entries that are shown. A better search finds the others.
const MAX_MATCHES: usize = 200;
/// The start of a search for what to open, as on the command line. It is optional.
const OPEN_COMMAND: &str = "open ";
/// The lines above the entries: the search field, and a blank line.
const HEADER_LINES: usize = 2;
/// The width of the keys at the right.
const KEY_WIDTH: usize = 11;

/// The list that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaletteKind {
    /// Everything: actions, pages, key stores, and keys.
    Commands,
    /// The keys that are available here, with their descriptions.
    Shortcuts,
}

/// What an entry does.
#[derive(Clone, Debug, PartialEq)]
pub enum PaletteCommand {
    /// Presses a key.
    Press(KeyEvent),
    /// Opens a page.
    Open(Location),
    /// Finds a key or a key store by its ID, ARN, alias, or name, and opens its page.
    Find(String),
    /// Chooses what a click would choose.
    Click(Click),
    /// Runs an action of the actions menu.
    Menu(Box<MenuAction>),
    /// Goes to a wizard step, by its number.
    GoToStep(usize),
    /// Draws with another theme.
    SetTheme(ThemeName),
}

/// An entry.
#[derive(Clone, Debug, PartialEq)]
pub struct PaletteEntry {
    /// What kind of thing the entry is, such as "Action" or "KMS key".
    pub group: &'static str,
    /// The name.
    pub title: String,
    /// More words to show and to find the entry by.
    pub detail: String,
    /// The key that does the same, as it is displayed.
    pub key: String,
    /// What the entry does.
    pub command: PaletteCommand,
}

/// The state of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    kind: PaletteKind,
    entries: Vec<PaletteEntry>,
    /// The text that is searched for each entry: its title and its details.
    texts: Vec<String>,
    search: TextField,
    matches: Vec<FuzzyMatch>,
    /// Whether everything on this page comes before other pages, because leaving this page interrupts the user.
    prefers_this_page: bool,
    /// Whether a name that isn't in the list can be looked up in AWS.
    has_lookup: bool,
    cursor: usize,
    /// The number of rows that the last frame showed.
    rows: Cell<usize>,
}

/// The result of a key press.
#[derive(Clone, Debug, PartialEq)]
pub enum PaletteEvent {
    /// The palette handled the key.
    Handled,
    /// Close the palette.
    Close,
    /// Close the palette and run a command.
    Run(PaletteCommand),
}

impl Palette {
    /// Creates the palette with these entries.
    pub fn new(kind: PaletteKind, entries: Vec<PaletteEntry>) -> Self {
        let texts: Vec<String> = entries.iter().map(search_text).collect();
        let matches = fuzzy::search("", &texts);
        Self {
            kind,
            entries,
            texts,
            search: TextField::default(),
            matches,
            prefers_this_page: false,
            has_lookup: false,
            cursor: 0,
            rows: Cell::new(1),
        }
    }

    /// Lists everything on this page before other pages.
    #[must_use]
    pub fn preferring_this_page(self) -> Self {
        Self { prefers_this_page: true, ..self }
    }

    /// Offers to look up names in AWS that aren't in the list.
    #[must_use]
    pub fn with_lookup(self) -> Self {
        Self { has_lookup: true, ..self }
    }

    fn update_matches(&mut self) {
        self.matches = match self.kind {
            PaletteKind::Shortcuts => fuzzy::search_words(self.search.value(), &self.texts),
            PaletteKind::Commands => {
                let typed = self.search.value();
                fuzzy::search(typed.strip_prefix(OPEN_COMMAND).unwrap_or(typed), &self.texts)
            }
        };
        if self.prefers_this_page {
            let is_elsewhere = |found: &FuzzyMatch| {
                let entry = self.entries.get(found.index);
                entry.is_some_and(|entry| matches!(entry.command, PaletteCommand::Open(_)))
            };
            self.matches.sort_by_key(is_elsewhere);
        }
        self.cursor = 0;
    }

    /// Returns the name of a key or a key store to find in AWS: the typed text, if nothing else matches, or if it has the
    /// form of a name. The list has only what is loaded.
    fn name_to_find(&self) -> Option<&str> {
        let typed = self.search.value();
        let name = typed.strip_prefix(OPEN_COMMAND).unwrap_or(typed).trim();
        let may_be_name = self.matches.is_empty() || typed.starts_with(OPEN_COMMAND) || has_form_of_name(name);
        (self.has_lookup && !name.is_empty() && may_be_name).then_some(name)
    }

    /// Returns the last row: a match, or the offer to find the typed name.
    fn last_row(&self) -> usize {
        let rows = self.matches.len().min(MAX_MATCHES) + usize::from(self.name_to_find().is_some());
        rows.saturating_sub(1)
    }

    /// Returns what the row at the cursor does.
    fn command(&self) -> Option<PaletteCommand> {
        let found = self.matches.get(self.cursor).filter(|_| self.cursor < MAX_MATCHES);
        match found.and_then(|found| self.entries.get(found.index)) {
            Some(entry) => Some(entry.command.clone()),
            None => self.name_to_find().map(|name| PaletteCommand::Find(name.to_owned())),
        }
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, pasted: &str) {
        self.search.paste(pasted);
        self.update_matches();
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> PaletteEvent {
        let last = self.last_row();
        let is_palette_key = key.code == KeyCode::Char('k') && key.modifiers == KeyModifiers::CONTROL;
        match key.code {
            KeyCode::Esc => return PaletteEvent::Close,
            _ if is_palette_key => return PaletteEvent::Close,
            KeyCode::F(1) => return PaletteEvent::Close,
            KeyCode::Char('?') if self.kind == PaletteKind::Shortcuts => return PaletteEvent::Close,
            KeyCode::Enter => {
                return self.command().map_or(PaletteEvent::Handled, PaletteEvent::Run);
            }
            KeyCode::Up | KeyCode::BackTab => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Tab => self.cursor = (self.cursor + 1).min(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(self.rows.get()),
            KeyCode::PageDown => self.cursor = (self.cursor + self.rows.get()).min(last),
            _ => {
                let before = self.search.value().to_owned();
                self.search.handle_key(key);
                if self.search.value() != before {
                    self.update_matches();
                }
            }
        }
        PaletteEvent::Handled
    }

    /// Moves the cursor to a clicked entry and returns the key that runs it, or places the cursor in the search field.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match *click {
            Click::Row(row) => {
                self.cursor = row.min(self.last_row());
                Some(KeyCode::Enter.into())
            }
            Click::Text { column, .. } => {
                self.search.move_cursor_to_column(column);
                None
            }
            _ => None,
        }
    }

    /// Moves the cursor by this number of entries.
    pub fn move_cursor_by(&mut self, entries: isize) {
        self.cursor = self.cursor.saturating_add_signed(entries).min(self.last_row());
    }

    /// Returns the dialog title.
    pub fn title(&self) -> &'static str {
        match self.kind {
            PaletteKind::Commands => "Commands",
            PaletteKind::Shortcuts => "Keyboard shortcuts",
        }
    }

    /// Writes the palette in `height` lines. It always takes all of them, so that it doesn't jump while the user types.
    pub fn write(&self, view: &mut ScrollView, height: usize) {
        let count = match (self.matches.len(), self.entries.len()) {
            (found, all) if found == all => format!("{all}"),
            (found, all) => format!("{found} of {all}"),
        };
        let columns = view.width.saturating_sub(text::width(&count) + 3);
        self.search.write(view, 0, columns, true, "");
        view.append_span(Span::styled(format!("  {count}"), theme::SECONDARY));
        view.blank_line();
        let end = height.saturating_sub(1);
        let room = end.saturating_sub(HEADER_LINES).max(1);
        self.rows.set(room);
        let mut group = "";
        for (row, found) in
            self.matches.iter().enumerate().take(MAX_MATCHES).skip(self.first_visible_row(room, view.width))
        {
            let Some(entry) = self.entries.get(found.index) else { continue };
            let has_heading = self.search.value().is_empty() && entry.group != group;
            if view.len() + usize::from(has_heading) >= end {
                break;
            }
            if has_heading {
                view.push_line(Line::styled(format!("  {}", entry.group), theme::SECONDARY));
            }
            group = entry.group;
            self.write_entry(view, row, entry, found);
            view.truncate(end);
        }
        if let Some(name) = self.name_to_find() {
            let row = self.matches.len().min(MAX_MATCHES);
            write_offer_to_find(view, name, row, row == self.cursor);
            view.truncate(end);
        } else if self.matches.is_empty() {
            view.push_line(Line::styled("  No matches. Delete some characters to see more.", theme::SECONDARY));
        }
        while view.len() < end {
            view.push_line("");
        }
        view.push_line(Line::from(vec![
            Span::styled("  Enter", theme::ACCENT),
            Span::styled(" Run  ", theme::SECONDARY),
            Span::styled("↑ ↓", theme::ACCENT),
            Span::styled(" Choose  ", theme::SECONDARY),
            Span::styled("Esc", theme::ACCENT),
            Span::styled(" Close", theme::SECONDARY),
        ]));
    }

    /// Returns the first row to show in `room` lines, so that the row at the cursor is visible with its group heading.
    fn first_visible_row(&self, room: usize, width: usize) -> usize {
        let entry = |row: usize| self.matches.get(row).and_then(|found| self.entries.get(found.index));
        let starts_group = |row: usize| {
            let group = |row| entry(row).map(|entry| entry.group);
            self.search.value().is_empty() && group(row) != group(row.wrapping_sub(1))
        };
        let description =
            entry(self.cursor).map_or(0, |entry| self.full_description(entry, width).len().saturating_sub(1));
        let (mut first, mut used) = (self.cursor, 2 + description);
        while first > 0 && used + 1 + usize::from(starts_group(first)) <= room {
            used += 1 + usize::from(starts_group(first));
            first -= 1;
        }
        first
    }

    /// Returns the lines with the full description of a key, if the list cuts it.
    fn full_description(&self, entry: &PaletteEntry, width: usize) -> Vec<String> {
        let room = width.saturating_sub(KEY_WIDTH + 2);
        let is_cut = self.kind == PaletteKind::Shortcuts && text::width(&entry.title) > room;
        if is_cut { text::wrap(&entry.title, room) } else { Vec::new() }
    }

    fn write_entry(&self, view: &mut ScrollView, row: usize, entry: &PaletteEntry, found: &FuzzyMatch) {
        let is_here = row == self.cursor;
        let style = if is_here { theme::SELECTED } else { theme::TEXT };
        let mut line = Line::from(Span::styled(if is_here { "▌ " } else { "  " }, theme::ACCENT));
        if self.kind == PaletteKind::Shortcuts {
            line.push_span(Span::styled(text::fit(&entry.key, KEY_WIDTH), theme::ACCENT));
        }
        let full = self.full_description(entry, view.width);
        if is_here && !full.is_empty() {
            // The list cuts long descriptions; the chosen one is shown in full.
            let lead = " ".repeat(line.width());
            view.clickable(Click::Row(row), |view| {
                for (index, words) in full.into_iter().enumerate() {
                    let start = if index == 0 { std::mem::take(&mut line) } else { Line::raw(lead.clone()) };
                    view.push_line(start.spans.into_iter().chain([Span::styled(words, style)]).collect::<Line>());
                }
            });
            return;
        }
        // Without group headings, each entry says what it is.
        let note = if self.search.value().is_empty() || !entry.key.is_empty() { &entry.key } else { entry.group };
        let note_style = if note == entry.group { theme::SECONDARY } else { theme::ACCENT };
        let right = if self.kind == PaletteKind::Shortcuts { 0 } else { text::width(note) + 1 };
        let gap = usize::from(right > 0);
        let room = view.width.saturating_sub(line.width() + gap + right);
        let text = text::truncate(&shown_text(entry), room);
        // For an action, the key is searched behind the title, but the description is shown there.
        let is_title_searched = matches!(entry.command, PaletteCommand::Press(_) | PaletteCommand::SetTheme(_));
        let title_end = text::escape_controls(&entry.title).len().min(text.len());
        let searched = if is_title_searched { title_end } else { text.len() };
        let hits = found.bytes.range(..searched);
        let (in_title, in_detail): (BTreeSet<usize>, BTreeSet<usize>) = hits.partition(|byte| **byte < title_end);
        let in_detail = in_detail.into_iter().map(|byte| byte - title_end).collect();
        // A shortened title ends within the text, with an ellipsis.
        let title_end = text.floor_char_boundary(title_end);
        line.spans.extend(fuzzy::highlight(&text[..title_end], &in_title, style));
        line.spans.extend(fuzzy::highlight(&text[title_end..], &in_detail, theme::SECONDARY));
        if right > 0 {
            line.push_span(Span::raw(" ".repeat(view.width.saturating_sub(line.width() + right))));
            line.push_span(Span::styled(format!("{note} "), note_style));
        }
        view.clickable(Click::Row(row), |view| {
            view.push_line(line);
        });
    }
}

/// Writes the row that finds a name in AWS.
fn write_offer_to_find(view: &mut ScrollView, name: &str, row: usize, is_here: bool) {
    let style = if is_here { theme::SELECTED } else { theme::TEXT };
    let words = format!("Find \"{}\": key ID, ARN, or alias, or key store ID or name", text::escape_controls(name));
    let mark = Span::styled(if is_here { "▌ " } else { "  " }, theme::ACCENT);
    let room = view.width.saturating_sub(mark.width());
    view.clickable(Click::Row(row), |view| {
        view.push_line(Line::from(vec![mark, Span::styled(text::truncate(&words, room), style)]));
    });
}

/// Whether a text has the form of an ARN, an alias, or an ID of a key or a key store.
fn has_form_of_name(text: &str) -> bool {
    const KEY_ID_LENGTH: usize = 36;
    ["arn:", "alias/", "cks-", "mrk-"].iter().any(|start| text.starts_with(start)) || text.len() == KEY_ID_LENGTH
}

/// Returns the text of an entry as it is shown: its title, and its details behind it.
fn shown_text(entry: &PaletteEntry) -> String {
    let detail = text::escape_controls(&entry.detail);
    let title = text::escape_controls(&entry.title);
    if detail.is_empty() { title } else { format!("{title}  {detail}") }
}

/// Returns the text that is searched. It starts like the shown text, so that matching characters have the same positions.
/// Descriptions of actions contain almost any letters, so the key is searched instead.
fn search_text(entry: &PaletteEntry) -> String {
    match entry.command {
        PaletteCommand::Press(_) | PaletteCommand::SetTheme(_) => {
            format!("{}  {}", text::escape_controls(&entry.title), entry.key)
        }
        _ => shown_text(entry),
    }
}

#[cfg(test)]
mod tests;
