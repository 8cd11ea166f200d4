//! What is kept of the wizard, and the wizard as it was kept.

use super::Wizard;
use super::spots::Spot;
use crate::create_key::field::Field;
use crate::create_key::known::Known;
use crate::create_key::method::Step;
use crate::create_key::submission::Submission;
use crate::drafts::{Focus, Place, Saved};

impl Wizard {
    /// What is kept, for a wizard that belongs to `place`.
    pub fn saved(&self, place: Place) -> Saved {
        Saved {
            place,
            method: self.method.clone(),
            step: self.step,
            focus: self.kept_focus(),
            visited: self.visited.clone(),
            draft: self.draft.clone(),
            submission: self.submission.clone(),
        }
    }

    fn kept_focus(&self) -> Option<Focus> {
        self.field_here().map(|field| Focus { field, cursor: self.editors.cursor(field) })
    }

    /// Whether nothing has changed since.
    pub fn stands_at(&self, saved: &Saved) -> bool {
        self.step == saved.step
            && self.kept_focus() == saved.focus
            && self.visited == saved.visited
            && self.draft == saved.draft
            && self.submission == saved.submission
    }

    /// The wizard as it was kept. A stage that was under way is to be looked up.
    pub fn resumed(saved: &Saved, known: &Known) -> Self {
        let mut wizard = Self::new(saved.method.clone(), known);
        wizard.draft = saved.draft.clone();
        wizard.visited.extend(&saved.visited);
        wizard.submission = saved.submission.clone().after_the_end();
        wizard.arrange(known);
        wizard.select_store(known);
        let steps = wizard.method.steps(wizard.draft.origin);
        if wizard.submission == Submission::NotSent {
            wizard.go(steps.iter().copied().find(|step| *step == saved.step).unwrap_or(Step::ConfigureKey));
            let focus = saved.focus.filter(|focus| focus.field.step(&wizard.method) == wizard.step);
            match focus {
                Some(Focus { field, cursor }) => {
                    wizard.focus(Spot::Field(field));
                    wizard.editors.put_cursor(field, cursor);
                }
                None if wizard.step == Step::ConfigureKey => wizard.focus(Spot::Field(Field::ExternalKeyId)),
                None => {}
            }
        } else {
            wizard.go(Step::Review);
            wizard.focus(wizard.way_on().unwrap_or(Spot::Next));
        }
        wizard
    }
}
