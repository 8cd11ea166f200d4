//! Drawing the wizard: its panes, the current step, and the buttons.

use ratatui::layout::{Constraint, Layout, Rect};

use super::Wizard;
use super::focus::FocusTarget;
use super::info::MIN_INFO_WIDTH;
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Step;
use crate::create_key::outcome::finish_label;
use crate::create_key::submission::Submission;
use crate::tui::widgets::button_row;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::{Container, MIN_BORDERED_WIDTH};
use crate::tui::widgets::scroll_view::ScrollView;

/// The width of the list of steps with its border, in columns.
const STEP_LIST_WIDTH: u16 = 28;
/// The maximum width of the pane for help, in columns.
const MAX_INFO_WIDTH: u16 = 70;
/// The maximum width of a step, in columns.
const MAX_FORM_WIDTH: u16 = 110;
/// The minimum height of a step with a blank line above its buttons.
const MIN_SPACED_HEIGHT: u16 = 24;

impl Wizard {
    /// Draws the list of steps, the current step, and help for the focused field, as far as there is room.
    pub fn draw(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let info_width = if area.width >= MIN_INFO_WIDTH { (area.width / 3).min(MAX_INFO_WIDTH) } else { 0 };
        let list_width = if area.width >= MIN_BORDERED_WIDTH { STEP_LIST_WIDTH } else { 0 };
        let columns = [Constraint::Length(list_width), Constraint::Min(1), Constraint::Length(info_width)];
        let [list, step, info] = Layout::horizontal(columns).areas(area);
        if list_width > 0 {
            self.draw_step_list(account, canvas, list);
            let title = if self.step.is_optional() { " - optional" } else { "" };
            let title = format!("{}{title}", self.step.title());
            let inner = Container::new(title).draw(canvas, step);
            self.draw_step(account, canvas, inner);
        } else {
            self.draw_stepper(account, canvas, Rect { height: area.height.min(1), ..area });
            let inner = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
            self.draw_step(account, canvas, inner);
        }
        if info_width > 0 {
            self.draw_info(account, canvas, info);
        }
    }

    /// Draws the current step, and its buttons at the bottom.
    fn draw_step(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let area = Rect { width: area.width.min(MAX_FORM_WIDTH), ..area };
        let mut buttons = ScrollView::new(area.width);
        self.write_buttons(&mut buttons, account);
        let rows = u16::try_from(buttons.len()).unwrap_or(1);
        let gap = u16::from(area.height >= MIN_SPACED_HEIGHT);
        let height = area.height.saturating_sub(rows + gap);
        let mut view = ScrollView::new(area.width);
        self.write(&mut view, usize::from(height), account);
        if matches!(self.focused(), FocusTarget::Cancel | FocusTarget::Previous | FocusTarget::SkipToReview) {
            view.focus_last_line();
        }
        view.draw_scrolled(canvas, Rect { height, ..area }, &self.scroll);
        buttons.draw(canvas, Rect { y: area.y + height + gap, height: rows.min(area.height), ..area });
    }

    fn write(&self, view: &mut ScrollView, height: usize, account: &AccountState) {
        let errors = self.step_errors(self.step, account);
        if !matches!(self.submission, Submission::NotSent) && self.step == Step::Review {
            self.write_outcome(view);
        }
        match self.step {
            Step::ConfigureKey => self.write_configure_key(view, height, account, &errors),
            Step::ChooseExternalKey => self.write_external_key(view, height, account, &errors),
            Step::AliasAndDescription => self.write_alias_and_description(view, &errors),
            Step::Tags => self.write_tags(view, &errors),
            Step::Administrators => self.write_administrators(view, height, account, &errors),
            Step::Users => self.write_users(view, height, account, &errors),
            Step::KeyPolicy => self.write_policy(view, height, account, &errors),
            Step::Review => {
                self.write_permissions(view);
                self.write_review(view, account);
            }
        }
    }

    /// Returns the label of the *Next* or *Finish* button.
    pub fn next_title(&self, account: &AccountState) -> &'static str {
        match self.step {
            Step::Review if account.is_read_only => "Copy commands",
            Step::Review => finish_label(&self.submission),
            _ => "Next",
        }
    }

    fn write_buttons(&self, view: &mut ScrollView, account: &AccountState) {
        let targets = self.focus_targets();
        let next = self.next_title(account);
        let label = |target: FocusTarget| match target {
            FocusTarget::Cancel => "Cancel",
            FocusTarget::SkipToReview => "Skip to review",
            FocusTarget::Previous => "Previous",
            _ => next,
        };
        let labels = BUTTONS.map(|target| targets.contains(&target).then(|| label(target)));
        let focused = BUTTONS.iter().position(|target| *target == self.focused()).unwrap_or(usize::MAX);
        button_row(view, &labels, focused);
    }
}

/// The buttons of every step, in the order of the row.
pub(super) const BUTTONS: [FocusTarget; 4] =
    [FocusTarget::Cancel, FocusTarget::SkipToReview, FocusTarget::Previous, FocusTarget::Next];
