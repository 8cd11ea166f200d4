//! Changes to keys and key stores: each a form in a dialog, the requests it makes, and what comes of them.

pub mod commands;
mod cryptography;
pub mod external_keys;
mod keys;
pub mod menu;
mod permissions;
mod preferences;
pub mod stores;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Line;

pub use self::menu::Menu;
use super::app::World;
use super::effect::{Call, Change, Failure, Outcome};
use super::preferences::Preferences;
use super::theme;
use super::widgets::form::{Form, Pressed};
use super::widgets::paper::Paper;
use crate::aws::kms::{CustomKeyStore, Tag};
use crate::aws::policy::ConsolePolicy;
use crate::aws::scalar::SecretString;
use crate::create_key::guide;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::Known;
use crate::tui::widgets::scroll::Scroll;

/// A key, and what a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// Its ID.
    pub id: String,
    /// Its first alias, else its ID.
    pub name: String,
}

/// What is to be done, and to what.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Task {
    CreateKeyStore,
    EditKeyStore(Box<CustomKeyStore>),
    DeleteKeyStore {
        id: String,
        name: String,
        keys: usize,
    },
    Enable(Vec<KeyName>),
    Disable(Vec<KeyName>),
    ScheduleDeletion(Vec<KeyName>),
    CancelDeletion(Vec<KeyName>),
    EditDescription(KeyName, String),
    EditTags(KeyName, Vec<Tag>),
    EditPolicy(KeyName, String),
    EditPermissions(KeyName, String, Box<ConsolePolicy>),
    CreateAlias(KeyName),
    MoveAlias(KeyName, Vec<String>),
    DeleteAlias(KeyName, Vec<String>),
    Encrypt(KeyName),
    Decrypt(KeyName),
    /// Something in the external key manager.
    External(external_keys::Deed),
    Preferences,
}

