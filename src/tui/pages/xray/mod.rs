//! *X-ray*: what the bundled AWS did for each request, layer by layer.

pub mod actions;
pub mod flow;
mod legs;
mod proxy_legs;

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::{Location, PageEvent};
use crate::aws::xray::{FlowStage, FlowSummary};
use crate::create_key::account_state::{AccountState, Loadable};
use crate::listing::table::TextTable;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 6] = [
    Column::new("Time (UTC)", 15, 0),
    Column::new("Operation", 10, 2),
    Column::new("Key", 12, 2),
    Column::new("Caller", 10, 1),
    Column::new("Result", 10, 1),
    Column::new("Duration", 11, 0),
];

/// The flows loaded so far and the state of their table.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowList {
    /// The flows, newest first.
    flows: Loadable<Vec<FlowSummary>>,
    /// The token for the next page of older flows.
    next_token: Option<String>,
    table: Table,
    is_unavailable: bool,
}

impl Default for FlowList {
    fn default() -> Self {
        Self { flows: Loadable::Idle, next_token: None, table: Table::newest_first(), is_unavailable: false }
    }
}

/// Returns who or what refused a request at this stage.
pub(super) fn refused_by(stage: FlowStage) -> &'static str {
    match stage {
        FlowStage::Request => "AWS KMS, because of the request",
        FlowStage::Ciphertext => "AWS KMS, which couldn't read the ciphertext or no longer has its KMS key",
        FlowStage::Authorization => "the permissions",
        FlowStage::Key => "AWS KMS, because of the KMS key",
        FlowStage::Proxy => "the external key store proxy",
        FlowStage::SecondLayer => "the external key manager, at layer 2",
        FlowStage::FirstLayer => "AWS KMS, at layer 1",
        FlowStage::Other(stage) => stage,
    }
}

/// Returns the alias or the key ID of the key with this ARN.
fn key_name(arn: Option<&str>, account: &AccountState) -> String {
    let id = arn.map(|arn| arn.rsplit('/').next().unwrap_or(arn));
    let alias = id.and_then(|id| account.aliases_of(id).first());
    alias.cloned().or_else(|| id.map(str::to_owned)).unwrap_or_else(|| "-".to_owned())
}

fn cell(flow: &FlowSummary, column: usize, account: &AccountState) -> String {
    match column {
        0 => flow.time.strftime("%m-%d %H:%M:%S").to_string(),
        1 => flow.operation.clone(),
        2 => key_name(flow.key_arn.as_deref(), account),
        3 => flow.caller.rsplit('/').next().unwrap_or(&flow.caller).to_owned(),
        4 => flow.error_code.as_ref().map_or_else(|| "✓ OK".to_owned(), |code| format!("✗ {code}")),
        _ => format!("{:>8}", milliseconds(flow.microseconds)),
    }
}

/// Formats a duration in milliseconds with one decimal.
pub(super) fn milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds / 100 % 10)
}

impl FlowList {
    fn list(&self) -> &[FlowSummary] {
        self.flows.ready().map_or(&[], Vec::as_slice)
    }

    /// Marks the list as loading, unless it already shows flows.
    pub fn start_loading(&mut self) {
        if self.flows.ready().is_none() {
            self.flows = Loadable::Loading;
        }
    }

    /// Stores a page of flows: the newest ones, or older ones. The cursor stays on its flow, or on the newest one.
    pub fn on_flows_loaded(
        &mut self,
        is_first: bool,
        page: Vec<FlowSummary>,
        next: Option<String>,
        account: &AccountState,
    ) {
        let here = self.table.current().filter(|row| *row > 0).and_then(|row| self.list().get(row));
        let here = here.map(|flow| flow.flow_id.clone());
        self.is_unavailable = false;
        match &mut self.flows {
            Loadable::Ready(flows) if !is_first => {
                flows.extend(page);
                self.next_token = next;
            }
            Loadable::Ready(flows) => {
                let known = flows.first().and_then(|first| page.iter().position(|flow| flow.flow_id == first.flow_id));
                if let Some(count) = known {
                    flows.splice(..0, page.into_iter().take(count));
                } else {
                    (*flows, self.next_token) = (page, next);
                }
            }
            flows => (*flows, self.next_token) = (Loadable::Ready(page), next),
        }
        self.update_rows(account);
        let row = here.and_then(|id| self.list().iter().position(|flow| flow.flow_id == id));
        self.table.move_cursor_to(row.unwrap_or(0));
    }

