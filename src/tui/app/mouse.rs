//! Handles clicks and the wheel of the mouse. A click moves the focus to a part of the screen and presses the key that
//! activates it, so that it does the same as the keyboard.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};

use super::{App, Dialog};
use crate::tui::effect::Effect;
use crate::tui::flash::Flash;
use crate::tui::keymap::{self, Action};
use crate::tui::pages::Location;
use crate::tui::widgets::canvas::{Click, ClickMap};
use crate::tui::widgets::table::Table;

/// The number of lines or rows that one step of the wheel scrolls.
const WHEEL_LINES: isize = 3;
/// The titles of the messages about the mouse.
const MOUSE_TITLES: [&str; 2] = ["Mouse off", "Mouse on"];

impl App {
    /// Returns whether the console reacts to the mouse.
    pub fn is_mouse_on(&self) -> bool {
        self.is_mouse_on
    }

    /// Turns the mouse on or off, before the console is shown. F6 does so later.
    pub fn set_mouse(&mut self, is_on: bool) {
        self.is_mouse_on = is_on;
    }

    /// Returns the parts of the last frame that react to clicks.
    pub fn clicks(&self) -> ClickMap {
        self.clicks.borrow().clone()
    }

    /// Turns the mouse off or on, and says so.
    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.is_mouse_on = !self.is_mouse_on;
        let key = self.keymap.label_of(Action::ToggleMouse);
        let text = if self.is_mouse_on {
            format!("Click to choose. Hold Shift to select text, or press {key} to turn the mouse off.")
        } else {
            format!("The terminal selects text as usual. Press {key} to turn the mouse on.")
        };
        self.flashes.retain(|flash| !MOUSE_TITLES.contains(&&*flash.title));
        self.flashes.push(Flash::success(MOUSE_TITLES[usize::from(self.is_mouse_on)], text));
        vec![Effect::SetMouse(self.is_mouse_on)]
    }

    pub(super) fn handle_mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        let clicked = self.clicks.borrow().at(event.column, event.row);
        let is_on_lesson = self.is_lesson_in_front() || event.column >= self.content_size().0;
        if let (Some(lines), Some(lesson)) = (wheel_lines(event.kind), self.lesson.as_mut().filter(|_| is_on_lesson)) {
            lesson.scroll_by(lines);
            return Vec::new();
        }
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => clicked.map_or_else(Vec::new, |click| self.handle_click(&click)),
            MouseEventKind::Down(MouseButton::Right) => {
                clicked.map_or_else(Vec::new, |click| self.handle_right_click(&click))
            }
            kind => wheel_lines(kind).map_or_else(Vec::new, |lines| self.scroll_by(lines, clicked.as_ref())),
        }
    }

    fn handle_click(&mut self, click: &Click) -> Vec<Effect> {
        let key = match click {
            Click::Key(key) => Some(*key),
            Click::Text { column, .. } if let Some(view) = &mut self.text_view => {
                view.move_search_cursor(*column);
                None
            }
            _ if self.text_view.is_some() => None,
            Click::OpenLink(index) => {
                let link = self.flashes.last().and_then(|flash| flash.links.get(*index).cloned());
                return link.map_or_else(Vec::new, |link| self.open_link(link));
            }
            Click::CloseMessage => {
                self.flashes.pop();
                None
            }
            _ => match (&mut self.login, &mut self.dialog) {
                (Some(login), _) => login.on_click(click),
                (None, Some(dialog)) => dialog.on_click(click),
                (None, None) => return self.handle_page_click(click),
            },
        };
        key.map_or_else(Vec::new, |key| self.handle_translated_key(key))
    }

    pub(super) fn handle_page_click(&mut self, click: &Click) -> Vec<Effect> {
        if let Click::Navigate(location) = click
            && !self.is_on_navigation_page()
        {
            self.flashes.retain(|flash| !flash.is_success);
            return self.open_page(location.clone());
        }
        let key = match click {
            Click::Navigate(location) => self.focus_navigation_entry(location),
            _ => self.focus_on_page(click),
        };
        key.map_or_else(Vec::new, |key| self.handle_translated_key(key))
    }

    /// Moves the focus to an entry of the navigation, and returns the key that opens it.
    fn focus_navigation_entry(&mut self, location: &Location) -> Option<KeyEvent> {
        let place = self.navigation().iter().position(|(_, entry)| entry == location)?;
        if let Some(table) = self.table_mut() {
            table.end_search();
        }
        self.navigation_focus = Some(place);
        Some(KeyCode::Enter.into())
    }

    /// Moves the focus to a clicked part of the page, and returns the key that activates it.
    fn focus_on_page(&mut self, click: &Click) -> Option<KeyEvent> {
        self.navigation_focus = None;
        if let Some(table) = self.table_mut() {
            return table.on_click(click, KeyCode::Enter);
        }
        match self.location {
            Location::CreateKey => self.wizard.as_mut().and_then(|wizard| wizard.on_click(click)),
            Location::KeyStore(_) => self.key_store.on_click(click, &self.account),
            Location::Key(_) => self.key.on_click(click),
            _ => match click {
                Click::PageKey(key) => Some(*key),
                _ => None,
            },
        }
    }

    /// Moves the cursor to a clicked row, and opens its actions menu if there is one.
    fn handle_right_click(&mut self, click: &Click) -> Vec<Effect> {
        let (Click::Row(_) | Click::SelectRow(_)) = click else { return Vec::new() };
        if self.login.is_some() || self.text_view.is_some() {
            return Vec::new();
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.on_click(click);
            return Vec::new();
        }
        let Some(table) = self.table_mut() else { return Vec::new() };
        table.on_click(click, KeyCode::Enter);
        self.navigation_focus = None;
        let menu = keymap::bindings(self.contexts()).find(|binding| binding.action == Action::OpenActionsMenu);
        menu.map_or_else(Vec::new, |binding| self.handle_translated_key(binding.key_event()))
    }

    /// Scrolls what is in front: the text, the dialog, or the page. `clicked` is the part of the screen at the pointer.
    fn scroll_by(&mut self, lines: isize, clicked: Option<&Click>) -> Vec<Effect> {
        let size = self.content_size();
        match (&mut self.text_view, &self.login, &mut self.dialog) {
            (Some(view), _, _) => view.scroll_by(lines, size),
            (None, Some(_), _) => {}
            (None, None, Some(dialog)) => match dialog {
                Dialog::FieldHelp { scroll, .. } | Dialog::Preview { scroll } => scroll.scroll_by(lines),
                Dialog::Palette(palette) => palette.move_cursor_by(lines),
                Dialog::Task(task) => task.scroll_by(lines),
                Dialog::TryKey(trial) => trial.scroll_by(lines),
                Dialog::Menu(menu) => menu.move_cursor_by(lines),
                // Each row has three lines.
                Dialog::Drafts(list) => list.move_cursor_by(lines.signum(), &self.drafts, &self.account),
                _ => {}
            },
            (None, None, None) => self.scroll_page_by(lines, clicked),
        }
        Vec::new()
    }

    fn scroll_page_by(&mut self, lines: isize, clicked: Option<&Click>) {
        if let Some(table) = self.table_mut() {
            table.move_cursor_by(lines);
            return;
        }
        match self.location {
            Location::CreateKey => {
                let is_on_table = matches!(clicked, Some(Click::Row(_) | Click::SelectRow(_) | Click::Sort(_)));
                if let Some(wizard) = &mut self.wizard {
                    wizard.scroll_by(lines, is_on_table);
                }
            }
            Location::KeyStore(_) => self.key_store.scroll_by(lines),
            Location::Key(_) => self.key.scroll_by(lines),
            Location::Event(_) => self.event.scroll_by(lines),
            Location::XrayFlow(_) => self.flow.scroll_by(lines),
            _ => {}
        }
    }

    /// Returns the table of the page, if it has one.
    fn table_mut(&mut self) -> Option<&mut Table> {
        Some(match self.location {
            Location::KeyStores => self.key_stores.table_mut(),
            Location::Keys => self.keys.table_mut(),
            Location::AwsKeys => self.aws_keys.table_mut(),
            Location::ExternalKeys => self.external_keys.table_mut(),
            Location::ProxyFaults => self.proxy_fault_list.table_mut(),
            Location::Workloads => self.workloads.table_mut(),
            Location::Events => self.events.table_mut(),
            Location::ApiCalls => self.api_calls.table_mut(),
            Location::Xray => self.flows.table_mut(),
            _ => return None,
        })
    }
}

