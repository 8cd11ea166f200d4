//! Step *Configure key*: what is fixed, the store, the external key, the acknowledgement.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::spots::Spot;
use super::{Wish, Wizard};
use crate::aws::kms::{ConnectionState, Origin};
use crate::create_key::choice::{choices, chosen};
use crate::create_key::field::Field;
use crate::create_key::known::Known;
use crate::create_key::method::Method;
use crate::create_key::validate::FieldError;
use crate::tui::connect::Afterwards;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::pages::key_stores::{cell, external};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows};
use crate::tui::widgets::{button, text};

/// What a KMS key in an external key store cannot but be.
const FIXED: [(&str, &str); 5] = [
    ("Key type", "Symmetric"),
    ("Key usage", "Encrypt and decrypt"),
    ("Key spec", "SYMMETRIC_DEFAULT"),
    ("Key material origin", "External key store"),
    ("Regionality", "Single-Region key"),
];

/// The columns of the table of stores, the first ones of *External key stores*.
pub(super) const COLUMNS: [Column; 4] = [
    Column { title: "Custom key store name", least: 18, weight: 3 },
    Column { title: "Connection state", least: 14, weight: 1 },
    Column { title: "Custom key store ID", least: 22, weight: 1 },
    Column { title: "Proxy connectivity", least: 20, weight: 1 },
];

impl Wizard {
    pub(super) fn press_stores(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        let at = |end: Option<&usize>| self.stores.current() == end.copied();
        let (first, last) = (at(self.stores.shown().first()), at(self.stores.shown().last()));
        if !self.stores.is_searching() {
            match key.code {
                KeyCode::Up if first => {
                    self.step_focus(-1);
                    return Vec::new();
                }
                KeyCode::Down if last => {
                    self.step_focus(1);
                    return Vec::new();
                }
                _ => {}
            }
        }
        match self.stores.press(key, COLUMNS.len()) {
            Pressed::Toggle(row) | Pressed::Open(row) => {
                if let Some(store) = external(known).get(row) {
                    let id = store.custom_key_store_id.clone();
                    if store.connection_state != ConnectionState::Connected {
                        // One that is not connected can't be chosen, but it can be connected right here.
                        return vec![Wish::Connect(id, Afterwards::Choose)];
                    }
                    // Who chooses what is chosen goes on.
                    if self.draft.custom_key_store_id.as_ref() == Some(&id) && key.code == KeyCode::Enter {
                        self.step_focus(1);
                    }
                    self.draft.custom_key_store_id = Some(id);
                }
            }
            Pressed::Sorted => self.arrange(known),
            Pressed::Taken | Pressed::ToggleAll => {}
            Pressed::Ignored if key.code == KeyCode::Esc => return self.leave(),
            Pressed::Ignored => {
                if keymap::action(&[Context::Asked], key) == Some(Action::Refresh) {
                    return vec![Wish::Ask(Call::KeyStores)];
                }
            }
        }
        Vec::new()
    }

    /// Chooses the store that was connected from here.
    pub fn choose_store(&mut self, store_id: String, known: &Known) {
        self.draft.custom_key_store_id = Some(store_id);
        self.arrange(known);
        self.select_store(known);
    }

