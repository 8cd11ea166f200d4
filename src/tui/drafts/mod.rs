//! The drafts that are kept on disk, as the console knows them: the one that is open in the wizard, and the list of all.

mod list;

use jiff::Timestamp;
use ratatui::text::{Line, Span};

pub use self::list::{List, Pressed};
use super::app;
use super::theme;
use super::widgets::paper::Paper;
use super::widgets::{button_row, text};
use super::wizard::Wizard;
use crate::create_key::known::Known;
use crate::create_key::submission::{self, Submission};
use crate::drafts::{Ask, Entry, Place, Saved, World};

/// What the console knows of the drafts.
#[derive(Clone, Debug, Default)]
pub struct Drafts {
    /// Which AWS they are for, and the first part of the names of new ones; nothing is kept when absent.
    pub home: Option<(World, String)>,
    /// All there are, the newest first.
    pub list: Vec<Entry>,
    /// The request that waits until it is on the disk that it is about to be sent, and the number it waits with.
    pub held: Option<(u64, submission::Call)>,
    /// Whether the last save failed.
    pub has_failed: bool,
    /// Whether the person goes on though nothing would tell of the request after a crash.
    pub without_net: bool,
    open: Option<(String, Saved)>,
    count: u64,
}

impl Drafts {
    /// Where a wizard that is open now belongs.
    pub fn place(&self, known: &Known) -> Option<Place> {
        let (world, _) = self.home.clone()?;
        Some(Place { world, account: known.account.clone(), region: known.region.clone() })
    }

    /// Goes on with another AWS; the bundled ones that one console opens are all in one directory.
    pub fn move_to(&mut self, world: &app::World) {
        if let Some((home, _)) = &mut self.home {
            *home = match world {
                app::World::Bundled => return,
                app::World::Endpoint(host) => World::Endpoint(host.clone()),
                app::World::Aws => World::Aws,
            };
        }
    }

    /// Whether what is typed is on the disk.
    pub fn are_kept(&self) -> bool {
        self.home.is_some() && !self.has_failed
    }

    /// Takes what is opened for what the wizard shows.
    pub fn opened(&mut self, name: String, saved: Saved) {
        self.open = Some((name, saved));
    }

    /// Keeps what has changed in the wizard since it was kept last; in any case when somebody waits for it.
    pub fn save(&mut self, wizard: &Wizard, known: &Known, ticket: Option<u64>) -> Option<Ask> {
        let here = self.place(known)?;
        if let Some((_, old)) = &self.open
            && ticket.is_none()
            && (!old.place.is_within(&here) || wizard.stands_at(old) && old.place == here)
        {
            return None;
        }
        let name = self.open.take().map_or_else(|| self.new_name(), |(name, _)| name);
        let saved = wizard.saved(here);
        self.open = Some((name.clone(), saved.clone()));
        Some(Ask::Save { name, saved: Box::new(saved), ticket })
    }

    fn new_name(&mut self) -> String {
        self.count += 1;
        let session = self.home.as_ref().map_or("", |(_, session)| session);
        format!("{session}-{}", self.count)
    }

    /// Leaves the open draft on the disk.
    pub fn close(&mut self) -> Option<Ask> {
        self.let_go().map(Ask::Close)
    }

    /// Removes the open draft: its key is made, or nothing is left of it.
    pub fn discard(&mut self) -> Option<Ask> {
        self.let_go().map(Ask::Discard)
    }

    fn let_go(&mut self) -> Option<String> {
        self.without_net = false;
        self.held = None;
        self.open.take().map(|(name, _)| name)
    }

    /// The drafts that can be gone on with here.
    pub fn offered(&self, known: &Known) -> Vec<&Saved> {
        let Some(here) = self.place(known) else { return Vec::new() };
        self.list.iter().filter_map(|entry| offer(entry, &here).ok()).map(|(_, saved)| saved).collect()
    }

    /// A line for the pages where a wizard starts, if there is something to go on with.
    pub fn notice(&self, known: &Known, width: usize) -> Option<Line<'static>> {
        let offered = self.offered(known);
        // What is in doubt first: there may be a key that nobody knows of.
        let first = offered.iter().find(|saved| saved.submission.is_in_doubt()).or(offered.first())?;
        let (mark, style) = if first.submission.is_in_doubt() { ("?", theme::WARNING) } else { ("◌", theme::TEXT) };
        let key = "[D] Drafts";
        let more = if offered.len() > 1 { format!(" and {} more", offered.len() - 1) } else { String::new() };
        let words = format!(" {mark} Unfinished KMS key: {}", text::escape_controls(&what(first)));
        let room = width.saturating_sub(text::width(key) + text::width(&more) + 4);
        let words = format!("{}{more}   ", text::truncate(&words, room));
        Some(Line::from(vec![Span::styled(words, style), Span::styled(key, theme::ACCENT)]))
    }
}

/// What can be gone on with here, or why it can't.
fn offer<'a>(entry: &'a Entry, here: &Place) -> Result<(Timestamp, &'a Saved), String> {
    let (at, saved) = entry.saved.as_ref().map_err(|why| format!("{why} The file is left as it is."))?;
    if !saved.place.is_within(here) {
        return Err(format!("It is for {}.", place_words(&saved.place, here)));
    }
    if entry.is_open {
        return Err("It is open already, here or in another console.".to_owned());
    }
    Ok((*at, saved))
}

/// In what another place differs from here.
fn place_words(place: &Place, here: &Place) -> String {
    let account = if place.account.is_empty() { String::new() } else { format!("account {}, ", place.account) };
    let account = format!("{account}Region {}", place.region);
    match &place.world {
        world if *world == here.world => account,
        World::Bundled(directory) => format!("the bundled AWS in {directory}"),
        World::Endpoint(host) => format!("the AWS at {host}, {account}"),
        World::Aws => format!("AWS, {account}"),
    }
}

/// What a person knows a draft by.
pub fn what(saved: &Saved) -> String {
    let draft = &saved.draft;
    let named = [&draft.alias, &draft.xks_key_id, &draft.description].into_iter().find(|text| !text.is_empty());
    named.map_or_else(|| "without a name".to_owned(), |text| text.lines().collect::<Vec<_>>().join(" "))
}

/// Where it stood.
fn stood(saved: &Saved) -> String {
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

fn store(saved: &Saved, known: &Known) -> String {
    let id = saved.draft.custom_key_store_id.as_ref().filter(|_| saved.draft.is_external());
    let name = id.map(|id| known.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone());
    name.unwrap_or_else(|| if saved.draft.is_external() { "no store yet" } else { "AWS KMS" }.to_owned())
}

/// Writes the question whether to send CreateKey though nothing tells of it after a crash; gives the title.
pub fn write_unsaved(paper: &mut Paper, reason: &str, on_do: bool) -> &'static str {
    paper.prose("The draft can't be written, so CreateKey was not sent yet:", 0, theme::TEXT);
    paper.prose(reason, 2, theme::BAD);
    paper.gap();
    let risk = "If this console ends before the answer comes, nothing will tell that a KMS key may have been created.";
    paper.prose(risk, 0, theme::TEXT);
    paper.gap();
    button_row(paper, &[Some("Cancel"), Some("Create all the same")], usize::from(on_do));
    "Create the KMS key without a draft?"
}