/// Returns how many lines a turn of the wheel scrolls: down, or up if the number is negative.
fn wheel_lines(kind: MouseEventKind) -> Option<isize> {
    match kind {
        MouseEventKind::ScrollUp => Some(-WHEEL_LINES),
        MouseEventKind::ScrollDown => Some(WHEEL_LINES),
        _ => None,
    }
}

impl Dialog {
    /// Moves the focus to what was clicked, and returns the key that activates it.
    fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match self {
            Self::Menu(menu) => menu.on_click(click),
            Self::Drafts(list) => list.on_click(click),
            Self::Task(task) => task.on_click(click),
            Self::TryKey(trial) => trial.on_click(click),
            Self::Switcher(switcher) => switcher.on_click(click),
            Self::Connect(connecting) => connecting.on_click(click),
            Self::ConfirmDisconnect { is_confirm_focused, .. }
            | Self::ConfirmDiscard { is_confirm_focused, .. }
            | Self::ConfirmUnsaved { is_confirm_focused, .. } => {
                let Click::Button(button) = *click else { return None };
                *is_confirm_focused = button == 1;
                Some(KeyCode::Enter.into())
            }
            Self::Palette(palette) => palette.on_click(click),
            Self::FieldHelp { .. } | Self::Preview { .. } => None,
        }
    }
}