/// What is wrong with an input: its name, and why.
pub type Problem = (&'static str, String);

/// What the dialog wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Ask AWS.
    Ask(Call),
    /// Put this on the clipboard: what it is, and the text.
    Copy(&'static str, String),
    /// Close it.
    Close,
    /// Remember what was chosen.
    Prefer(Preferences),
    /// All is done: close it, tell so, and look at everything again.
    Done(String),
}

impl Task {
    /// The dialog's title.
    fn title(&self) -> &'static str {
        match self {
            Self::CreateKeyStore => "Create external key store",
            Self::EditKeyStore(_) => "Edit external key store",
            Self::DeleteKeyStore { .. } => "Delete external key store?",
            Self::Enable(_) => "Enable KMS keys",
            Self::Disable(_) => "Disable KMS keys?",
            Self::ScheduleDeletion(_) => "Schedule key deletion?",
            Self::CancelDeletion(_) => "Cancel key deletion",
            Self::EditDescription(..) => "Edit description",
            Self::EditTags(..) => "Add or edit tags",
            Self::EditPolicy(..) => "Edit key policy",
            Self::EditPermissions(..) => "Edit administrators and users",
            Self::CreateAlias(_) => "Create alias",
            Self::MoveAlias(..) => "Move alias",
            Self::DeleteAlias(..) => "Delete alias?",
            Self::Encrypt(_) => "Encrypt",
            Self::Decrypt(_) => "Decrypt",
            Self::External(deed) => deed.title(),
            Self::Preferences => "Preferences",
        }
    }

    fn form(&self, now: &Preferences, world: &World) -> Form {
        match self {
            Self::Preferences => preferences::form(now),
            Self::External(deed) => deed.form(),
            Self::EditPermissions(_, _, policy) => permissions::form(policy),
            Self::CreateKeyStore if *world == World::Bundled => stores::with_route(stores::form(None)),
            Self::CreateKeyStore => stores::form(None),
            Self::EditKeyStore(store) => stores::form(Some(store)),
            Self::DeleteKeyStore { .. } => Form::new(vec![stores::confirmation()], "Delete", true),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::form(self),
            _ => keys::form(self),
        }
    }

    /// What the person should know before doing it.
    fn write_intro(&self, paper: &mut Paper) {
        match self {
            Self::CreateKeyStore | Self::EditKeyStore(_) | Self::DeleteKeyStore { .. } => stores::intro(self, paper),
            Self::Encrypt(key) | Self::Decrypt(key) => {
                paper.pair("KMS key", &key.name, theme::TEXT);
                paper.gap();
            }
            Self::External(deed) => deed.intro(paper),
            _ => keys::intro(self, paper),
        }
    }

    fn problems(&self, form: &Form, known: &Known) -> Vec<Problem> {
        match self {
            Self::Preferences => preferences::problems(form),
            Self::External(deed) => deed.problems(form),
            Self::EditPermissions(_, text, policy) => permissions::problems(form, text, policy, known),
            Self::CreateKeyStore | Self::EditKeyStore(_) => stores::problems(self, form, known),
            Self::DeleteKeyStore { name, .. } => stores::unconfirmed(form, name).into_iter().collect(),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::problems(self, form),
            _ => keys::problems(self, form, known),
        }
    }

    fn changes(&self, form: &Form, known: &Known) -> Vec<Change> {
        match self {
            Self::EditPermissions(key, text, policy) => permissions::changes(&key.id, form, text, policy, known),
            Self::CreateKeyStore | Self::EditKeyStore(_) | Self::DeleteKeyStore { .. } => stores::changes(self, form),
            Self::Encrypt(_) | Self::Decrypt(_) => cryptography::changes(self, form),
            Self::External(deed) => deed.changes(form),
            _ => keys::changes(self, form),
        }
    }

    /// The sentence of the flash bar.
    fn done_words(&self, form: &Form) -> String {
        match self {
            Self::CreateKeyStore => {
                format!("The external key store {} was created. Connect it to use it.", form.text("name"))
            }
            Self::EditKeyStore(store) => format!("The external key store {} was updated.", store.custom_key_store_name),
            Self::DeleteKeyStore { name, .. } => format!("The external key store {name} was deleted."),
            Self::External(deed) => deed.done_words(form),
            _ => keys::done_words(self, form),
        }
    }

    /// Inputs that a command needs not: no name has to be typed to confirm it, and a secret comes from a file.
    fn needless(&self) -> &'static [&'static str] {
        if *self == Self::CreateKeyStore { &stores::CREDENTIAL } else { &["confirm"] }
    }

    /// The input that mends an error of AWS.
    fn mended_by(&self, code: &str) -> Option<&'static str> {
        match self {
            Self::CreateKeyStore | Self::EditKeyStore(_) => stores::mended_by(code),
            _ => None,
        }
    }
}

/// A task on the screen: its form, how far its requests are, and what came of them.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// What is to be done.
    pub task: Task,
    form: Form,
    queue: Vec<Change>,
    total: usize,
    failure: Option<Failure>,
    outcome: Option<Outcome>,
    asks_to_discard: bool,
    is_copied: bool,
    only_tells: bool,
    scroll: Scroll,
}

impl PartialEq for Dialog {
    fn eq(&self, other: &Self) -> bool {
        self.task == other.task
    }
}

impl Dialog {
    /// Opens the form of a task. Some is asked for in the bundled world alone.
    pub fn new(task: Task, now: &Preferences, world: &World) -> Self {
        let mut form = task.form(now, world);
        stores::arrange(&task, &mut form);
        Self {
            task,
            form,
            queue: Vec::new(),
            total: 0,
            failure: None,
            outcome: None,
            asks_to_discard: false,
            is_copied: false,
            only_tells: false,
            scroll: Scroll::default(),
        }
    }

    /// Lets the dialog give the commands that would do it, and do nothing. What a person prefers is no change to AWS.
    pub fn only_tell(&mut self) {
        if self.task != Task::Preferences {
            self.only_tells = true;
            self.form.go = commands::COPY;
            self.arrange();
            self.form.begin();
        }
    }

    /// Moves the focus to an input.
    pub fn focus(&mut self, name: &'static str) {
        self.form.focus_on(name);
    }

