//! The create key wizard as questions.

mod choices;
mod fields;
mod finish;
mod outcome;
mod policy;
mod principals;
mod review;
mod tags;

use std::collections::BTreeSet;
use std::io;

use super::drafts::SaveResult;
use super::{NoAnswer, Reply, Session};
use crate::create_key::account_state::Loadable;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::{Method, Step};
use crate::create_key::outcome::step_errors;
use crate::create_key::permissions::{MissingPermission, PermissionCheck};
use crate::create_key::submission::Submission;
use crate::create_key::validate::FieldError;
use crate::drafts::SavedDraft;

/// How the wizard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WizardEnd {
    /// The key was created.
    Created,
    /// The user left.
    Left,
}

/// The state of the wizard.
#[derive(Clone, Debug)]
pub(super) struct WizardState {
    method: Method,
    /// The values entered so far.
    pub(super) draft: KeyDraft,
    step: Step,
    visited: BTreeSet<usize>,
    /// The progress of creating the key.
    pub(super) submission: Submission,
    permission_check: Option<PermissionCheck>,
    permissions: Loadable<Vec<MissingPermission>>,
    suspects: Vec<(Field, String)>,
    /// The step that the user came from Review to change, and from which the wizard returns there.
    changed_step: Option<Step>,
    /// Whether a step was changed since the last attempt, so that the next action is another attempt.
    is_corrected: bool,
    /// Whether Review starts with the outcome of the last attempt instead of all choices.
    shows_outcome: bool,
}

impl WizardState {
    /// Returns the state at the first step.
    pub(super) fn new(method: Method) -> Self {
        Self {
            draft: KeyDraft::new(&method),
            method,
            step: Step::ConfigureKey,
            visited: BTreeSet::from([0]),
            submission: Submission::NotSent,
            permission_check: None,
            permissions: Loadable::Idle,
            suspects: Vec::new(),
            changed_step: None,
            is_corrected: false,
            shows_outcome: false,
        }
    }

    /// Returns the state of a wizard that is filled in with `draft`, so that all steps count as visited.
    pub(super) fn prefilled(draft: KeyDraft) -> Self {
        let method = Method::FromCustomerManagedKeys;
        let visited = (0..method.steps(draft.origin).len()).collect();
        Self { draft, visited, ..Self::new(method) }
    }

    /// Restores a saved wizard. The outcome of a request that was in progress is unknown.
    pub(super) fn from_saved(saved: &SavedDraft) -> Self {
        let submission = saved.submission.clone().after_restart();
        let is_sent = submission != Submission::NotSent;
        let steps = saved.method.steps(saved.draft.origin);
        let step = steps.iter().copied().find(|step| *step == saved.step).unwrap_or(Step::ConfigureKey);
        Self {
            draft: saved.draft.clone(),
            step: if is_sent { Step::Review } else { step },
            visited: saved.visited.clone(),
            shows_outcome: is_sent,
            submission,
            ..Self::new(saved.method.clone())
        }
    }

    fn steps(&self) -> &'static [Step] {
        self.method.steps(self.draft.origin)
    }

    fn step_index(&self) -> usize {
        self.index_of(self.step)
    }

    fn index_of(&self, step: Step) -> usize {
        self.steps().iter().position(|other| *other == step).unwrap_or(0)
    }

    /// Returns the number and the title of a step.
    fn step_name(&self, step: Step) -> String {
        format!("step {}: {}", self.index_of(step) + 1, step.title())
    }

    fn go_to(&mut self, step: Step) {
        self.step = step;
        self.visited.insert(self.step_index());
    }

    /// Goes to the next or the previous step. Returns whether there is one.
    fn move_step(&mut self, by: isize) -> bool {
        let steps = self.method.available_steps(self.draft.origin, self.submission.key().is_some());
        let index = steps.iter().position(|step| *step == self.step).unwrap_or(0);
        let Some(step) = index.checked_add_signed(by).and_then(|index| steps.get(index)) else { return false };
        self.go_to(*step);
        true
    }

    /// Returns whether the user can go to Review, which is so from every step after the alias.
    fn can_review(&self) -> bool {
        let alias = self.index_of(Step::AliasAndDescription);
        self.visited.iter().any(|index| *index > alias)
    }
}

/// What the user does after a step.
enum AfterStep {
    /// Goes to the next step, if this one has no errors.
    Next,
    /// Goes to a step, and returns to Review afterward.
    Change(Step),
    /// Shows Review again, with the outcome of the last attempt.
    ShowOutcome,
    /// Leaves the wizard.
    End(WizardEnd),
}

/// The wizard, which asks its questions in a session.
pub(super) struct Wizard<'s, 'a> {
    session: &'s mut Session<'a>,
    state: WizardState,
}

impl<'s, 'a> Wizard<'s, 'a> {
    pub(super) fn new(session: &'s mut Session<'a>, state: WizardState) -> Self {
        Self { session, state }
    }

    pub(super) fn into_state(self) -> WizardState {
        self.state
    }

    /// Asks for the fields of each step until the key is created or the user leaves.
    pub(super) fn run(&mut self) -> Reply<WizardEnd> {
        loop {
            self.announce_step()?;
            match self.run_step() {
                Ok(AfterStep::Next) => self.go_next()?,
                Ok(AfterStep::Change(step)) => {
                    self.state.changed_step = Some(step);
                    self.state.go_to(step);
                }
                Ok(AfterStep::ShowOutcome) => {
                    self.state.shows_outcome = true;
                    self.state.is_corrected = false;
                }
                Ok(AfterStep::End(end)) => return Ok(end),
                Err(NoAnswer::Back) => self.go_back()?,
                Err(NoAnswer::Review) if self.state.can_review() => self.state.go_to(Step::Review),
                Err(NoAnswer::Review) => self.say("You can go to Review from every step after the alias.")?,
                Err(NoAnswer::Quit) => {
                    if self.leave()? {
                        return Ok(WizardEnd::Left);
                    }
                }
                Err(other) => {
                    self.save()?;
                    return Err(other);
                }
            }
        }
    }

