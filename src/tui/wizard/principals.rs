//! Steps *Define key administrative permissions* and *Define key usage permissions*.

use crossterm::event::{KeyCode, KeyEvent};

use super::spots::Spot;
use super::{Wish, Wizard};
use crate::create_key::field::Field;
use crate::create_key::known::{Known, Principal, PrincipalKind};
use crate::create_key::validate::FieldError;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows};

pub(super) const COLUMNS: [Column; 3] = [
    Column { title: "Name", least: 22, weight: 3 },
    Column { title: "Type", least: 6, weight: 0 },
    Column { title: "Path", least: 12, weight: 2 },
];

pub(super) fn cell(principal: &Principal, column: usize) -> String {
    match column {
        0 => principal.name.clone(),
        1 => match principal.kind {
            PrincipalKind::User => "User".to_owned(),
            PrincipalKind::Role => "Role".to_owned(),
        },
        _ => principal.path.clone(),
    }
}

impl Wizard {
    pub(super) fn press_principals(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        let administrators = self.here() == Spot::Field(Field::Administrators);
        let list = known.principals.ready().map_or(&[][..], Vec::as_slice);
        let table = if administrators { &mut self.administrators } else { &mut self.users };
        let at_end = table.current() == table.shown().last().copied();
        if key.code == KeyCode::Down && at_end && !table.is_searching() {
            self.step_focus(1);
            return Vec::new();
        }
        let pressed = table.press(key, COLUMNS.len());
        let shown: Vec<&str> =
            table.shown().iter().filter_map(|row| list.get(*row)).map(|one| one.arn.as_str()).collect();
        let chosen = if administrators { &mut self.draft.administrators } else { &mut self.draft.users };
        match pressed {
            Pressed::Toggle(row) | Pressed::Open(row) => {
                if let Some(principal) = list.get(row) {
                    toggle(chosen, &principal.arn);
                }
            }
            Pressed::ToggleAll => {
                let all = shown.iter().all(|arn| chosen.iter().any(|one| one == arn));
                for arn in shown {
                    if all || !chosen.iter().any(|one| one == arn) {
                        toggle(chosen, arn);
                    }
                }
            }
            Pressed::Sorted => self.arrange(known),
            Pressed::Taken => {}
            Pressed::Ignored if key.code == KeyCode::Esc => return self.leave(),
            Pressed::Ignored => {
                if keymap::action(&[Context::Asked], key) == Some(Action::Refresh) {
                    return vec![Wish::Ask(Call::Principals)];
                }
            }
        }
        Vec::new()
    }

    pub(super) fn write_administrators(&self, paper: &mut Paper, height: usize, known: &Known) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        self.write_table(paper, height.saturating_sub(12).clamp(5, 24), known, Field::Administrators);
        paper.heading("Key deletion");
        let ticked = self.draft.administrators_may_delete;
        self.write_checkbox(paper, Field::AdministratorsMayDelete, ticked, &[]);
    }

    pub(super) fn write_users(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        self.write_table(paper, height.saturating_sub(12).clamp(5, 24), known, Field::Users);
        self.write_accounts(paper, errors);
    }

    fn write_table(&self, paper: &mut Paper, height: usize, known: &Known, field: Field) {
        let (table, chosen, title) = match field {
            Field::Administrators => (&self.administrators, &self.draft.administrators, "Key administrators"),
            _ => (&self.users, &self.draft.users, "Key users · This account"),
        };
        let is_focused = self.here() == Spot::Field(field);
        paper.heading(&format!("{title} ({} chosen)", chosen.len()));
        if !Self::loaded_note(paper, "IAM users and roles", &known.principals) {
            return;
        }
        let list = known.principals.ready().map_or(&[][..], Vec::as_slice);
        let rows = Rows {
            total: list.len(),
            cell: &|row, column| list.get(row).map(|one| cell(one, column)).unwrap_or_default(),
            choice: Choice::Many,
            is_chosen: &|row| list.get(row).is_some_and(|one| chosen.contains(&one.arn)),
        };
        paper.focused(is_focused, |_| {});
        table.write(paper, &COLUMNS, height, is_focused, &rows);
    }
}

fn toggle(chosen: &mut Vec<String>, arn: &str) {
    match chosen.iter().position(|one| one == arn) {
        Some(place) => {
            chosen.remove(place);
        }
        None => chosen.push(arn.to_owned()),
    }
}
