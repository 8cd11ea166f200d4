//! The main menu.

use super::wizard::{WizardEnd, WizardState};
use super::{NoAnswer, Reply, Session, SessionEnd};
use crate::create_key::draft::KeyDraft;
use crate::create_key::method::Method;
use crate::drafts::SavedDraft;
use crate::text::plural;
use crate::tui::drafts::{describe_progress, display_name};

/// An entry of the main menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    CreateInKeyStore,
    CreateCustomerManaged,
    ListKeyStores,
    ListKeys,
    Connect,
    ShowKey,
    Drafts,
    Quit,
}

impl Entry {
    const ALL: [Self; 8] = [
        Self::CreateInKeyStore,
        Self::CreateCustomerManaged,
        Self::ListKeyStores,
        Self::ListKeys,
        Self::Connect,
        Self::ShowKey,
        Self::Drafts,
        Self::Quit,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::CreateInKeyStore => "Create a key in an external key store",
            Self::CreateCustomerManaged => "Create a customer managed key",
            Self::ListKeyStores => "List key stores",
            Self::ListKeys => "List keys",
            Self::Connect => "Connect a key store",
            Self::ShowKey => "Show a key",
            Self::Drafts => "Resume or discard a draft",
            Self::Quit => "Quit",
        }
    }
}

const HELP: &str = "Enter the number of an entry, or the start of its name.\n\
    Entry 1 starts with an external key store that you choose. Entry 2 starts with the configuration of the key, and \
    also creates keys whose key material AWS KMS creates. Both ask for the same properties step by step, and show them \
    for review before anything is created.";
const DRAFT_HELP: &str = "A draft is a key that you haven't finished. Resume it to continue where you left off. A discarded \
    draft is deleted.";

