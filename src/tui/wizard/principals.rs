//! Steps *Define key administrative permissions* and *Define key usage permissions*.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::spots::Spot;
use super::{Wish, Wizard};
use crate::aws::arn::Arn;
use crate::create_key::field::Field;
use crate::create_key::known::{Known, Loaded};
use crate::create_key::method::Step;
use crate::create_key::principals::{Principal, PrincipalKind, Principals, Progress};
use crate::create_key::validate::{FieldError, typed_principal};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Extent, Pressed, Rows, Table};
use crate::tui::widgets::text;

const COLUMNS: [Column; 3] = [
    Column { title: "Name", least: 22, weight: 3 },
    Column { title: "Type", least: 6, weight: 0 },
    Column { title: "Path", least: 12, weight: 2 },
];

/// When so many rows or fewer are left below the cursor, the next page is asked for.
const ROWS_AHEAD: usize = 50;

/// The rows of a table: what AWS lists, then what was typed.
struct Listed<'a> {
    list: &'a [Principal],
    typed: Vec<&'a str>,
}

impl<'a> Listed<'a> {
    fn new(known: &'a Known, chosen: &'a [String]) -> Self {
        let typed = chosen.iter().map(String::as_str).filter(|arn| !known.principals.has(arn)).collect();
        Self { list: known.principals.list(), typed }
    }

    fn len(&self) -> usize {
        self.list.len() + self.typed.len()
    }

    fn arn(&self, row: usize) -> Option<&'a str> {
        let typed = || self.typed.get(row - self.list.len()).copied();
        self.list.get(row).map(|one| one.arn.as_str()).or_else(typed)
    }

    fn cell(&self, row: usize, column: usize) -> String {
        let Some(one) = self.list.get(row) else {
            let arn = self.arn(row).unwrap_or_default();
            return match column {
                0 => typed_name(arn),
                1 => "typed".to_owned(),
                _ => arn.to_owned(),
            };
        };
        match column {
            0 => one.name.clone(),
            1 => match one.kind {
                PrincipalKind::User => "User".to_owned(),
                PrincipalKind::Role => "Role".to_owned(),
            },
            _ => one.path.clone(),
        }
    }
}

/// A name as the lists have it; of an account's root the account.
fn typed_name(text: &str) -> String {
    match text.parse::<Arn>() {
        Ok(arn) if arn.resource == "root" => format!("root of {}", arn.account),
        Ok(arn) => arn.resource.rsplit('/').next().unwrap_or_default().to_owned(),
        Err(_) => text.to_owned(),
    }
}

fn page_of(kind: PrincipalKind, marker: Option<String>) -> Call {
    match kind {
        PrincipalKind::User => Call::Users(marker),
        PrincipalKind::Role => Call::Roles(marker),
    }
}

impl Wizard {
    fn table_of(&mut self, field: Field) -> &mut Table {
        if field == Field::Administrators { &mut self.administrators } else { &mut self.users }
    }

    fn chosen(&self, field: Field) -> &[String] {
        if field == Field::Administrators { &self.draft.administrators } else { &self.draft.users }
    }

    fn chosen_mut(&mut self, field: Field) -> &mut Vec<String> {
        if field == Field::Administrators { &mut self.draft.administrators } else { &mut self.draft.users }
    }

    /// Arranges both tables anew.
    pub(super) fn arrange_principals(&mut self, known: &Known) {
        let (administrators, users) = (&self.draft.administrators, &self.draft.users);
        for (table, chosen) in [(&mut self.administrators, administrators), (&mut self.users, users)] {
            let rows = Listed::new(known, chosen);
            table.extent = if known.principals.are_whole() { Extent::Whole } else { Extent::SoFar };
            table.arrange(rows.len(), &COLUMNS, &|row, column| rows.cell(row, column));
        }
    }

    /// The principals that the cursors of the two tables are on.
    pub fn principals_here(&self, known: &Known) -> [Option<String>; 2] {
        [(&self.administrators, &self.draft.administrators), (&self.users, &self.draft.users)].map(|(table, chosen)| {
            table.current().and_then(|row| Listed::new(known, chosen).arn(row)).map(str::to_owned)
        })
    }

