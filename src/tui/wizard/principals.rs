//! The steps *Define key administrative permissions* and *Define key usage permissions*.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::focus::FocusTarget;
use super::{Wizard, WizardEvent};
use crate::aws::arn::Arn;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::field::Field;
use crate::create_key::method::Step;
use crate::create_key::principals::{IamPrincipal, ListProgress, PrincipalKind, Principals};
use crate::create_key::validate::{FieldError, principal_error};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Completeness, Rows, SelectionMode, Table, TableEvent};
use crate::tui::widgets::text;

const PRINCIPAL_COLUMNS: [Column; 3] =
    [Column::new("Name", 22, 3), Column::new("Path", 12, 2), Column::new("Type", 6, 0)];

/// The next page is requested when this many rows or fewer are left below the cursor.
const PREFETCH_ROWS: usize = 50;

/// The rows of a table: the principals that AWS lists, then the ARNs that the user typed.
pub(super) struct PrincipalRows<'a> {
    list: &'a [IamPrincipal],
    typed: Vec<&'a str>,
}

impl<'a> PrincipalRows<'a> {
    pub(super) fn new(account: &'a AccountState, selected: &'a [String]) -> Self {
        let typed = selected.iter().map(String::as_str).filter(|arn| !account.principals.contains(arn)).collect();
        Self { list: account.principals.list(), typed }
    }

    fn len(&self) -> usize {
        self.list.len() + self.typed.len()
    }

    pub(super) fn arn(&self, row: usize) -> Option<&'a str> {
        let typed = || self.typed.get(row - self.list.len()).copied();
        self.list.get(row).map(|one| one.arn.as_str()).or_else(typed)
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> String {
        let Some(one) = self.list.get(row) else {
            let arn = self.arn(row).unwrap_or_default();
            return match column {
                0 => principal_name(arn),
                1 => arn.to_owned(),
                _ => "Typed".to_owned(),
            };
        };
        match column {
            0 => one.name.clone(),
            1 => one.path.clone(),
            _ => match one.kind {
                PrincipalKind::User => "User".to_owned(),
                PrincipalKind::Role => "Role".to_owned(),
            },
        }
    }
}

/// Returns the name of a principal without its path, or the account ID for the root of an account.
fn principal_name(text: &str) -> String {
    match text.parse::<Arn>() {
        Ok(arn) if arn.resource == "root" => format!("root of {}", arn.account),
        Ok(arn) => arn.resource.rsplit('/').next().unwrap_or_default().to_owned(),
        Err(_) => text.to_owned(),
    }
}

fn list_request(kind: PrincipalKind, marker: Option<String>) -> Call {
    match kind {
        PrincipalKind::User => Call::Users(marker),
        PrincipalKind::Role => Call::Roles(marker),
    }
}

impl Wizard {
    fn table_mut(&mut self, field: Field) -> &mut Table {
        if field == Field::Administrators { &mut self.administrators } else { &mut self.users }
    }

    fn selected(&self, field: Field) -> &[String] {
        if field == Field::Administrators { &self.draft.administrators } else { &self.draft.users }
    }

    fn selected_mut(&mut self, field: Field) -> &mut Vec<String> {
        if field == Field::Administrators { &mut self.draft.administrators } else { &mut self.draft.users }
    }

    /// Updates the rows of both tables.
    pub(super) fn refresh_principal_tables(&mut self, account: &AccountState) {
        let (administrators, users) = (&self.draft.administrators, &self.draft.users);
        for (table, selected) in [(&mut self.administrators, administrators), (&mut self.users, users)] {
            let rows = PrincipalRows::new(account, selected);
            table.completeness =
                if account.principals.is_complete() { Completeness::Complete } else { Completeness::Partial };
            table.update_rows(rows.len(), &PRINCIPAL_COLUMNS, &|row, column| rows.cell(row, column));
        }
    }

    /// Returns the ARNs at the cursors of the administrators table and the users table.
    pub fn principals_at_cursor(&self, account: &AccountState) -> [Option<String>; 2] {
        [(&self.administrators, &self.draft.administrators), (&self.users, &self.draft.users)].map(
            |(table, selected)| {
                table.current().and_then(|row| PrincipalRows::new(account, selected).arn(row)).map(str::to_owned)
            },
        )
    }

    /// Updates the tables, and keeps each cursor on its principal.
    pub fn refresh_tables_keeping_cursors(&mut self, here: &[Option<String>; 2], account: &AccountState) {
        self.refresh_tables(account);
        for (field, here) in [Field::Administrators, Field::Users].into_iter().zip(here) {
            let rows = PrincipalRows::new(account, self.selected(field));
            let place = here.as_deref().and_then(|arn| (0..rows.len()).find(|row| rows.arn(*row) == Some(arn)));
            if let Some(row) = place {
                self.table_mut(field).move_cursor_to(row);
            }
        }
    }