    fn announce_step(&mut self) -> io::Result<()> {
        let (step, steps) = (self.state.step, self.state.steps());
        let optional = if step.is_optional() { " - optional" } else { "" };
        let (number, count) = (self.state.step_index() + 1, steps.len());
        self.say("")?;
        self.say(&format!("Step {number} of {count}: {}{optional}", step.title()))?;
        if step.intro().is_empty() { Ok(()) } else { self.say(step.intro()) }
    }

    fn run_step(&mut self) -> Reply<AfterStep> {
        match self.state.step {
            Step::ConfigureKey => self.ask_configuration()?,
            Step::ChooseExternalKey => self.ask_external_key()?,
            Step::AliasAndDescription => self.ask_alias_and_description()?,
            Step::Tags => self.ask_tags()?,
            Step::Administrators => self.ask_administrators()?,
            Step::Users => self.ask_users()?,
            Step::KeyPolicy => self.ask_policy()?,
            Step::Review => return self.ask_review(),
        }
        Ok(AfterStep::Next)
    }

    /// Goes to the next step, or back to Review, if this step has no errors.
    fn go_next(&mut self) -> io::Result<()> {
        let errors = self.errors(self.state.step);
        for error in &errors {
            self.say_error(error)?;
        }
        if errors.is_empty() && self.state.changed_step.is_some() {
            self.state.go_to(Step::Review);
        } else if errors.is_empty() {
            self.state.move_step(1);
        }
        Ok(())
    }

    /// Goes to the previous step, whatever was entered.
    fn go_back(&mut self) -> io::Result<()> {
        self.state.changed_step = None;
        if self.state.move_step(-1) {
            return Ok(());
        }
        self.say("This is the first step. To leave the wizard, enter quit.")
    }

    fn errors(&self, step: Step) -> Vec<FieldError> {
        let WizardState { method, draft, submission, .. } = &self.state;
        step_errors(method, step, draft, submission, &self.session.account)
    }

    /// Asks whether to keep the draft. Returns whether to leave the wizard.
    fn leave(&mut self) -> Reply<bool> {
        self.save()?;
        let has_changes = Session::has_changes(&self.state.draft, &self.state.method);
        if !has_changes {
            // Nothing was entered, or all of it was removed again.
            if let Err(reason) = self.session.drafts.discard() {
                self.say(&format!("Couldn't discard the draft: {reason}"))?;
            }
            return Ok(true);
        }
        let help = "You can resume a draft from the main menu. To stay in the wizard, enter <.";
        match self.session.prompter.ask_yes_no("Keep the draft?", Some(true), help) {
            Ok(true) => {
                if self.session.drafts.is_saved() {
                    self.say("The draft is saved. You can resume it from the main menu of the console.")?;
                }
                self.session.drafts.close();
                Ok(true)
            }
            Ok(false) => {
                self.session.discard_draft(self.state.submission.is_in_doubt())?;
                Ok(true)
            }
            Err(NoAnswer::Back | NoAnswer::Review) => Ok(false),
            Err(NoAnswer::Quit) => {
                self.session.drafts.close();
                Ok(true)
            }
            Err(other) => Err(other),
        }
    }

    /// Saves the draft if it changed, so that it survives whatever happens at the next question.
    fn save(&mut self) -> io::Result<()> {
        if Session::has_changes(&self.state.draft, &self.state.method)
            && let SaveResult::Failed(reason) = self.save_draft(false)
        {
            self.say(&format!("Couldn't save your entries: {reason}. If you quit now, you lose them."))?;
        }
        Ok(())
    }

    fn save_draft(&mut self, is_required: bool) -> SaveResult {
        let state = &self.state;
        let saved = SavedDraft {
            place: self.session.drafts.scope(&self.session.account),
            method: state.method.clone(),
            step: state.step,
            focus: None,
            visited: state.visited.clone(),
            draft: state.draft.clone(),
            submission: state.submission.clone(),
        };
        self.session.drafts.save(saved, is_required)
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.session.prompter.say(text)
    }

    fn say_lines(&mut self, lines: &[String]) -> io::Result<()> {
        self.session.prompter.say_lines(lines)
    }

    fn say_numbered(&mut self, items: &[String]) -> io::Result<()> {
        self.session.prompter.say_numbered(items)
    }

    fn say_text(&mut self, text: &str) -> io::Result<()> {
        self.session.prompter.say_text(text)
    }

    fn say_error(&mut self, error: &FieldError) -> io::Result<()> {
        let message = error.prompt_message(&self.state.draft, &self.session.account);
        let place = match error.field {
            Field::Acknowledgement | Field::AddAdministrator | Field::AddUser => "Error".to_owned(),
            Field::TagKey(row) | Field::TagValue(row) => format!("Error in tag {}", row + 1),
            Field::OtherAccount(row) => format!("Error in other AWS account {}", row + 1),
            field => format!("Error in {}", name(field)),
        };
        self.say(&format!("{place}: {message}"))
    }
}

/// Returns the label of a field without the note that it is optional.
fn name(field: Field) -> &'static str {
    let label = field.label();
    label.strip_suffix(" - optional").unwrap_or(label)
}