impl Session<'_> {
    /// Shows the main menu until the user quits.
    pub(super) fn run_menu(&mut self) -> Reply<SessionEnd> {
        self.announce_drafts()?;
        loop {
            match self.run_entry() {
                Ok(true) | Err(NoAnswer::Back | NoAnswer::Review) => {}
                Ok(false) | Err(NoAnswer::Quit) => return Ok(SessionEnd::Quit),
                Err(other) => return Err(other),
            }
        }
    }

    fn announce_drafts(&mut self) -> Reply<()> {
        match self.drafts.resumable(&self.account) {
            Ok(drafts) if drafts.is_empty() => {}
            Ok(drafts) => {
                let count = plural(drafts.len(), "draft", "drafts");
                let names: Vec<String> = drafts.iter().map(|(_, saved)| display_name(saved)).collect();
                let entry = Entry::ALL.iter().position(|entry| *entry == Entry::Drafts).unwrap_or(0) + 1;
                let names = names.join(", ");
                self.prompter.say(&format!("You have {count}: {names}. Choose {entry} to resume."))?;
            }
            Err(reason) => self.prompter.say(&format!("Couldn't list your drafts: {reason}."))?,
        }
        Ok(())
    }

    /// Shows the menu, and runs the entry that the user chooses. Returns whether the session continues.
    fn run_entry(&mut self) -> Reply<bool> {
        let labels = Entry::ALL.map(|entry| entry.label().to_owned());
        self.prompter.say("")?;
        self.prompter.say("Main menu")?;
        self.prompter.say_numbered(&labels)?;
        let index = self.prompter.ask_choice("Choose an entry", &labels, None, HELP)?;
        match Entry::ALL.get(index).copied().unwrap_or(Entry::Quit) {
            Entry::Quit => return Ok(false),
            entry => match self.run_action(entry) {
                // Leaving a list leads back to the menu.
                Err(NoAnswer::Back | NoAnswer::Review | NoAnswer::Quit) => {}
                other => other?,
            },
        }
        Ok(true)
    }

    fn run_action(&mut self, entry: Entry) -> Reply<()> {
        match entry {
            Entry::CreateInKeyStore => self.create_in_key_store(),
            Entry::CreateCustomerManaged => {
                self.load_for_wizard()?;
                self.run_wizard(WizardState::new(Method::FromCustomerManagedKeys))
            }
            Entry::ListKeyStores => self.list_key_stores(),
            Entry::ListKeys => self.list_keys(),
            Entry::Connect => {
                self.load_key_stores()?;
                if let Some(store_id) = self.ask_key_store(None, "")?
                    && self.offer_to_connect(&store_id)?
                {
                    self.prompter.say("You can create KMS keys in this key store.")?;
                }
                Ok(())
            }
            Entry::ShowKey => self.ask_and_show_key(),
            Entry::Drafts => self.choose_draft(),
            Entry::Quit => Ok(()),
        }
    }

    /// Starts Method 1: chooses the key store, which must be connected.
    fn create_in_key_store(&mut self) -> Reply<()> {
        self.load_for_wizard()?;
        let Some(custom_key_store_id) = self.ask_key_store(None, "")? else { return Ok(()) };
        if !self.offer_to_connect(&custom_key_store_id)? {
            return Ok(self.prompter.say("You can create KMS keys only in a connected key store.")?);
        }
        self.run_wizard(WizardState::new(Method::FromKeyStore { custom_key_store_id }))
    }

    fn run_wizard(&mut self, state: WizardState) -> Reply<()> {
        match self.open_wizard(state)? {
            WizardEnd::Created => {}
            WizardEnd::Left => self.prompter.say("You left the wizard.")?,
        }
        self.wizard = None;
        Ok(())
    }

    fn choose_draft(&mut self) -> Reply<()> {
        let drafts = match self.drafts.resumable(&self.account) {
            Ok(drafts) => drafts,
            Err(reason) => return Ok(self.prompter.say(&format!("Couldn't list your drafts: {reason}."))?),
        };
        if drafts.is_empty() {
            return Ok(self.prompter.say("You have no drafts to resume here.")?);
        }
        let describe =
            |(_, saved): &(String, SavedDraft)| format!("{}. {}.", display_name(saved), describe_progress(saved));
        self.prompter.say_numbered(&drafts.iter().map(describe).collect::<Vec<_>>())?;
        let names: Vec<String> = drafts.iter().map(|(_, saved)| display_name(saved)).collect();
        let index = self.prompter.ask_choice("Draft", &names, None, DRAFT_HELP)?;
        let Some((name, _)) = drafts.get(index) else { return Ok(()) };
        let saved = match self.drafts.open(name) {
            Ok(saved) => saved,
            Err(reason) => return Ok(self.prompter.say(&format!("Couldn't open the draft: {reason}"))?),
        };
        let actions = ["Resume", "Discard", "Keep for later"].map(str::to_owned);
        self.prompter.say_numbered(&actions)?;
        let action = self.prompter.ask_choice("Action", &actions, Some(0), DRAFT_HELP);
        match action {
            Ok(0) => {
                self.load_for_wizard()?;
                self.run_wizard(WizardState::from_saved(&saved))
            }
            Ok(1) => self.discard_draft(saved.submission.is_in_doubt()),
            other => {
                self.drafts.close();
                other.map(|_| ())
            }
        }
    }

    /// Discards the open draft, after a question if a key might exist.
    pub(super) fn discard_draft(&mut self, is_in_doubt: bool) -> Reply<()> {
        let question = "It is unknown whether AWS created the KMS key. Without the draft, the console can't find out. \
                        Discard it anyway?";
        if is_in_doubt && !self.prompter.ask_yes_no(question, Some(false), DRAFT_HELP)? {
            self.drafts.close();
            return Ok(self.prompter.say("The draft is kept.")?);
        }
        match self.drafts.discard() {
            Ok(()) => self.prompter.say("The draft is discarded.")?,
            Err(reason) => self.prompter.say(&format!("Couldn't discard the draft: {reason}"))?,
        }
        Ok(())
    }

    /// Returns whether the draft has values that would be lost.
    pub(super) fn has_changes(draft: &KeyDraft, method: &Method) -> bool {
        !draft.is_unchanged(method)
    }
}