    /// Handles a failed load. Returns true if the list keeps its flows, so the caller has to show the failure.
    pub fn on_load_failed(&mut self, failure: &CallFailure) -> bool {
        self.is_unavailable = failure.code == CallFailure::NOT_AVAILABLE;
        if self.flows.ready().is_some() {
            return true;
        }
        self.flows = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
        false
    }

    /// Returns whether flows are loaded, so that they can be updated.
    pub fn is_ready(&self) -> bool {
        self.flows.ready().is_some()
    }

    /// Updates the table after the flows or the aliases changed.
    pub fn update_rows(&mut self, account: &AccountState) {
        let flows = self.flows.ready().map_or(&[][..], Vec::as_slice);
        self.table.update_rows(flows.len(), &COLUMNS, &|row, column| cell(&flows[row], column, account));
    }

    /// Returns the table of the page.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the table of the page, to move its cursor.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Returns the rows that match the search, with their full text.
    pub fn text_table(&self, account: &AccountState) -> TextTable {
        let flows = self.list();
        self.table.text_table(&COLUMNS, &|row, column| cell(&flows[row], column, account))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(row) => {
                let flow = self.list().get(row).map(|flow| Location::XrayFlow(flow.flow_id.clone()));
                return flow.map(PageEvent::Navigate).into_iter().collect();
            }
            TableEvent::SortChanged => self.update_rows(account),
            TableEvent::Handled if self.table.is_at_end() => {
                // At the last row, load older flows.
                let more = self.next_token.take().map(|token| PageEvent::Request(Call::Flows(Some(token))));
                return more.into_iter().collect();
            }
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => {}
            TableEvent::Ignored => {
                if keymap::action(&[Context::Refreshable], key) == Some(Action::Refresh) {
                    return vec![PageEvent::Request(Call::Flows(None))];
                }
            }
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(
        &self,
        account: &AccountState,
        is_focused: bool,
        buttons: Vec<Button>,
        canvas: &mut Canvas,
        area: Rect,
    ) {
        let flows = self.list();
        let more = if self.next_token.is_some() { "+" } else { "" };
        let count = self.flows.ready().map(|_| format!(" ({}{more})", flows.len())).unwrap_or_default();
        let area = Container::new(format!("X-ray{count}")).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if self.is_unavailable {
            view.paragraph("Only in the bundled AWS", 2, theme::HEADING);
            let words = "AWS doesn't show what it does inside a request. X-ray shows it for the bundled AWS only.";
            view.paragraph(words, 2, theme::TEXT);
        } else if super::write_load_state(&mut view, "requests", &self.flows) {
            if flows.is_empty() {
                let hint = "Encrypt or decrypt with a KMS key, for example with Try it in the Key actions menu. Each request \
                            appears here with everything that AWS doesn't show.";
                super::write_empty_list(&mut view, "No requests yet", hint);
            } else {
                let rows = Rows {
                    total: flows.len(),
                    noun: ["request", "requests"],
                    cell: &|row, column| cell(&flows[row], column, account),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(id: &str) -> FlowSummary {
        FlowSummary { flow_id: id.to_owned(), ..FlowSummary::default() }
    }

    fn ids(list: &FlowList) -> Vec<&str> {
        list.list().iter().map(|flow| flow.flow_id.as_str()).collect()
    }

    #[test]
    fn newer_flows_are_added_in_front_and_the_cursor_stays_on_its_flow() {
        let (mut list, account) = (FlowList::default(), AccountState::default());
        list.on_flows_loaded(true, vec![flow("b"), flow("a")], Some("1".to_owned()), &account);
        list.table.move_cursor_to(1);
        list.on_flows_loaded(false, vec![flow("0")], None, &account);
        list.on_flows_loaded(true, vec![flow("d"), flow("c"), flow("b")], Some("2".to_owned()), &account);
        assert_eq!(ids(&list), ["d", "c", "b", "a", "0"]);
        assert_eq!((list.table.current(), &list.next_token), (Some(3), &None));
        // The known flows are older than the page, so those between them are unknown.
        list.on_flows_loaded(true, vec![flow("z"), flow("y")], Some("3".to_owned()), &account);
        assert_eq!((ids(&list), list.next_token.as_deref()), (vec!["z", "y"], Some("3")));
    }

    #[test]
    fn cursor_on_the_newest_flow_follows_newer_ones() {
        let (mut list, account) = (FlowList::default(), AccountState::default());
        list.on_flows_loaded(true, vec![flow("a")], None, &account);
        list.on_flows_loaded(true, vec![flow("b"), flow("a")], None, &account);
        assert_eq!((ids(&list), list.table.current()), (vec!["b", "a"], Some(0)));
    }
}
