//! The create key wizard on the screen: where the person is in it. What they have said is the [`KeyDraft`].

mod configure;
mod draw;
mod editors;
mod filled;
mod keys;
mod labels;
mod outcome;
mod permissions;
mod policy;
mod principals;
mod resume;
mod review;
mod spots;
mod tags;

use std::collections::BTreeSet;

use self::editors::Editors;
use self::spots::Spot;
use super::connect::Afterwards;
use super::effect::Call;
use super::keymap::Context;
use super::widgets::table::Table;
use crate::create_key::choice;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::known::{Known, Loaded};
use crate::create_key::method::{Method, Step};
use crate::create_key::permissions::{Demand, Lack};
use crate::create_key::submission::Submission;
use crate::create_key::validate::{FieldError, validate};
use crate::tui::widgets::scroll::Scroll;

/// What the wizard wants from the console around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Ask AWS.
    Ask(Call),
    /// Connect the store that is chosen.
    Connect(String, Afterwards),
    /// Create an external key store, then come back.
    CreateKeyStore,
    /// Put this on the clipboard: what it is, and the text.
    Copy(&'static str, String),
    /// Explain a field.
    Help(Field),
    /// Wait no longer for the stage that is under way.
    StopWaiting,
    /// Leave; the draft may be lost when the flag says so.
    Leave {
        /// Whether something was typed or chosen.
        loses_something: bool,
    },
    /// The key is made.
    Finished,
}

/// Where the person is in the wizard.
#[derive(Clone, Debug)]
pub struct Wizard {
    /// How it was entered, and so its steps.
    pub method: Method,
    /// What the person has said.
    pub draft: KeyDraft,
    /// The step shown.
    pub step: Step,
    /// How far the key is made.
    pub submission: Submission,
    demand: Option<Demand>,
    permissions: Loaded<Vec<Lack>>,
    suspects: Vec<(Field, String)>,
    visited: BTreeSet<usize>,
    spot: usize,
    left: Vec<Field>,
    editors: Editors,
    administrators: Table,
    users: Table,
    stores: Table,
    shows_origins: bool,
    option: usize,
    scroll: Scroll,
    /// Whether it ends with the commands that create the key.
    only_tells: bool,
}

impl Wizard {
    /// A wizard at its first step.
    pub fn new(method: Method, known: &Known) -> Self {
        let mut wizard = Self {
            draft: KeyDraft::at_start(&method),
            method,
            step: Step::ConfigureKey,
            submission: Submission::NotSent,
            demand: None,
            permissions: Loaded::Idle,
            suspects: Vec::new(),
            visited: BTreeSet::from([0]),
            spot: 0,
            left: Vec::new(),
            editors: Editors::default(),
            administrators: Table::default(),
            users: Table::default(),
            stores: Table::default(),
            shows_origins: false,
            option: 0,
            scroll: Scroll::default(),
            only_tells: known.is_read_only,
        };
        wizard.arrange(known);
        wizard.select_store(known);
        if matches!(wizard.method, Method::FromKeyStore { .. }) {
            wizard.focus_field(Field::ExternalKeyId);
        }
        wizard
    }

    /// Puts the cursor of the table of stores on the one that is chosen.
    fn select_store(&mut self, known: &Known) {
        let stores = super::pages::key_stores::external(known);
        let chosen = self.draft.custom_key_store_id.as_ref();
        if let Some(row) = stores.iter().position(|store| Some(&store.custom_key_store_id) == chosen) {
            self.stores.select(row);
        }
    }

    /// Arranges the tables anew after what is known changed.
    pub fn arrange(&mut self, known: &Known) {
        self.arrange_principals(known);
        let stores = super::pages::key_stores::external(known);
        let cell = |row: usize, column: usize| super::pages::key_stores::cell(stores[row], column);
        self.stores.arrange(stores.len(), &configure::COLUMNS, &cell);
    }

    fn spots(&self) -> Vec<Spot> {
        let mut ways_on = Vec::new();
        if self.step == Step::Review {
            ways_on.extend(self.way_on());
            ways_on.extend(self.statement().map(|_| Spot::CopyStatement));
        }
        let mut spots = spots::of(&self.method, self.step, &self.draft, self.shows_origins, &self.submission, ways_on);
        if self.only_tells
            && let Some(place) = spots.iter().position(|spot| *spot == Spot::CopyCommands)
        {
            spots.insert(place + 1, Spot::SaveCommands);
        }
        spots
    }

