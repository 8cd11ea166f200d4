//! The drafts saved on disk: the one that is open in the wizard, and the list of all drafts.

mod list;

use jiff::Timestamp;
use ratatui::text::{Line, Span};

pub use self::list::{DraftList, DraftListEvent};
use super::target;
use super::theme;
use super::widgets::scroll_view::ScrollView;
use super::widgets::{button_row, text};
use super::wizard::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::submission::{self, Submission};
use crate::drafts::{DraftEntry, DraftRequest, DraftScope, DraftTarget, SavedDraft};

/// The drafts known to the console.
#[derive(Clone, Debug, Default)]
pub struct Drafts {
    /// The AWS that drafts are saved for, and the prefix of new draft names. Nothing is saved when absent.
    pub target: Option<(DraftTarget, String)>,
    /// All drafts, newest first.
    pub list: Vec<DraftEntry>,
    /// The request to send as soon as the draft is saved, and the ticket of that save.
    pub deferred_request: Option<(u64, submission::SubmissionRequest)>,
    /// Why the last save failed, if it did.
    pub save_failure: Option<String>,
    /// Whether the user chose to send CreateKey without a saved draft.
    pub allow_unsaved: bool,
    open_draft: Option<(String, SavedDraft)>,
    last_number: u64,
}

impl Drafts {
    /// Returns the scope of a draft in the current AWS, account, and Region.
    pub fn scope(&self, account: &AccountState) -> Option<DraftScope> {
        let (target, _) = self.target.clone()?;
        Some(DraftScope { world: target, account: account.account_id.clone(), region: account.region.clone() })
    }

    /// Switches to another AWS. Bundled AWS targets share one directory, so they don't change the scope.
    pub fn set_target(&mut self, target: &target::Target) {
        if let Some((current, _)) = &mut self.target {
            *current = match target {
                target::Target::Bundled => return,
                target::Target::Endpoint(host) => DraftTarget::Endpoint(host.clone()),
                target::Target::Aws => DraftTarget::Aws,
            };
        }
    }

    /// Whether the wizard's input is saved on disk.
    pub fn is_saved(&self) -> bool {
        self.target.is_some() && self.save_failure.is_none()
    }

    /// Records that a draft was opened in the wizard.
    pub fn on_opened(&mut self, name: String, saved: SavedDraft) {
        self.open_draft = Some((name, saved));
    }

    /// Returns a request that saves the wizard if it changed since the last save.
    ///
    /// With a ticket, the wizard is always saved, because a request waits for that save.
    pub fn save(&mut self, wizard: &Wizard, account: &AccountState, ticket: Option<u64>) -> Option<DraftRequest> {
        let here = self.scope(account)?;
        if let Some((_, old)) = &self.open_draft
            && ticket.is_none()
            && (!old.place.is_available_in(&here) || wizard.matches_saved(old) && old.place == here)
        {
            return None;
        }
        let name = self.open_draft.take().map_or_else(|| self.new_name(), |(name, _)| name);
        let saved = wizard.to_saved(here);
        self.open_draft = Some((name.clone(), saved.clone()));
        Some(DraftRequest::Save { name, saved: Box::new(saved), ticket })
    }

    fn new_name(&mut self) -> String {
        self.last_number += 1;
        let session = self.target.as_ref().map_or("", |(_, session)| session);
        format!("{session}-{}", self.last_number)
    }

    /// Closes the open draft and keeps it on disk.
    pub fn close(&mut self) -> Option<DraftRequest> {
        self.release().map(DraftRequest::Close)
    }

    /// Deletes the open draft, because its KMS key was created or the user discarded it.
    pub fn discard(&mut self) -> Option<DraftRequest> {
        self.release().map(DraftRequest::Discard)
    }

    fn release(&mut self) -> Option<String> {
        self.allow_unsaved = false;
        self.deferred_request = None;
        self.open_draft.take().map(|(name, _)| name)
    }

    /// Returns the drafts that can be resumed in the current scope.
    pub fn resumable(&self, account: &AccountState) -> Vec<&SavedDraft> {
        let Some(here) = self.scope(account) else { return Vec::new() };
        self.list.iter().filter_map(|entry| check_resumable(entry, &here).ok()).map(|(_, saved)| saved).collect()
    }