    /// Arranges the tables anew, with each cursor on the principal that it was on.
    pub fn arrange_around(&mut self, here: &[Option<String>; 2], known: &Known) {
        self.arrange(known);
        for (field, here) in [Field::Administrators, Field::Users].into_iter().zip(here) {
            let rows = Listed::new(known, self.chosen(field));
            let place = here.as_deref().and_then(|arn| (0..rows.len()).find(|row| rows.arn(*row) == Some(arn)));
            if let Some(row) = place {
                self.table_of(field).select(row);
            }
        }
    }

    /// The pages that the table which is shown needs: it is read almost to its end, or searched.
    pub fn principals_to_ask(&self, known: &Known) -> Vec<Call> {
        let table = match self.step {
            Step::Administrators => &self.administrators,
            Step::Users => &self.users,
            _ => return Vec::new(),
        };
        let place = table.current().and_then(|row| table.shown().iter().rposition(|other| *other == row));
        let is_near_end = place.unwrap_or(0) + ROWS_AHEAD >= table.shown().len();
        if !is_near_end && table.search().is_empty() {
            return Vec::new();
        }
        let next = |kind| match known.principals.progress(kind) {
            Progress::More(marker) => Some(page_of(kind, Some(marker.clone()))),
            _ => None,
        };
        Principals::KINDS.into_iter().filter_map(next).collect()
    }

    /// What failed once more; when nothing has, both lists from their beginning.
    fn refresh_principals(known: &Known) -> Vec<Wish> {
        let failed = |kind| match known.principals.progress(kind) {
            Progress::Failed { marker, .. } => Some(page_of(kind, marker.clone())),
            _ => None,
        };
        let mut calls: Vec<Call> = Principals::KINDS.into_iter().filter_map(failed).collect();
        if calls.is_empty() {
            calls = Principals::KINDS.map(|kind| page_of(kind, None)).to_vec();
        }
        calls.into_iter().map(Wish::Ask).collect()
    }

    pub(super) fn press_principals(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        let administrators = self.here() == Spot::Field(Field::Administrators);
        let field = if administrators { Field::Administrators } else { Field::Users };
        let is_coming = |kind| matches!(known.principals.progress(kind), Progress::More(_) | Progress::Loading);
        let table = self.table_of(field);
        let at_end = table.current() == table.shown().last().copied();
        let has_more = !table.shown().is_empty() && Principals::KINDS.into_iter().any(is_coming);
        if key.code == KeyCode::Down && at_end && !has_more && !table.is_searching() {
            self.step_focus(1);
            return Vec::new();
        }
        match table.press(key, COLUMNS.len()) {
            Pressed::Toggle(row) | Pressed::Open(row) => {
                let arn = Listed::new(known, self.chosen(field)).arn(row).map(str::to_owned);
                let is_typed = row >= known.principals.list().len();
                if let Some(arn) = arn {
                    toggle(self.chosen_mut(field), arn);
                }
                if is_typed {
                    self.arrange_principals(known);
                }
            }
            Pressed::ToggleAll => self.toggle_all(field, known),
            Pressed::Sorted => self.arrange(known),
            Pressed::Taken => {}
            Pressed::Ignored if key.code == KeyCode::Esc => return self.leave(),
            Pressed::Ignored => {
                if keymap::action(&[Context::Asked], key) == Some(Action::Refresh) {
                    return Self::refresh_principals(known);
                }
            }
        }
        Vec::new()
    }

    /// Chooses everything shown, or, where all of it is, lets it go.
    fn toggle_all(&mut self, field: Field, known: &Known) {
        let rows = Listed::new(known, self.chosen(field));
        let table = if field == Field::Administrators { &self.administrators } else { &self.users };
        let shown: Vec<String> = table.shown().iter().filter_map(|row| rows.arn(*row)).map(str::to_owned).collect();
        let chosen = self.chosen_mut(field);
        let before: HashSet<String> = chosen.iter().cloned().collect();
        if shown.iter().all(|arn| before.contains(arn)) {
            let shown: HashSet<String> = shown.into_iter().collect();
            chosen.retain(|arn| !shown.contains(arn));
        } else {
            chosen.extend(shown.into_iter().filter(|arn| !before.contains(arn)));
        }
        self.arrange_principals(known);
    }

