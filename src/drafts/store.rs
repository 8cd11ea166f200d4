//! The directory with the draft files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DraftEntry, DraftRequest, DraftResponse, SavedDraft};
use crate::environment::Clock;
use crate::storage::atomic_file::replace_via;
use crate::text::strip_byte_order_mark_bytes;

/// The version of the file format. Files with a newer version are never changed.
const VERSION: u32 = 1;
/// The maximum size of a draft file. A valid draft is much smaller: a policy has at most 32 KiB, and a key 50 tags.
const MAX_BYTES: u64 = 1024 * 1024;
/// How often to try to lock a draft, because another console might hold the lock briefly while it lists the drafts.
const LOCK_ATTEMPTS: u32 = 5;
/// The delay between these attempts.
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(10);
const LOCKED_MESSAGE: &str = "The draft is open in another console.";

/// The content of a draft file.
#[derive(Serialize, Deserialize)]
struct Document<T> {
    version: u32,
    saved_at: Timestamp,
    content: T,
}

/// The drafts on disk, and the locks of those that this console has open.
///
/// Each draft has a file `NAME.json`, which is replaced atomically, and a file `NAME.lock`, which is locked while the
/// draft is open. The operating system releases the lock when the process ends, even after a crash.
#[derive(Debug)]
pub struct DraftStore {
    dir: Option<PathBuf>,
    clock: Clock,
    locks: HashMap<String, File>,
    last_save_failed: bool,
}

impl DraftStore {
    /// Creates a store for the drafts in `drafts_dir`, which is created on the first save. Without a directory, every
    /// save fails.
    pub fn new(drafts_dir: Option<PathBuf>, clock: Clock) -> Self {
        Self { dir: drafts_dir, clock, locks: HashMap::new(), last_save_failed: false }
    }

    /// Handles a request and returns the response, if there is one.
    ///
    /// A save without a ticket has a response only if it fails or if it succeeds after a failure.
    pub fn handle(&mut self, request: DraftRequest) -> Option<DraftResponse> {
        match request {
            DraftRequest::List => Some(DraftResponse::Listed(self.list().map_err(|error| self.describe_error(&error)))),
            DraftRequest::Save { name, saved, ticket } => {
                let result = self.save(&name, &saved).map_err(|error| self.describe_error(&error));
                let was_failed = std::mem::replace(&mut self.last_save_failed, result.is_err());
                let is_news = ticket.is_some() || was_failed || result.is_err();
                is_news.then_some(DraftResponse::Saved { ticket, result })
            }
            DraftRequest::Open(name) => {
                let opened = self.open(&name);
                if opened.is_err() {
                    self.locks.remove(&name);
                }
                Some(DraftResponse::Opened(name, opened))
            }
            DraftRequest::Close(name) => {
                self.locks.remove(&name);
                None
            }
            DraftRequest::Discard(name) => {
                self.discard(&name).err().map(|error| DraftResponse::DiscardFailed(self.describe_error(&error)))
            }
        }
    }

    /// Describes an I/O error, with the path of the drafts directory.
    fn describe_error(&self, error: &io::Error) -> String {
        match &self.dir {
            Some(drafts_dir) if error.kind() != io::ErrorKind::Other => format!("{}: {error}", drafts_dir.display()),
            _ => error.to_string(),
        }
    }

    fn dir(&self) -> io::Result<&Path> {
        let reason = "neither XDG_STATE_HOME nor HOME is set to an absolute path";
        self.dir.as_deref().ok_or_else(|| io::Error::other(reason))
    }

    fn path(&self, name: &str, extension: &str) -> io::Result<PathBuf> {
        Ok(self.dir()?.join(format!("{name}.{extension}")))
    }