    fn here(&self) -> Spot {
        let spots = self.spots();
        spots.get(self.spot).or(spots.last()).copied().unwrap_or(Spot::Cancel)
    }

    fn field_here(&self) -> Option<Field> {
        match self.here() {
            Spot::Field(field) => Some(field),
            Spot::RemoveTag(row) => Some(Field::TagKey(row)),
            Spot::RemoveAccount(row) => Some(Field::OtherAccount(row)),
            _ => None,
        }
    }

    /// Moves the focus to the spot, wherever it is in the order, and takes over what stands in its field.
    fn focus(&mut self, spot: Spot) {
        if let Some(index) = self.spots().iter().position(|other| *other == spot) {
            self.spot = index;
        }
        self.load_editor();
    }

    /// Moves to the step that has the field, and to the field.
    pub fn focus_field(&mut self, field: Field) {
        let step = field.step(&self.method);
        if step != self.step {
            self.go(step);
        }
        self.focus(Spot::Field(field));
    }

    fn load_editor(&mut self) {
        self.scroll.reset();
        self.editors.end_steps();
        match self.here() {
            Spot::Field(field @ (Field::KeyType | Field::KeyUsage | Field::Origin)) => {
                self.option = choice::chosen(field, self.draft.origin);
            }
            Spot::Field(field @ (Field::Description | Field::KeyPolicy)) => {
                self.editors.open_area(field, &self.area_of(field));
            }
            Spot::Field(field) => {
                if let Some(value) = self.text_of(field) {
                    self.editors.open_line(field, &value);
                }
            }
            _ => {}
        }
    }

    /// The value of a text field of several lines.
    fn area_of(&self, field: Field) -> String {
        match field {
            Field::Description => self.draft.description.clone(),
            _ => self.draft.edited_policy.clone().unwrap_or_default(),
        }
    }

    /// The value of a one-line text field of the draft.
    fn text_of(&self, field: Field) -> Option<String> {
        match field {
            Field::ExternalKeyId => Some(self.draft.xks_key_id.clone()),
            Field::Alias => Some(self.draft.alias.clone()),
            Field::TagKey(row) => self.draft.tags.get(row).map(|tag| tag.tag_key.clone()),
            Field::TagValue(row) => self.draft.tags.get(row).map(|tag| tag.tag_value.clone()),
            Field::OtherAccount(row) => self.draft.other_accounts.get(row).cloned(),
            Field::AddAdministrator => Some(self.draft.administrator_to_add.clone()),
            Field::AddUser => Some(self.draft.user_to_add.clone()),
            _ => None,
        }
    }

    fn set_text(&mut self, field: Field, value: String) {
        match field {
            Field::ExternalKeyId => self.draft.xks_key_id = value,
            Field::Alias => self.draft.alias = value,
            Field::AddAdministrator => self.draft.administrator_to_add = value,
            Field::AddUser => self.draft.user_to_add = value,
            Field::TagKey(row) => {
                if let Some(tag) = self.draft.tags.get_mut(row) {
                    tag.tag_key = value;
                }
            }
            Field::TagValue(row) => {
                if let Some(tag) = self.draft.tags.get_mut(row) {
                    tag.tag_value = value;
                }
            }
            Field::OtherAccount(row) => {
                if let Some(account) = self.draft.other_accounts.get_mut(row) {
                    *account = value;
                }
            }
            _ => {}
        }
    }

    fn go(&mut self, step: Step) {
        self.step = step;
        self.spot = 0;
        if let Some(place) = self.method.steps(self.draft.origin).iter().position(|other| *other == step) {
            self.visited.insert(place);
        }
        self.load_editor();
    }

    fn place(&self) -> usize {
        self.method.steps(self.draft.origin).iter().position(|step| *step == self.step).unwrap_or(0)
    }