    /// Shows the inputs that are needed now.
    fn arrange(&mut self) {
        stores::arrange(&self.task, &mut self.form);
        if self.only_tells {
            self.form.hidden.extend(self.task.needless());
        }
    }

    /// What is wrong with the form; where nothing is done, only with what it asks for.
    fn problems(&self, known: &Known) -> Vec<Problem> {
        let mut problems = self.task.problems(&self.form, known);
        problems.retain(|(name, _)| !(self.only_tells && self.form.hidden.contains(name)));
        problems
    }

    /// Whether an answer is waited for.
    pub fn is_sending(&self) -> bool {
        !self.queue.is_empty() && self.failure.is_none()
    }

    /// Whether leaving would lose what was typed.
    pub fn would_lose(&self) -> bool {
        self.form.is_touched() && self.outcome.is_none()
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        if self.is_sending() {
            // What is on its way can't be called back; the dialog can be left, and the answer is told when it comes.
            return if key.code == KeyCode::Esc { vec![Wish::Close] } else { Vec::new() };
        }
        if let Some(outcome) = &self.outcome {
            return match key.code {
                KeyCode::Char('y') => {
                    self.is_copied = true;
                    cryptography::copied(outcome).into_iter().collect()
                }
                KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => match outcome {
                    // Something was made, and is to be seen.
                    Outcome::Configuration(_) => vec![Wish::Done(self.task.done_words(&self.form))],
                    _ => vec![Wish::Close],
                },
                _ => Vec::new(),
            };
        }
        if !self.form.turns_pages() && self.scroll.press_page(key.code) {
            return Vec::new();
        }
        self.scroll.reset();
        self.is_copied = false;
        let asked = std::mem::take(&mut self.asks_to_discard);
        let pressed = self.form.press(key);
        self.arrange();
        match pressed {
            Pressed::Taken => Vec::new(),
            Pressed::Entered(name) => self.entered(name),
            Pressed::Cancel if key.code == KeyCode::Esc && self.would_lose() && !asked => {
                self.asks_to_discard = true;
                Vec::new()
            }
            Pressed::Cancel => vec![Wish::Close],
            Pressed::Submit => self.submit(known),
        }
    }

    fn entered(&mut self, name: &'static str) -> Vec<Wish> {
        let text = self.form.text(name);
        if name == stores::FILE && !text.is_empty() {
            if text.starts_with('{') {
                self.file_read(&Ok(SecretString::new(text)));
                return Vec::new();
            }
            return vec![Wish::Ask(Call::ReadFile(text))];
        }
        self.form.next();
        Vec::new()
    }

    /// A file that was asked for has been read.
    pub fn file_read(&mut self, file: &Result<SecretString, Failure>) {
        let file = file.as_ref().map_err(Clone::clone);
        let result = file.and_then(|text| stores::fill_from(&mut self.form, text.expose()));
        self.failure = result.err();
        self.arrange();
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.is_sending() || self.outcome.is_some() {
            return;
        }
        if self.form.here() == Some(stores::FILE) && text.trim_start().starts_with('{') {
            // It holds a secret, so it is taken apart without ever standing on the screen.
            self.file_read(&Ok(SecretString::new(text.to_owned())));
            return;
        }
        self.form.paste(text);
    }

    fn submit(&mut self, known: &Known) -> Vec<Wish> {
        if let Some((name, _)) = self.problems(known).first() {
            self.form.focus_on(name);
            return Vec::new();
        }
        if self.task == Task::Preferences {
            return vec![Wish::Prefer(preferences::chosen(&self.form))];
        }
        let changes = self.task.changes(&self.form, known);
        if self.only_tells && !changes.is_empty() {
            self.is_copied = true;
            self.form.focus_on_go();
            return vec![Wish::Copy(commands::WHAT, commands::of(&changes, known))];
        }
        // After a failure only what is left is tried again; an edited form asks anew.
        self.queue = changes;
        self.total = self.queue.len();
        self.failure = None;
        self.send()
    }