    fn list(&self) -> io::Result<Vec<DraftEntry>> {
        let Some(drafts_dir) = &self.dir else { return Ok(Vec::new()) };
        let files = match fs::read_dir(drafts_dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut entries = Vec::new();
        for file in files {
            let path = file?.path();
            let Some(name) = path.file_stem().and_then(OsStr::to_str) else { continue };
            if path.extension() != Some(OsStr::new("json")) {
                continue;
            }
            let saved = match read(&path) {
                // The draft was discarded after the directory was read.
                Err(None) => continue,
                Err(Some(reason)) => Err(reason),
                Ok((at, saved)) => Ok((at, Box::new(saved))),
            };
            entries.push(DraftEntry { name: name.to_owned(), saved, is_open: self.is_open(name) });
        }
        let at = |entry: &DraftEntry| entry.saved.as_ref().map(|(at, _)| *at).ok();
        entries.sort_by(|one, other| at(other).cmp(&at(one)).then_with(|| one.name.cmp(&other.name)));
        Ok(entries)
    }

    /// Whether a console has the draft open. This briefly takes a shared lock.
    fn is_open(&self, name: &str) -> bool {
        let lock = self.path(name, "lock").and_then(File::open);
        self.locks.contains_key(name)
            || lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Locks the draft so that no other console can open it.
    fn lock(&mut self, name: &str) -> io::Result<()> {
        if self.locks.contains_key(name) {
            return Ok(());
        }
        let drafts_dir = self.dir()?;
        DirBuilder::new().recursive(true).mode(0o700).create(drafts_dir)?;
        fs::set_permissions(drafts_dir, Permissions::from_mode(0o700))?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path(name, "lock")?)?;
        for _ in 0..LOCK_ATTEMPTS {
            match lock.try_lock() {
                Ok(()) => {
                    self.locks.insert(name.to_owned(), lock);
                    return Ok(());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY_DELAY),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(LOCKED_MESSAGE))
    }

    /// Saves the draft atomically: writes a new file, then renames it over the old one.
    fn save(&mut self, name: &str, saved: &SavedDraft) -> io::Result<()> {
        self.lock(name)?;
        let document = Document { version: VERSION, saved_at: self.clock.now(), content: saved };
        let text = serde_json::to_vec_pretty(&document).map_err(io::Error::other)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(io::Error::other(format!("the draft is larger than {MAX_BYTES} bytes")));
        }
        replace_via(&self.path(name, "json")?, &self.path(name, "new")?, &text)
    }

    fn open(&mut self, name: &str) -> Result<Box<SavedDraft>, String> {
        self.lock(name).map_err(|error| error.to_string())?;
        let path = self.path(name, "json").map_err(|error| error.to_string())?;
        match read(&path) {
            Ok((_, saved)) => Ok(Box::new(saved)),
            Err(Some(reason)) => Err(reason),
            Err(None) => {
                // `lock` has just created this file.
                let _ = self.path(name, "lock").and_then(fs::remove_file);
                Err("The draft no longer exists. It was finished or discarded in another console.".to_owned())
            }
        }
    }

    fn discard(&mut self, name: &str) -> io::Result<()> {
        self.lock(name)?;
        let remove = |extension| match fs::remove_file(self.path(name, extension)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        // Removing the lock file last keeps other consoles from opening a partly removed draft.
        let result = remove("json").and_then(|()| remove("new")).and_then(|()| remove("lock"));
        self.locks.remove(name);
        result
    }
}

/// Reads a draft. The error is the reason why it can't be read, or `None` if it doesn't exist.
fn read(path: &Path) -> Result<(Timestamp, SavedDraft), Option<String>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
        Ok(count) if count as u64 > MAX_BYTES => return Err(Some("The file is too large for a draft.".to_owned())),
        Ok(_) => {}
    }
    parse(&bytes).map_err(Some)
}