    /// The steps that still matter: once the key is made, only its alias can be mended.
    fn open_steps(&self) -> &'static [Step] {
        const MENDING: [Step; 2] = [Step::AliasAndDescription, Step::Review];
        if self.submission.key().is_some() { &MENDING } else { self.method.steps(self.draft.origin) }
    }

    /// What is wrong on a step. While it is not known what became of a request, nothing is: what the draft asks for may
    /// be there already.
    fn errors_of(&self, step: Step, known: &Known) -> Vec<FieldError> {
        match &self.submission {
            Submission::NotSent | Submission::Failed { .. } => validate(&self.method, step, &self.draft, known),
            Submission::KeyWithoutAlias { .. } if matches!(step, Step::AliasAndDescription | Step::Review) => {
                validate(&self.method, Step::AliasAndDescription, &self.draft, known)
            }
            _ => Vec::new(),
        }
    }

    /// The step after this one, if everything here is right; else the focus goes to what is wrong.
    fn next(&mut self, known: &Known) {
        self.add_typed(known);
        let errors = self.errors_of(self.step, known);
        if let Some(error) = errors.first() {
            self.left.extend(errors.iter().map(|error| error.field));
            self.focus_field(error.field);
            return;
        }
        self.step_by(1);
    }

    fn step_by(&mut self, by: isize) {
        let steps = self.open_steps();
        let place = steps.iter().position(|step| *step == self.step).unwrap_or(0);
        if let Some(step) = place.checked_add_signed(by).and_then(|place| steps.get(place)) {
            self.go(*step);
        }
    }

    /// After the origin changed other steps follow: those visited may not be among them any more.
    fn forget_later_steps(&mut self) {
        self.visited = BTreeSet::from([0]);
    }

    /// Goes to a step that was visited before.
    fn jump(&mut self, place: usize) {
        if let Some(step) =
            self.method.steps(self.draft.origin).get(place).filter(|step| self.open_steps().contains(step))
            && self.visited.contains(&place)
        {
            self.go(*step);
        }
    }

    /// The steps that can be gone to by their number.
    fn open_places(&self) -> impl Iterator<Item = usize> {
        let steps = self.method.steps(self.draft.origin);
        let is_open = |place: &usize| steps.get(*place).is_some_and(|step| self.open_steps().contains(step));
        self.visited.iter().copied().filter(is_open)
    }

    /// Whether another step was visited before.
    pub fn can_jump(&self) -> bool {
        self.open_places().any(|place| place != self.place())
    }

    /// Whether a field has the focus, which help explains.
    pub fn is_on_field(&self) -> bool {
        self.field_here().is_some()
    }

    /// Whether there is a step before this one.
    pub fn has_previous(&self) -> bool {
        self.place() > 0
    }

    /// The table that has the focus.
    pub fn table(&self) -> Option<&Table> {
        match self.here() {
            Spot::Field(Field::CustomKeyStore) => Some(&self.stores),
            Spot::Field(Field::Administrators) => Some(&self.administrators),
            Spot::Field(Field::Users) => Some(&self.users),
            _ => None,
        }
    }

    /// Whether the keys go into a text.
    pub fn is_typing(&self) -> bool {
        match self.here() {
            Spot::Field(Field::Description | Field::KeyPolicy) => true,
            Spot::Field(Field::CustomKeyStore) => self.stores.is_searching(),
            Spot::Field(Field::Administrators) => self.administrators.is_searching(),
            Spot::Field(Field::Users) => self.users.is_searching(),
            Spot::Field(field) => self.text_of(field).is_some(),
            _ => false,
        }
    }

    /// Whether leaving would lose something.
    pub fn would_lose(&self) -> bool {
        !matches!(self.submission, Submission::Done { .. }) && !self.draft.is_untouched(&self.method)
    }

    /// The contexts whose keys work here.
    pub fn contexts(&self, known: &Known) -> Vec<Context> {
        if matches!(self.submission, Submission::Sending { .. }) {
            return Vec::new();
        }
        let only_tells = known.is_read_only && !self.submission.is_in_doubt();
        let steps = match self.step {
            Step::Review if only_tells => Context::ReadOnly,
            Step::Review => Context::Review,
            _ => Context::Steps,
        };
        let own = match self.here() {
            Spot::Field(Field::Administrators | Field::Users) => {
                &[Context::Choices, Context::Table, Context::Asked][..]
            }
            Spot::Field(Field::CustomKeyStore) => &[Context::Table, Context::Asked],
            _ if self.here_removes().is_some() => &[Context::Row],
            _ => &[],
        };
        [&[Context::Wizard, steps, Context::Fields], own].concat()
    }
}
