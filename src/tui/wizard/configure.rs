//! Step *Configure key*: what is fixed, the store, the external key, the acknowledgement.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::{Wish, Wizard};
use crate::aws::kms::ConnectionState;
use crate::create_key::field::Field;
use crate::create_key::known::Known;
use crate::create_key::validate::FieldError;
use crate::tui::connect::Afterwards;
use crate::tui::pages::key_stores::external;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::state_style;
use crate::tui::widgets::text;

/// What a KMS key in an external key store cannot but be.
const FIXED: [(&str, &str); 5] = [
    ("Key type", "Symmetric"),
    ("Key usage", "Encrypt and decrypt"),
    ("Key spec", "SYMMETRIC_DEFAULT"),
    ("Key material origin", "External key store"),
    ("Regionality", "Single-Region key"),
];

impl Wizard {
    pub(super) fn press_stores(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        let stores = external(known);
        match key.code {
            KeyCode::Up if self.store_cursor == 0 => self.step_focus(-1),
            KeyCode::Up => self.store_cursor -= 1,
            KeyCode::Down if self.store_cursor + 1 < stores.len() => self.store_cursor += 1,
            KeyCode::Down => self.step_focus(1),
            KeyCode::Enter | KeyCode::Char(' ') => {
                if let Some(store) = stores.get(self.store_cursor) {
                    let id = store.custom_key_store_id.clone();
                    self.draft.custom_key_store_id = Some(id.clone());
                    if store.connection_state != ConnectionState::Connected {
                        return vec![Wish::Connect(id, Afterwards::Stay)];
                    }
                }
            }
            KeyCode::Esc => return self.leave(),
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn write_configure(&self, paper: &mut Paper, known: &Known, errors: &[FieldError]) {
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
        self.write_field(paper, Field::CustomKeyStore, errors, |paper, is_focused| {
            if Self::loaded_note(paper, "external key stores", &known.key_stores) {
                self.write_stores(paper, known, is_focused);
            }
        });
        paper.gap();
        self.write_text_field(paper, Field::ExternalKeyId, errors, "bb8562717f809024");
        paper.gap();
        self.write_checkbox(paper, Field::Acknowledgement, self.draft.acknowledged, errors);
    }

    fn write_stores(&self, paper: &mut Paper, known: &Known, is_focused: bool) {
        for (row, store) in external(known).into_iter().enumerate() {
            let chosen = self.draft.custom_key_store_id.as_ref() == Some(&store.custom_key_store_id);
            let here = is_focused && row == self.store_cursor;
            let state = store.connection_state.label();
            // The name is what a person knows the store by; the ID stands beside it where there is room for both.
            let with_id = paper.width >= 64;
            let others = if with_id { 44 } else { 20 };
            let name = text::fit(
                &text::harmless(&store.custom_key_store_name),
                paper.width.saturating_sub(others).clamp(10, 40),
            );
            let style = if here { theme::FOCUS } else { theme::TEXT };
            let mut spans = vec![
                Span::raw("  "),
                Span::styled(if chosen { "◉ " } else { "○ " }, if chosen { theme::ACCENT } else { theme::TEXT }),
                Span::styled(format!("{name} "), style),
            ];
            if with_id {
                spans.push(Span::styled(format!("{} ", text::fit(&store.custom_key_store_id, 21)), style));
            }
            spans.push(Span::styled(state, if here { style } else { state_style(state) }));
            paper.line(Line::from(spans));
        }
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