    /// Moves among radio buttons and switches one on, if it can be chosen here.
    pub(super) fn press_options(&mut self, field: Field, key: KeyEvent) -> Vec<Wish> {
        let options = choices(field);
        match key.code {
            KeyCode::Up | KeyCode::Left if self.option > 0 => self.option -= 1,
            KeyCode::Down | KeyCode::Right if self.option + 1 < options.len() => self.option += 1,
            KeyCode::Up | KeyCode::Left => self.step_focus(-1),
            KeyCode::Down | KeyCode::Right => self.step_focus(1),
            KeyCode::Enter | KeyCode::Char(' ') => {
                let can = options.get(self.option).is_some_and(|option| option.not_here.is_none());
                if field == Field::Origin && can {
                    self.draft.origin = Origin::ALL.get(self.option).copied().unwrap_or(self.draft.origin);
                    self.forget_later_steps();
                }
            }
            KeyCode::Esc => return self.leave(),
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn write_configure(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        if self.method == Method::FromCustomerManagedKeys {
            self.write_configuration(paper, errors);
            return;
        }
        paper.prose(self.step.intro(), 2, theme::QUIET);
        paper.heading("Key configuration (fixed)");
        if paper.width >= 70 {
            for row in FIXED.chunks(2) {
                let mut spans = vec![Span::raw("  ")];
                for (label, value) in row {
                    spans.push(Span::styled(text::fit(label, 20), theme::QUIET));
                    spans.push(Span::raw(text::fit(value, 22)));
                }
                paper.line(Line::from(spans));
            }
        } else {
            paper.prose(&FIXED.map(|(_, value)| value).join(" · "), 2, theme::TEXT);
        }
        paper.gap();
        self.write_stores(paper, height, known, errors);
        paper.gap();
        self.write_text_field(paper, Field::ExternalKeyId, errors, "bb8562717f809024");
        paper.gap();
        self.write_checkbox(paper, Field::Acknowledgement, self.draft.acknowledged, errors);
    }

    /// *Configure key* of Method 2: key type, key usage, and the origins behind *Advanced options*.
    fn write_configuration(&self, paper: &mut Paper, errors: &[FieldError]) {
        for field in [Field::KeyType, Field::KeyUsage] {
            self.write_options(paper, field, errors);
            paper.gap();
        }
        let is_focused = self.here() == Spot::AdvancedOptions;
        let words = if self.shows_origins { "▾ Advanced options" } else { "▸ Advanced options" };
        paper.focused(is_focused, |paper| {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(button(words, is_focused));
            spans.push(Span::styled(format!("  Key material origin: {}", self.draft.origin.label()), theme::QUIET));
            paper.line(Line::from(spans));
        });
        if self.shows_origins {
            paper.gap();
            self.write_options(paper, Field::Origin, errors);
        }
        if self.draft.is_external() {
            paper.gap();
            self.write_checkbox(paper, Field::Acknowledgement, self.draft.acknowledged, errors);
        }
    }

    /// Radio buttons, each with its meaning; the one under the cursor also with why it can't be chosen.
    fn write_options(&self, paper: &mut Paper, field: Field, errors: &[FieldError]) {
        let on = chosen(field, self.draft.origin);
        self.write_field(paper, field, errors, |paper, is_focused| {
            for (index, option) in choices(field).iter().enumerate() {
                let here = is_focused && index == self.option;
                let style = match (here, option.not_here) {
                    (true, _) => theme::FOCUS,
                    (false, Some(_)) => theme::QUIET,
                    (false, None) => theme::TEXT,
                };
                let mark = if index == on { "◉ " } else { "○ " };
                paper.line(Line::from(vec![
                    Span::raw("  "),
                    Span::styled(mark, if index == on { theme::ACCENT } else { theme::TEXT }),
                    Span::styled(option.label, style),
                    Span::styled(if option.not_here.is_some() { "  (not here)" } else { "" }, theme::QUIET),
                ]));
                if here || index == on {
                    paper.prose(option.meaning, 6, theme::QUIET);
                }
                if here && let Some(why) = option.not_here {
                    paper.prose(why, 6, theme::WARNING);
                }
            }
        });
    }

    /// Step *Choose external key for this KMS key*.
    pub(super) fn write_external_key(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        paper.gap();
        self.write_stores(paper, height, known, errors);
        paper.gap();
        self.write_text_field(paper, Field::ExternalKeyId, errors, "bb8562717f809024");
        paper.gap();
        let is_focused = self.here() == Spot::CreateKeyStore;
        paper.focused(is_focused, |paper| {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(button("Create external key store", is_focused));
            paper.line(Line::from(spans));
        });
    }

    fn write_stores(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        self.write_field(paper, Field::CustomKeyStore, errors, |paper, is_focused| {
            if !Self::loaded_note(paper, "external key stores", &known.key_stores) {
                return;
            }
            let stores = external(known);
            if stores.is_empty() {
                paper.prose("No external key stores. Create one first.", 2, theme::TEXT);
                return;
            }
            let rows = Rows {
                total: stores.len(),
                cell: &|row, column| cell(stores[row], column),
                choice: Choice::One,
                is_chosen: &|row| self.draft.custom_key_store_id.as_ref() == Some(&stores[row].custom_key_store_id),
            };
            // The name is what a person knows a store by; the rest stands beside it where there is room for it.
            let columns = match paper.width {
                ..64 => &COLUMNS[..2],
                64..90 => &COLUMNS[..3],
                _ => &COLUMNS,
            };
            let rows_shown = height.saturating_sub(14).clamp(4, 10);
            self.stores.write(paper, columns, rows_shown + 2, is_focused, &rows);
        });
    }

    /// Writes a checkbox whose label is what one agrees to.
    pub(super) fn write_checkbox(&self, paper: &mut Paper, field: Field, ticked: bool, errors: &[FieldError]) {
        let is_focused = self.field_here() == Some(field);
        let mark = if ticked { "☑" } else { "☐" };
        paper.focused(is_focused, |paper| {
            let rows = text::wrap(field.label(), paper.width.saturating_sub(5));
            for (index, words) in rows.into_iter().enumerate() {
                let lead = match (index, is_focused) {
                    (0, true) => format!("▸ {mark} "),
                    (0, false) => format!("  {mark} "),
                    _ => "    ".to_owned(),
                };
                let style = if is_focused { theme::FOCUS } else { theme::TEXT };
                paper.line(Line::from(vec![Span::styled(lead, theme::ACCENT), Span::styled(words, style)]));
            }
            match self.error_at(field, errors) {
                Some(error) => paper.prose(&format!("✗ {error}"), 4, theme::BAD),
                None => paper.prose(field.hint(), 4, theme::QUIET),
            };
        });
    }
}
