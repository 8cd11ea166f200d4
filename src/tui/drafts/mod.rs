//! The drafts that are kept on disk, as the console knows them: the one that is open in the wizard, and the list of all.

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

/// What the console knows of the drafts.
#[derive(Clone, Debug, Default)]
pub struct Drafts {
    /// Which AWS they are for, and the first part of the names of new ones; nothing is kept when absent.
    pub target: Option<(DraftTarget, String)>,
    /// All there are, the newest first.
    pub list: Vec<DraftEntry>,
    /// The request that waits until it is on the disk that it is about to be sent, and the number it waits with.
    pub deferred_request: Option<(u64, submission::SubmissionRequest)>,
    /// Whether the last save failed.
    pub last_save_failed: bool,
    /// Whether the person goes on though nothing would tell of the request after a crash.
    pub allow_unsaved: bool,
    open_draft: Option<(String, SavedDraft)>,
    last_number: u64,
}

impl Drafts {
    /// Where a wizard that is open now belongs.
    pub fn scope(&self, account: &AccountState) -> Option<DraftScope> {
        let (target, _) = self.target.clone()?;
        Some(DraftScope { world: target, account: account.account_id.clone(), region: account.region.clone() })
    }

    /// Goes on with another AWS; the bundled ones that one console opens are all in one directory.
    pub fn set_target(&mut self, target: &target::Target) {
        if let Some((home, _)) = &mut self.target {
            *home = match target {
                target::Target::Bundled => return,
                target::Target::Endpoint(host) => DraftTarget::Endpoint(host.clone()),
                target::Target::Aws => DraftTarget::Aws,
            };
        }
    }

    /// Whether what is typed is on the disk.
    pub fn is_saved(&self) -> bool {
        self.target.is_some() && !self.last_save_failed
    }

    /// Takes what is opened for what the wizard shows.
    pub fn on_opened(&mut self, name: String, saved: SavedDraft) {
        self.open_draft = Some((name, saved));
    }

    /// Keeps what has changed in the wizard since it was kept last; in any case when somebody waits for it.
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

    /// Leaves the open draft on the disk.
    pub fn close(&mut self) -> Option<DraftRequest> {
        self.release().map(DraftRequest::Close)
    }

    /// Removes the open draft: its key is made, or nothing is left of it.
    pub fn discard(&mut self) -> Option<DraftRequest> {
        self.release().map(DraftRequest::Discard)
    }

    fn release(&mut self) -> Option<String> {
        self.allow_unsaved = false;
        self.deferred_request = None;
        self.open_draft.take().map(|(name, _)| name)
    }

    /// The drafts that can be gone on with here.
    pub fn resumable(&self, account: &AccountState) -> Vec<&SavedDraft> {
        let Some(here) = self.scope(account) else { return Vec::new() };
        self.list.iter().filter_map(|entry| check_resumable(entry, &here).ok()).map(|(_, saved)| saved).collect()
    }

    /// A line for the pages where a wizard starts, if there is something to go on with.
    pub fn notice(&self, account: &AccountState, width: usize) -> Option<Line<'static>> {
        let offered = self.resumable(account);
        // What is in doubt first: there may be a key that nobody knows of.
        let first = offered.iter().find(|saved| saved.submission.is_in_doubt()).or(offered.first())?;
        let (mark, style) = if first.submission.is_in_doubt() { ("?", theme::WARNING) } else { ("◌", theme::TEXT) };
        let key = "[D] Drafts";
        let more = if offered.len() > 1 { format!(" and {} more", offered.len() - 1) } else { String::new() };
        let words = format!(" {mark} Unfinished KMS key: {}", text::escape_controls(&display_name(first)));
        let room = width.saturating_sub(text::width(key) + text::width(&more) + 4);
        let words = format!("{}{more}   ", text::truncate(&words, room));
        Some(Line::from(vec![Span::styled(words, style), Span::styled(key, theme::ACCENT)]))
    }
}

/// What can be gone on with here, or why it can't.
fn check_resumable<'a>(entry: &'a DraftEntry, here: &DraftScope) -> Result<(Timestamp, &'a SavedDraft), String> {
    let (at, saved) = entry.saved.as_ref().map_err(|why| format!("{why} The file is left as it is."))?;
    if !saved.place.is_available_in(here) {
        return Err(format!("It is for {}.", describe_scope(&saved.place, here)));
    }
    if entry.is_open {
        return Err("It is open already, here or in another console.".to_owned());
    }
    Ok((*at, saved))
}

/// In what another place differs from here.
fn describe_scope(place: &DraftScope, here: &DraftScope) -> String {
    let account = if place.account.is_empty() { String::new() } else { format!("account {}, ", place.account) };
    let account = format!("{account}Region {}", place.region);
    match &place.world {
        target if *target == here.world => account,
        DraftTarget::Bundled(directory) => format!("the bundled AWS in {directory}"),
        DraftTarget::Endpoint(host) => format!("the AWS at {host}, {account}"),
        DraftTarget::Aws => format!("AWS, {account}"),
    }
}

/// What a person knows a draft by.
pub fn display_name(saved: &SavedDraft) -> String {
    let draft = &saved.draft;
    let named = [&draft.alias, &draft.xks_key_id, &draft.description].into_iter().find(|text| !text.is_empty());
    named.map_or_else(|| "without a name".to_owned(), |text| text.lines().collect::<Vec<_>>().join(" "))
}

/// Where it stood.
fn describe_progress(saved: &SavedDraft) -> String {
    match &saved.submission {
        Submission::Failed { failure } => format!("CreateKey was refused: {}", failure.code),
        Submission::KeyWithoutAlias { key, .. } => format!("key {} was created, its alias was not", key.key_id),
        submission if submission.is_in_doubt() => match submission.key() {
            Some(key) => format!("key {} was created; whether its alias was is not known", key.key_id),
            None => "CreateKey was sent; whether a key was created is not known".to_owned(),
        },
        _ => format!("at step {}", saved.step.title()),
    }
}

fn key_store_name(saved: &SavedDraft, account: &AccountState) -> String {
    let id = saved.draft.custom_key_store_id.as_ref().filter(|_| saved.draft.is_external());
    let name = id.map(|id| account.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone());
    name.unwrap_or_else(|| if saved.draft.is_external() { "no store yet" } else { "AWS KMS" }.to_owned())
}

/// Writes the question whether to send CreateKey though nothing tells of it after a crash; gives the title.
pub fn write_unsaved_confirmation(view: &mut ScrollView, reason: &str, is_confirm_focused: bool) -> &'static str {
    view.paragraph("The draft can't be written, so CreateKey was not sent yet:", 0, theme::TEXT);
    view.paragraph(reason, 2, theme::ERROR);
    view.blank_line();
    let risk = "If this console ends before the answer comes, nothing will tell that a KMS key may have been created.";
    view.paragraph(risk, 0, theme::TEXT);
    view.blank_line();
    button_row(view, &[Some("Cancel"), Some("Create all the same")], usize::from(is_confirm_focused));
    "Create the KMS key without a draft?"
}