    /// Returns the requests for the pages that the current table needs next.
    ///
    /// It needs more pages when the cursor is near its end, or when it is searched.
    pub fn principal_requests(&self, account: &AccountState) -> Vec<Call> {
        let table = match self.step {
            Step::Administrators => &self.administrators,
            Step::Users => &self.users,
            _ => return Vec::new(),
        };
        let place = table.current().and_then(|row| table.matching_rows().iter().rposition(|other| *other == row));
        let is_near_end = place.unwrap_or(0) + PREFETCH_ROWS >= table.matching_rows().len();
        if !is_near_end && table.search().is_empty() {
            return Vec::new();
        }
        let next = |kind| match account.principals.progress(kind) {
            ListProgress::More(marker) => Some(list_request(kind, Some(marker.clone()))),
            _ => None,
        };
        Principals::KINDS.into_iter().filter_map(next).collect()
    }

    /// Requests the lists that failed again, or both lists from the start if none failed.
    fn refresh_principals(account: &AccountState) -> Vec<WizardEvent> {
        let failed = |kind| match account.principals.progress(kind) {
            ListProgress::Failed { marker, .. } => Some(list_request(kind, marker.clone())),
            _ => None,
        };
        let mut calls: Vec<Call> = Principals::KINDS.into_iter().filter_map(failed).collect();
        if calls.is_empty() {
            calls = Principals::KINDS.map(|kind| list_request(kind, None)).to_vec();
        }
        calls.into_iter().map(WizardEvent::Request).collect()
    }

    pub(super) fn handle_principal_table_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        let administrators = self.focused() == FocusTarget::Field(Field::Administrators);
        let field = if administrators { Field::Administrators } else { Field::Users };
        let is_coming =
            |kind| matches!(account.principals.progress(kind), ListProgress::More(_) | ListProgress::Loading);
        let table = self.table_mut(field);
        let at_end = table.current() == table.matching_rows().last().copied();
        let has_more = !table.matching_rows().is_empty() && Principals::KINDS.into_iter().any(is_coming);
        if key.code == KeyCode::Down && at_end && !has_more && !table.is_searching() {
            self.move_focus(1);
            return Vec::new();
        }
        match table.handle_key(key, PRINCIPAL_COLUMNS.len()) {
            TableEvent::Toggle(row) | TableEvent::Open(row) => {
                let arn = PrincipalRows::new(account, self.selected(field)).arn(row).map(str::to_owned);
                let is_typed = row >= account.principals.list().len();
                if let Some(arn) = arn {
                    toggle(self.selected_mut(field), arn);
                }
                if is_typed {
                    self.refresh_principal_tables(account);
                }
            }
            TableEvent::ToggleAll => self.toggle_all(field, account),
            TableEvent::SortChanged => self.refresh_tables(account),
            TableEvent::Handled => {}
            TableEvent::Ignored if key.code == KeyCode::Esc => return self.leave(),
            TableEvent::Ignored => {
                if keymap::action(&[Context::Refreshable], key) == Some(Action::Refresh) {
                    return Self::refresh_principals(account);
                }
            }
        }
        Vec::new()
    }

    /// Selects all rows shown, or clears them if all of them are selected.
    fn toggle_all(&mut self, field: Field, account: &AccountState) {
        let rows = PrincipalRows::new(account, self.selected(field));
        let table = if field == Field::Administrators { &self.administrators } else { &self.users };
        let shown: Vec<String> =
            table.matching_rows().iter().filter_map(|row| rows.arn(*row)).map(str::to_owned).collect();
        let selected = self.selected_mut(field);
        let before: HashSet<String> = selected.iter().cloned().collect();
        if shown.iter().all(|arn| before.contains(arn)) {
            let shown: HashSet<String> = shown.into_iter().collect();
            selected.retain(|arn| !shown.contains(arn));
        } else {
            selected.extend(shown.into_iter().filter(|arn| !before.contains(arn)));
        }
        self.refresh_principal_tables(account);
    }

    /// Adds the ARN that is typed on this step, if it is valid.
    pub(super) fn add_typed_principal(&mut self, account: &AccountState) {
        let (field, list) = match self.step {
            Step::Administrators => (Field::AddAdministrator, Field::Administrators),
            Step::Users => (Field::AddUser, Field::Users),
            _ => return,
        };
        let typed = self.text_value(field).unwrap_or_default();
        let typed = typed.trim();
        if typed.is_empty() || principal_error(typed, self.selected(list), account).is_some() {
            return;
        }
        self.selected_mut(list).push(typed.to_owned());
        self.set_text_value(field, String::new());
        self.touched.retain(|left| *left != field);
        self.load_editor();
        self.refresh_principal_tables(account);
        let row = PrincipalRows::new(account, self.selected(list)).len().saturating_sub(1);
        let table = self.table_mut(list);
        // A search would hide the new row.
        table.clear_search();
        table.move_cursor_to(row);
    }

    pub(super) fn write_administrators(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        self.write_principal_table(view, height.saturating_sub(12).clamp(5, 24), account, Field::Administrators);
        self.write_text_field(view, Field::AddAdministrator, errors, "arn:aws:iam::111122223333:role/Name");
        view.heading("Key deletion");
        let ticked = self.draft.administrators_may_delete;
        self.write_checkbox(view, Field::AdministratorsMayDelete, ticked, &[]);
    }

    pub(super) fn write_users(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        self.write_principal_table(view, height.saturating_sub(12).clamp(5, 24), account, Field::Users);
        self.write_text_field(view, Field::AddUser, errors, "arn:aws:iam::111122223333:role/Name");
        self.write_other_accounts(view, errors);
    }

    fn write_principal_table(&self, view: &mut ScrollView, height: usize, account: &AccountState, field: Field) {
        let (table, title) = match field {
            Field::Administrators => (&self.administrators, "Key administrators"),
            _ => (&self.users, "Key users · This account"),
        };
        let selected = self.selected(field);
        let is_focused = self.focused() == FocusTarget::Field(field);
        let listed = PrincipalRows::new(account, selected);
        let count = if account.principals.is_complete() {
            format!("{}/{}", selected.len(), listed.len())
        } else {
            format!("{} selected", selected.len())
        };
        self.write_control(view, field, |view| {
            view.heading(&format!("{title} ({count})"));
        });
        view.focused(is_focused, |_| {});
        if listed.len() > 0 {
            let rows = Rows {
                total: listed.len(),
                noun: ["principal", "principals"],
                cell: &|row, column| listed.cell(row, column),
                selection_mode: SelectionMode::Multiple,
                is_selected: &|row| listed.arn(row).is_some_and(|arn| selected.iter().any(|one| one == arn)),
            };
            self.write_control(view, field, |view| {
                table.write(view, &PRINCIPAL_COLUMNS, height, is_focused, &rows);
            });
        }
        write_list_progress(view, &account.principals, is_focused, !table.search().is_empty());
    }
}

