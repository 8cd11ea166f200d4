//! Saving and restoring the wizard.

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::method::Step;
use crate::create_key::submission::Submission;
use crate::drafts::{DraftScope, SavedDraft, SavedFocus};

impl Wizard {
    /// Returns the state of the wizard to save for `place`.
    pub fn to_saved(&self, place: DraftScope) -> SavedDraft {
        SavedDraft {
            place,
            method: self.method.clone(),
            step: self.step,
            focus: self.saved_focus(),
            visited: self.visited.clone(),
            draft: self.draft.clone(),
            submission: self.submission.clone(),
        }
    }

    fn saved_focus(&self) -> Option<SavedFocus> {
        self.focused_field().map(|field| SavedFocus { field, cursor: self.editors.cursor(field) })
    }

    /// Whether the wizard has the same state as the saved one.
    pub fn matches_saved(&self, saved: &SavedDraft) -> bool {
        self.step == saved.step
            && self.saved_focus() == saved.focus
            && self.visited == saved.visited
            && self.draft == saved.draft
            && self.submission == saved.submission
    }

    /// Restores a saved wizard. The outcome of a request that was in progress is unknown.
    pub fn from_saved(saved: &SavedDraft, account: &AccountState) -> Self {
        let mut wizard = Self::new(saved.method.clone(), account);
        wizard.draft = saved.draft.clone();
        wizard.visited.extend(&saved.visited);
        wizard.submission = saved.submission.clone().after_restart();
        wizard.refresh_tables(account);
        wizard.select_store(account);
        let steps = wizard.method.steps(wizard.draft.origin);
        if wizard.submission == Submission::NotSent {
            wizard.go_to_step(steps.iter().copied().find(|step| *step == saved.step).unwrap_or(Step::ConfigureKey));
            let focus = saved.focus.filter(|focus| focus.field.step(&wizard.method) == wizard.step);
            match focus {
                Some(SavedFocus { field, cursor }) => {
                    wizard.set_focus(FocusTarget::Field(field));
                    wizard.editors.set_cursor(field, cursor);
                }
                None if wizard.step == Step::ConfigureKey => wizard.set_focus(FocusTarget::Field(Field::ExternalKeyId)),
                None => {}
            }
        } else {
            wizard.go_to_step(Step::Review);
            wizard.set_focus(wizard.next_target().unwrap_or(FocusTarget::Next));
        }
        wizard
    }
}