fn parse(bytes: &[u8]) -> Result<(Timestamp, SavedDraft), String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let bytes = strip_byte_order_mark_bytes(bytes);
    let Version { version } =
        serde_json::from_slice(bytes).map_err(|error| format!("The file is not a draft: {error}."))?;
    if version != VERSION {
        return Err(format!(
            "The file was saved by a newer version of xks-console (format {version}). Use that version to open it."
        ));
    }
    let document: Document<SavedDraft> =
        serde_json::from_slice(bytes).map_err(|error| format!("The file is corrupted: {error}."))?;
    Ok((document.saved_at, document.content))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{save, saved};
    use super::*;
    use crate::create_key::submission::{SentRequest, Stage, Submission};
    use crate::create_key::testing::key;

    fn draft_store(dir: &Path) -> DraftStore {
        DraftStore::new(Some(dir.join("state/drafts")), Clock::manual("2026-03-02T10:15:00Z".parse().unwrap()))
    }

    fn list_drafts(store: &mut DraftStore) -> Vec<DraftEntry> {
        let Some(DraftResponse::Listed(Ok(entries))) = store.handle(DraftRequest::List) else { panic!() };
        entries
    }

    fn open_draft(store: &mut DraftStore, name: &str) -> Result<Box<SavedDraft>, String> {
        let Some(DraftResponse::Opened(_, opened)) = store.handle(DraftRequest::Open(name.to_owned())) else {
            panic!()
        };
        opened
    }

    fn file_names(dir: &Path) -> Vec<String> {
        let files = fs::read_dir(dir.join("state/drafts")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn saved_draft_is_readable_only_by_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = draft_store(dir.path());
        assert_eq!(list_drafts(&mut first), []);
        let created = Box::new(key("k1", "payments-2026"));
        let sending =
            Submission::Sending { stage: Stage::CreateAlias, key: Some(created), sent: Box::<SentRequest>::default() };
        for (at, submission) in [Submission::NotSent, sending].into_iter().enumerate() {
            let content = SavedDraft { submission, ..saved("payments") };
            let request =
                DraftRequest::Save { name: "a".to_owned(), saved: Box::new(content.clone()), ticket: Some(7) };
            assert_eq!(first.handle(request), Some(DraftResponse::Saved { ticket: Some(7), result: Ok(()) }));
            let found = list_drafts(&mut first).remove(0);
            assert_eq!(found.saved.unwrap().1, Box::new(content), "{at}");
            assert!(found.is_open);
        }
        assert_eq!(file_names(dir.path()), ["a.json", "a.lock"]);
        let bits = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        let modes = ["state/drafts", "state/drafts/a.json", "state/drafts/a.lock"].map(bits);
        assert_eq!(modes, [0o700, 0o600, 0o600]);
        assert_eq!(first.handle(DraftRequest::Discard("a".to_owned())), None);
        assert_eq!(file_names(dir.path()), [""; 0]);
    }

    #[test]
    fn draft_is_open_in_only_one_console_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (draft_store(dir.path()), draft_store(dir.path()));
        one.handle(save("a", "payments"));
        assert!(list_drafts(&mut other)[0].is_open);
        assert_eq!(open_draft(&mut other, "a"), Err(LOCKED_MESSAGE.to_owned()));
        let refused = Some(DraftResponse::DiscardFailed(LOCKED_MESSAGE.to_owned()));
        assert_eq!(other.handle(DraftRequest::Discard("a".to_owned())), refused);
        one.handle(DraftRequest::Close("a".to_owned()));
        assert!(!list_drafts(&mut other)[0].is_open);
        assert_eq!(open_draft(&mut other, "a").unwrap().draft.alias, "payments");
        // A console that doesn't hold the lock can't overwrite the draft.
        let Some(DraftResponse::Saved { result, .. }) = one.handle(save("a", "older")) else { panic!() };
        assert_eq!(result, Err(LOCKED_MESSAGE.to_owned()));
        other.handle(DraftRequest::Discard("a".to_owned()));
        assert!(open_draft(&mut one, "a").unwrap_err().contains("no longer exists"));
        assert_eq!(file_names(dir.path()), [""; 0]);
    }

    #[test]
    fn unreadable_drafts_are_listed_by_name_and_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = draft_store(dir.path());
        store.handle(save("whole", "payments"));
        let drafts_dir = dir.path().join("state/drafts");
        let whole = fs::read_to_string(drafts_dir.join("whole.json")).unwrap();
        let files = [
            ("cut", whole[..whole.len() / 2].to_owned()),
            ("empty", String::new()),
            ("later", r#"{"version":2,"content":{"of":"tomorrow"}}"#.to_owned()),
            ("strange", whole.replace("\"Tags\"", "\"Tomorrow\"")),
        ];
        for (name, text) in &files {
            fs::write(drafts_dir.join(format!("{name}.json")), text).unwrap();
        }
        fs::create_dir(drafts_dir.join("directory.json")).unwrap();
        let entries = list_drafts(&mut store);
        let listed: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.saved.is_ok())).collect();
        let expected = ["cut", "directory", "empty", "later", "strange"].map(|name| (name, false));
        assert_eq!(listed, [&[("whole", true)], &expected[..]].concat());
        assert!(entries[4].saved.as_ref().unwrap_err().contains("newer version of xks-console"));
        for (name, text) in &files {
            assert!(open_draft(&mut store, name).is_err());
            assert_eq!(fs::read_to_string(drafts_dir.join(format!("{name}.json"))).unwrap(), *text);
        }
    }

    #[test]
    fn every_truncated_file_is_rejected_without_a_panic() {
        let at = Timestamp::UNIX_EPOCH;
        let whole = serde_json::to_vec(&Document { version: VERSION, saved_at: at, content: saved("payments") });
        let whole = whole.unwrap();
        assert!(parse(&whole).is_ok());
        assert!(parse(&[b"\xef\xbb\xbf", whole.as_slice()].concat()).is_ok());
        assert!((0..whole.len()).all(|end| parse(&whole[..end]).is_err()));
    }

    #[test]
    fn save_recovery_is_reported_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = draft_store(dir.path());
        let mut long = saved("payments");
        long.draft.edited_policy = Some("x".repeat(1 << 21));
        let long = DraftRequest::Save { name: "a".to_owned(), saved: Box::new(long), ticket: None };
        let saved_again = Some(DraftResponse::Saved { ticket: None, result: Ok(()) });
        assert_eq!(store.handle(save("a", "payments")), None);
        assert!(matches!(store.handle(long), Some(DraftResponse::Saved { result: Err(_), .. })));
        assert_eq!(store.handle(save("a", "payments")), saved_again);
        assert_eq!(store.handle(save("a", "payments")), None);
    }

    #[test]
    fn failed_save_reports_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("state"), "no directory").unwrap();
        for mut store in [draft_store(dir.path()), DraftStore::new(None, Clock::System)] {
            let Some(DraftResponse::Saved { result, .. }) = store.handle(save("a", "payments")) else { panic!() };
            assert!(result.is_err());
        }
    }
}