/// Writes the lists that aren't complete: those still loading and those that failed.
fn write_list_progress(view: &mut ScrollView, principals: &Principals, is_focused: bool, is_searched: bool) {
    if principals.list().is_empty()
        && Principals::KINDS
            .iter()
            .all(|kind| matches!(principals.progress(*kind), ListProgress::Idle | ListProgress::Loading))
    {
        Wizard::write_loading(view, "IAM users and roles", &Loadable::<()>::Loading);
        return;
    }
    let mut has_failed = false;
    for (kind, words) in [(PrincipalKind::User, "IAM users"), (PrincipalKind::Role, "IAM roles")] {
        let count = principals.count(kind);
        let note = match principals.progress(kind) {
            ListProgress::Complete => continue,
            ListProgress::Idle | ListProgress::Loading => format!("… Loading {words}: {count} loaded."),
            ListProgress::More(_) if is_searched => format!("… Searching {words}: {count} loaded."),
            ListProgress::More(_) => format!("{words}: {count} loaded. Scroll or search to load more."),
            ListProgress::Failed { reason, .. } => {
                let line = text::escape_controls(&format!("✗ Couldn't list {words}: {reason}"));
                let line = text::truncate(&line, view.width.saturating_sub(3));
                view.push_line(Line::styled(format!("  {line}"), theme::ERROR));
                has_failed = true;
                continue;
            }
        };
        view.paragraph(&note, 2, theme::SECONDARY);
    }
    if has_failed {
        // In an empty list, this line is the only one that can show the focus.
        let mark = if is_focused && principals.list().is_empty() { "▸ " } else { "  " };
        let words =
            text::truncate("Press r to retry, F2 for details, or add ARNs below.", view.width.saturating_sub(3));
        view.push_line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(words, theme::SECONDARY)]));
    }
    if principals.is_complete() && principals.list().is_empty() {
        view.paragraph("No IAM users or roles.", 2, theme::SECONDARY);
    }
}

fn toggle(selected: &mut Vec<String>, arn: String) {
    match selected.iter().position(|one| *one == arn) {
        Some(index) => {
            selected.remove(index);
        }
        None => selected.push(arn),
    }
}
