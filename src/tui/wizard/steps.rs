//! The steps of the wizard: which of them can be reached, and moving between them.

use std::collections::BTreeSet;

use super::{Wizard, WizardEvent};
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Step;
use crate::create_key::outcome::step_errors;
use crate::create_key::submission::Submission;
use crate::create_key::validate::FieldError;
use crate::tui::effect::Call;

impl Wizard {
    pub(super) fn go_to_step(&mut self, step: Step) {
        self.step = step;
        self.focus_index = 0;
        if let Some(index) = self.method.steps(self.draft.origin).iter().position(|other| *other == step) {
            self.visited.insert(index);
        }
        self.load_editor();
    }

    pub(super) fn step_index(&self) -> usize {
        self.method.steps(self.draft.origin).iter().position(|step| *step == self.step).unwrap_or(0)
    }

    /// Returns the steps that the user can go to.
    pub(super) fn available_steps(&self) -> &'static [Step] {
        self.method.available_steps(self.draft.origin, self.submission.key().is_some())
    }

    /// Returns the errors of a step.
    pub(super) fn step_errors(&self, step: Step, account: &AccountState) -> Vec<FieldError> {
        step_errors(&self.method, step, &self.draft, &self.submission, account)
    }

    /// Whether the step has errors. If so, moves the focus to the first one.
    pub(super) fn is_step_refused(&mut self, account: &AccountState) -> bool {
        self.add_typed_principal(account);
        let errors = self.step_errors(self.step, account);
        let Some(first) = errors.first() else { return false };
        self.touched.extend(errors.iter().map(|error| error.field));
        self.focus_field(first.field);
        self.is_refused = true;
        true
    }

    /// Goes to the next step if this one has no errors. Otherwise moves the focus to the first error. If the key policy
    /// lacks the account ID, requests it.
    pub(super) fn go_next(&mut self, account: &AccountState) -> Vec<WizardEvent> {
        if !self.is_step_refused(account) {
            self.move_step(1);
            return Vec::new();
        }
        let lacks_account = self.step == Step::KeyPolicy && account.account_id.is_empty();
        lacks_account.then_some(WizardEvent::Request(Call::Identity)).into_iter().collect()
    }

    pub(super) fn move_step(&mut self, by: isize) {
        let steps = self.available_steps();
        let index = steps.iter().position(|step| *step == self.step).unwrap_or(0);
        if let Some(step) = index.checked_add_signed(by).and_then(|index| steps.get(index)) {
            self.go_to_step(*step);
        }
    }

    /// Goes to Review. The steps in between count as visited, because they are all optional.
    pub(super) fn skip_to_review(&mut self, account: &AccountState) {
        if self.is_step_refused(account) {
            return;
        }
        self.visited.extend(0..self.method.steps(self.draft.origin).len());
        self.go_to_step(Step::Review);
    }

    /// Forgets the visited steps, because a different origin has different steps.
    pub(super) fn reset_visited(&mut self) {
        self.visited = BTreeSet::from([0]);
    }

    /// Returns the numbers and titles of the steps that the user can go to, without the current one.
    pub fn reachable_step_titles(&self) -> Vec<(usize, &'static str)> {
        let steps = self.method.steps(self.draft.origin);
        let others = self.reachable_steps().filter(|index| *index != self.step_index());
        others.filter_map(|index| Some((index, steps.get(index)?.title()))).collect()
    }

    /// Goes to a step if it was visited before.
    pub fn jump_to_step(&mut self, index: usize) {
        if let Some(step) =
            self.method.steps(self.draft.origin).get(index).filter(|step| self.available_steps().contains(step))
            && self.visited.contains(&index)
            && !matches!(self.submission, Submission::Sending { .. })
        {
            self.go_to_step(*step);
        }
    }

    /// Returns the indexes of the steps that the user can jump to.
    pub(super) fn reachable_steps(&self) -> impl Iterator<Item = usize> {
        let steps = self.method.steps(self.draft.origin);
        let is_open = |index: &usize| steps.get(*index).is_some_and(|step| self.available_steps().contains(step));
        self.visited.iter().copied().filter(is_open)
    }

    /// Whether the user can jump to another step.
    pub fn can_jump_to_step(&self) -> bool {
        self.reachable_steps().any(|index| index != self.step_index())
    }

    /// Whether there is a step before this one.
    pub fn has_previous(&self) -> bool {
        self.step_index() > 0
    }
}