    /// Returns a notice for the pages that start a wizard, if there are drafts to resume.
    /// `key` is the key that lists them.
    pub fn notice(&self, account: &AccountState, key: &str, width: usize) -> Option<Line<'static>> {
        let resumable = self.resumable(account);
        // Drafts with an unknown outcome come first, because an unknown KMS key might exist.
        let first = resumable.iter().find(|saved| saved.submission.is_in_doubt()).or(resumable.first())?;
        let (mark, style) = if first.submission.is_in_doubt() { ("▲", theme::WARNING) } else { ("◌", theme::TEXT) };
        let key = format!("[{key}] Drafts");
        let more = if resumable.len() > 1 { format!(" and {} more", resumable.len() - 1) } else { String::new() };
        let words = format!(" {mark} Draft of a KMS key: {}", text::escape_controls(&display_name(first)));
        let room = width.saturating_sub(text::width(&key) + text::width(&more) + 4);
        let words = format!("{}{more}   ", text::truncate(&words, room));
        Some(Line::from(vec![Span::styled(words, style), Span::styled(key, theme::ACCENT)]))
    }
}

/// Returns the time and content of a draft that can be resumed here, or the reason why it can't.
pub fn check_resumable<'a>(entry: &'a DraftEntry, here: &DraftScope) -> Result<(Timestamp, &'a SavedDraft), String> {
    let (at, saved) = entry.saved.as_ref().map_err(|why| format!("{why} The console doesn't change the file."))?;
    if !saved.place.is_available_in(here) {
        return Err(format!("This draft is for {}.", describe_scope(&saved.place, here)));
    }
    if entry.is_open {
        return Err("This draft is already open in this or another console.".to_owned());
    }
    Ok((*at, saved))
}

/// Describes how the scope of a draft differs from the current one.
fn describe_scope(place: &DraftScope, here: &DraftScope) -> String {
    let account = if place.account.is_empty() { String::new() } else { format!("account {}, ", place.account) };
    let account = format!("{account}Region {}", place.region);
    match &place.world {
        target if *target == here.world => account,
        DraftTarget::Bundled(directory) => format!("the bundled AWS in {directory}"),
        DraftTarget::Endpoint(host) => format!("the endpoint {host}, {account}"),
        DraftTarget::Aws => format!("AWS, {account}"),
    }
}

/// Returns the display name of a draft: its alias, external key ID, or description.
pub fn display_name(saved: &SavedDraft) -> String {
    let draft = &saved.draft;
    let named = [&draft.alias, &draft.xks_key_id, &draft.description].into_iter().find(|text| !text.trim().is_empty());
    named.map_or_else(|| "no alias yet".to_owned(), |text| text.lines().collect::<Vec<_>>().join(" "))
}

/// Describes the progress of a draft.
pub fn describe_progress(saved: &SavedDraft) -> String {
    match &saved.submission {
        Submission::Failed { failure } => format!("CreateKey failed: {}", failure.code),
        Submission::KeyWithoutAlias { key, .. } => format!("KMS key {} was created without its alias", key.key_id),
        submission if submission.is_in_doubt() => match submission.key() {
            Some(key) => format!("KMS key {} was created; its alias might not exist", key.key_id),
            None => "CreateKey was sent; the KMS key might exist".to_owned(),
        },
        _ => format!("At step: {}", saved.step.title()),
    }
}

fn key_store_name(saved: &SavedDraft, account: &AccountState) -> String {
    let id = saved.draft.custom_key_store_id.as_ref().filter(|_| saved.draft.is_external());
    let name = id.map(|id| account.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone());
    name.unwrap_or_else(|| if saved.draft.is_external() { "No key store selected" } else { "AWS KMS" }.to_owned())
}

/// Writes the confirmation for sending CreateKey without a saved draft. Returns the dialog title.
pub fn write_unsaved_confirmation(view: &mut ScrollView, reason: &str, is_confirm_focused: bool) -> &'static str {
    view.paragraph("Couldn't save the draft, so CreateKey was not sent:", 0, theme::TEXT);
    view.paragraph(reason, 2, theme::ERROR);
    view.blank_line();
    let risk =
        "If the console exits before AWS responds, there will be no record that a KMS key might have been created.";
    view.paragraph(risk, 0, theme::TEXT);
    view.blank_line();
    button_row(view, &[Some("Cancel"), Some("Create without draft")], usize::from(is_confirm_focused));
    "Create the KMS key without a draft?"
}
