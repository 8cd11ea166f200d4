//! The drafts of the session: the one that the wizard works on, and those on disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::create_key::account_state::AccountState;
use crate::drafts::{DraftEntry, DraftRequest, DraftResponse, DraftScope, DraftStore, DraftTarget, SavedDraft};
use crate::environment::Clock;
use crate::tui::drafts::check_resumable;

/// The drafts of a session. Each save is on disk when it returns.
#[derive(Debug)]
pub struct Drafts {
    /// `None` if drafts aren't kept.
    store: Option<DraftStore>,
    target: DraftTarget,
    /// The start of the names of new drafts, which is unique to the session.
    prefix: String,
    last_number: u64,
    open_draft: Option<(String, SavedDraft)>,
    has_failed: bool,
    is_saved: Arc<AtomicBool>,
}

/// The result of saving a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SaveResult {
    /// It is saved, or the save failed for the same reason as before.
    Unchanged,
    /// It couldn't be saved, for this reason.
    Failed(String),
}

impl Drafts {
    /// Creates the drafts of a session on the AWS `target`. `prefix` must be unique to the session.
    pub fn new(directory: Option<PathBuf>, clock: Clock, target: DraftTarget, prefix: String) -> Self {
        Self {
            store: Some(DraftStore::new(directory, clock)),
            target,
            prefix,
            last_number: 0,
            open_draft: None,
            has_failed: false,
            is_saved: Arc::default(),
        }
    }

    /// Creates the drafts of a session that keeps none, because its account is only in memory.
    pub fn none() -> Self {
        let target = DraftTarget::Bundled(String::new());
        Self { store: None, ..Self::new(None, Clock::System, target, String::new()) }
    }

    fn handle(&mut self, request: DraftRequest) -> Option<DraftResponse> {
        self.store.as_mut()?.handle(request)
    }

    /// Returns whether the wizard has a saved draft, for a signal handler.
    pub fn saved_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_saved)
    }

    pub(super) fn is_saved(&self) -> bool {
        self.is_saved.load(Ordering::SeqCst)
    }

    pub(super) fn scope(&self, account: &AccountState) -> DraftScope {
        DraftScope { world: self.target.clone(), account: account.account_id.clone(), region: account.region.clone() }
    }

    /// Returns the drafts that can be resumed here, newest first, or the reason why they can't be listed.
    pub(super) fn resumable(&mut self, account: &AccountState) -> Result<Vec<(String, SavedDraft)>, String> {
        let here = self.scope(account);
        let Some(DraftResponse::Listed(listed)) = self.handle(DraftRequest::List) else { return Ok(Vec::new()) };
        let can_be_resumed = |entry: DraftEntry| {
            let saved = check_resumable(&entry, &here).map(|(_, saved)| saved.clone()).ok()?;
            Some((entry.name, saved))
        };
        Ok(listed?.into_iter().filter_map(can_be_resumed).collect())
    }

    /// Opens a draft, so that no other console can.
    pub(super) fn open(&mut self, name: &str) -> Result<SavedDraft, String> {
        match self.handle(DraftRequest::Open(name.to_owned())) {
            Some(DraftResponse::Opened(name, opened)) => {
                let saved = *opened?;
                self.open_draft = Some((name, saved.clone()));
                self.is_saved.store(true, Ordering::SeqCst);
                Ok(saved)
            }
            _ => Err("The draft couldn't be opened.".to_owned()),
        }
    }

    /// Saves the draft, unless it is already saved. A request that must not be sent twice `is_required`: it depends on
    /// the save, whose failure is then always reported.
    pub(super) fn save(&mut self, saved: SavedDraft, is_required: bool) -> SaveResult {
        if !is_required && self.open_draft.as_ref().is_some_and(|(_, last)| *last == saved) {
            return SaveResult::Unchanged;
        }
        let name = self.open_draft.take().map_or_else(|| self.new_name(), |(name, _)| name);
        self.open_draft = Some((name.clone(), saved.clone()));
        let request = DraftRequest::Save { name, saved: Box::new(saved), ticket: Some(0) };
        let result = match self.handle(request) {
            Some(DraftResponse::Saved { result, .. }) => result,
            _ => Ok(()),
        };
        self.is_saved.store(self.store.is_some() && result.is_ok(), Ordering::SeqCst);
        let had_failed = std::mem::replace(&mut self.has_failed, result.is_err());
        match result {
            Err(reason) if is_required || !had_failed => SaveResult::Failed(reason),
            _ => SaveResult::Unchanged,
        }
    }

    fn new_name(&mut self) -> String {
        self.last_number += 1;
        format!("{}-{}", self.prefix, self.last_number)
    }

    /// Closes the open draft and keeps it.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.release() {
            self.handle(DraftRequest::Close(name));
        }
    }

    /// Deletes the open draft. Returns the reason if it can't be deleted.
    pub(super) fn discard(&mut self) -> Result<(), String> {
        let name = self.release();
        match name.and_then(|name| self.handle(DraftRequest::Discard(name))) {
            Some(DraftResponse::DiscardFailed(reason)) => Err(reason),
            _ => Ok(()),
        }
    }

    fn release(&mut self) -> Option<String> {
        self.is_saved.store(false, Ordering::SeqCst);
        self.open_draft.take().map(|(name, _)| name)
    }
}