    /// Takes over the ARN that is typed on this step, if it is right.
    pub(super) fn add_typed(&mut self, known: &Known) {
        let (field, list) = match self.step {
            Step::Administrators => (Field::AddAdministrator, Field::Administrators),
            Step::Users => (Field::AddUser, Field::Users),
            _ => return,
        };
        let typed = self.text_of(field).unwrap_or_default();
        let typed = typed.trim();
        if typed.is_empty() || typed_principal(typed, self.chosen(list), known).is_some() {
            return;
        }
        self.chosen_mut(list).push(typed.to_owned());
        self.set_text(field, String::new());
        self.left.retain(|left| *left != field);
        self.load_editor();
        self.arrange_principals(known);
    }

    pub(super) fn write_administrators(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        self.write_table(paper, height.saturating_sub(12).clamp(5, 24), known, Field::Administrators);
        self.write_text_field(paper, Field::AddAdministrator, errors, "arn:aws:iam::111122223333:role/Name");
        paper.heading("Key deletion");
        let ticked = self.draft.administrators_may_delete;
        self.write_checkbox(paper, Field::AdministratorsMayDelete, ticked, &[]);
    }

    pub(super) fn write_users(&self, paper: &mut Paper, height: usize, known: &Known, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        self.write_table(paper, height.saturating_sub(12).clamp(5, 24), known, Field::Users);
        self.write_text_field(paper, Field::AddUser, errors, "arn:aws:iam::111122223333:role/Name");
        self.write_accounts(paper, errors);
    }

    fn write_table(&self, paper: &mut Paper, height: usize, known: &Known, field: Field) {
        let (table, title) = match field {
            Field::Administrators => (&self.administrators, "Key administrators"),
            _ => (&self.users, "Key users · This account"),
        };
        let chosen = self.chosen(field);
        let is_focused = self.here() == Spot::Field(field);
        paper.heading(&format!("{title} ({} chosen)", chosen.len()));
        let listed = Listed::new(known, chosen);
        paper.focused(is_focused, |_| {});
        if listed.len() > 0 {
            let rows = Rows {
                total: listed.len(),
                cell: &|row, column| listed.cell(row, column),
                choice: Choice::Many,
                is_chosen: &|row| listed.arn(row).is_some_and(|arn| chosen.iter().any(|one| one == arn)),
            };
            table.write(paper, &COLUMNS, height, is_focused, &rows);
        }
        write_progress(paper, &known.principals, is_focused, !table.search().is_empty());
    }
}

/// What is not there: on its way, still to come, or refused.
fn write_progress(paper: &mut Paper, principals: &Principals, is_focused: bool, is_searched: bool) {
    if principals.list().is_empty()
        && Principals::KINDS.iter().all(|kind| matches!(principals.progress(*kind), Progress::Idle | Progress::Loading))
    {
        Wizard::loaded_note(paper, "IAM users and roles", &Loaded::<()>::Loading);
        return;
    }
    let mut has_failed = false;
    for (kind, words) in [(PrincipalKind::User, "IAM users"), (PrincipalKind::Role, "IAM roles")] {
        let count = principals.count(kind);
        let note = match principals.progress(kind) {
            Progress::Whole => continue,
            Progress::Idle | Progress::Loading => format!("… Loading {words}: {count} so far."),
            Progress::More(_) if is_searched => format!("… {words}: {count} so far, and the search goes on."),
            Progress::More(_) => format!("{words}: {count} so far; more come as you go down or search."),
            Progress::Failed { reason, .. } => {
                let line = text::escape_controls(&format!("✗ {words} can't be listed: {reason}"));
                let line = text::truncate(&line, paper.width.saturating_sub(3));
                paper.line(Line::styled(format!("  {line}"), theme::BAD));
                has_failed = true;
                continue;
            }
        };
        paper.prose(&note, 2, theme::QUIET);
    }
    if has_failed {
        // In an empty list this is all that can show where one is.
        let mark = if is_focused && principals.list().is_empty() { "▸ " } else { "  " };
        let words = text::truncate("r tries again, F2 tells why; ARNs can be typed.", paper.width.saturating_sub(3));
        paper.line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(words, theme::QUIET)]));
    }
    if principals.are_whole() && principals.list().is_empty() {
        paper.prose("No IAM users and roles.", 2, theme::QUIET);
    }
}

fn toggle(chosen: &mut Vec<String>, arn: String) {
    match chosen.iter().position(|one| *one == arn) {
        Some(place) => {
            chosen.remove(place);
        }
        None => chosen.push(arn),
    }
}