    fn send(&mut self) -> Vec<Wish> {
        match self.queue.first() {
            Some(change) => vec![Wish::Ask(Call::Change(Box::new(change.clone())))],
            None if self.total == 0 => vec![Wish::Done("Nothing was changed.".to_owned())],
            None => vec![Wish::Done(self.task.done_words(&self.form))],
        }
    }

    /// A request was answered.
    pub fn answered(&mut self, result: Result<Outcome, Failure>) -> Vec<Wish> {
        match result {
            Ok(Outcome::Done) => {
                if !self.queue.is_empty() {
                    self.queue.remove(0);
                }
                self.send()
            }
            Ok(outcome) => {
                self.queue.clear();
                self.outcome = Some(outcome);
                Vec::new()
            }
            Err(failure) => {
                match self.task.mended_by(&failure.code) {
                    Some(name) => self.form.focus_on(name),
                    None => self.form.focus_on_go(),
                }
                self.failure = Some(failure);
                Vec::new()
            }
        }
    }

    /// Whether there is a form to fill in now.
    pub fn has_form(&self) -> bool {
        self.outcome.is_none() && !self.is_sending()
    }

    /// Whether letters are text now.
    pub fn is_typing(&self) -> bool {
        self.has_form() && self.form.is_typing()
    }

    /// Whether Space ticks a box or presses a button.
    pub fn can_toggle(&self) -> bool {
        self.form.can_toggle()
    }

    /// Whether `PgDn` looks further down.
    pub fn can_scroll(&self) -> bool {
        self.has_form() && !self.form.turns_pages() && self.scroll.has_more()
    }

    /// How far it is scrolled.
    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }

    /// Writes the dialog; gives its title.
    pub fn write(&self, paper: &mut Paper, known: &Known) -> String {
        let title = self.task.title().to_owned();
        if let Some(outcome) = &self.outcome {
            cryptography::write_outcome(paper, outcome, self.is_copied);
            return title;
        }
        let title = if self.asks_to_discard { "Esc once more discards what you typed".to_owned() } else { title };
        if self.only_tells {
            commands::write_heading(paper, "nothing is changed from here. This gives the command that does it.");
            paper.gap();
        }
        self.task.write_intro(paper);
        // What AWS refused stands where the person is.
        let tell = |paper: &mut Paper| {
            if let Some(failure) = &self.failure {
                self.write_failure(paper, failure);
            }
        };
        let problems = self.problems(known);
        self.form.write(paper, &problems, tell);
        if self.only_tells && problems.is_empty() {
            let told = commands::of(&self.task.changes(&self.form, known), known);
            commands::write(paper, &told, self.is_copied);
        }
        if self.is_sending() {
            let (done, total) = (self.total - self.queue.len(), self.total);
            let words = if total > 1 { format!("… {done} of {total} done") } else { "… Sending".to_owned() };
            paper.line(Line::styled(words, theme::WARNING));
            return title;
        }
        self.form.write_buttons(paper, tell);
        title
    }

    fn write_failure(&self, paper: &mut Paper, failure: &Failure) {
        let guide = guide::for_error(&failure.code, &failure.message);
        let done = self.total.saturating_sub(self.queue.len());
        if self.total > 1 {
            paper.prose(&format!("{done} of {} done, then:", self.total), 0, theme::TEXT);
        }
        paper.line(Line::styled(format!("✗ {}", failure.code), theme::BAD));
        if !failure.message.is_empty() {
            paper.error(&failure.message, 2, theme::TEXT);
        }
        paper.prose(guide.meaning, 2, theme::TEXT);
        paper.prose(&format!("What to do: {}", guide.remedy), 2, theme::TEXT);
        paper.gap();
    }
}

/// What a person knows a key by.
pub fn name_of(key: &KeySummary, known: &Known) -> KeyName {
    let aliases = super::pages::keys::aliases_of(key.key_id(), known);
    let id = key.key_id().to_owned();
    KeyName { name: aliases.first().unwrap_or(&id).clone(), id }
}
