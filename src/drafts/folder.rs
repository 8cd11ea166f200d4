//! The directory of the drafts.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ask, Entry, Saved, Told};
use crate::environment::Clock;
use crate::storage::atomic_file::replace_via;
use crate::text::strip_byte_order_mark_bytes;

/// The format of the files. A file of a later one is left alone.
const VERSION: u32 = 1;
/// A longer file is neither written nor read: a policy has at most 32 KiB, and there are at most 50 tags.
const MOST_BYTES: u64 = 1024 * 1024;
/// How often it is tried to open a draft that another console may just be looking at, and the pause after each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);
const OPEN_ELSEWHERE: &str = "It is open in another console.";

/// A file, as it is written.
#[derive(Serialize, Deserialize)]
struct Document<T> {
    version: u32,
    saved_at: Timestamp,
    content: T,
}

/// The drafts, those of them that this console has open, and the time.
///
/// Beside `NAME.json`, which is exchanged as a whole each time, stands `NAME.lock`, whose lock is held as long as the draft
/// is open and which is let go of when the process ends, however it does.
#[derive(Debug)]
pub struct Folder {
    place: Option<PathBuf>,
    clock: Clock,
    open: HashMap<String, File>,
    has_failed: bool,
}

impl Folder {
    /// The drafts in `place`, which is made with the first of them. Without a place nothing can be saved.
    pub fn new(place: Option<PathBuf>, clock: Clock) -> Self {
        Self { place, clock, open: HashMap::new(), has_failed: false }
    }

    /// Does what is asked; gives what is to be told. Of a save nobody waits for, only that it fails, or no longer does.
    pub fn perform(&mut self, ask: Ask) -> Option<Told> {
        match ask {
            Ask::List => Some(Told::Listed(self.list().map_err(|error| self.reason(&error)))),
            Ask::Save { name, saved, ticket } => {
                let result = self.save(&name, &saved).map_err(|error| self.reason(&error));
                let was_failed = std::mem::replace(&mut self.has_failed, result.is_err());
                // That all is well as before is nothing to wake anybody for.
                let is_news = ticket.is_some() || was_failed || result.is_err();
                is_news.then_some(Told::Saved { ticket, result })
            }
            Ask::Open(name) => {
                let opened = self.open(&name);
                if opened.is_err() {
                    self.open.remove(&name);
                }
                Some(Told::Opened(name, opened))
            }
            Ask::Close(name) => {
                self.open.remove(&name);
                None
            }
            Ask::Discard(name) => self.discard(&name).err().map(|error| Told::NotDiscarded(self.reason(&error))),
        }
    }

    /// What went wrong, and where.
    fn reason(&self, error: &io::Error) -> String {
        match &self.place {
            Some(place) if error.kind() != io::ErrorKind::Other => format!("{}: {error}", place.display()),
            _ => error.to_string(),
        }
    }

    fn place(&self) -> io::Result<&Path> {
        let reason = "neither XDG_STATE_HOME nor HOME is set to an absolute path";
        self.place.as_deref().ok_or_else(|| io::Error::other(reason))
    }

    fn file(&self, name: &str, extension: &str) -> io::Result<PathBuf> {
        Ok(self.place()?.join(format!("{name}.{extension}")))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let Some(place) = &self.place else { return Ok(Vec::new()) };
        let files = match fs::read_dir(place) {
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
                // Discarded since the directory was read.
                Err(None) => continue,
                Err(Some(reason)) => Err(reason),
                Ok((at, saved)) => Ok((at, Box::new(saved))),
            };
            entries.push(Entry { name: name.to_owned(), saved, is_open: self.is_open(name) });
        }
        let at = |entry: &Entry| entry.saved.as_ref().map(|(at, _)| *at).ok();
        entries.sort_by(|one, other| at(other).cmp(&at(one)).then_with(|| one.name.cmp(&other.name)));
        Ok(entries)
    }

    /// Whether a console has it open. Looking takes a lock that others share, for a moment.
    fn is_open(&self, name: &str) -> bool {
        let lock = self.file(name, "lock").and_then(File::open);
        self.open.contains_key(name)
            || lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Keeps others from opening it.
    fn hold(&mut self, name: &str) -> io::Result<()> {
        if self.open.contains_key(name) {
            return Ok(());
        }
        let place = self.place()?;
        DirBuilder::new().recursive(true).mode(0o700).create(place)?;
        fs::set_permissions(place, Permissions::from_mode(0o700))?;
        let lock =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.file(name, "lock")?)?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    self.open.insert(name.to_owned(), lock);
                    return Ok(());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(OPEN_ELSEWHERE))
    }

    /// Writes it beside the old one, then puts it in its place: whoever reads finds the one or the other.
    fn save(&mut self, name: &str, saved: &Saved) -> io::Result<()> {
        self.hold(name)?;
        let document = Document { version: VERSION, saved_at: self.clock.now(), content: saved };
        let text = serde_json::to_vec_pretty(&document).map_err(io::Error::other)?;
        if text.len() as u64 > MOST_BYTES {
            return Err(io::Error::other(format!("a draft has at most {MOST_BYTES} bytes")));
        }
        replace_via(&self.file(name, "json")?, &self.file(name, "new")?, &text)
    }

    fn open(&mut self, name: &str) -> Result<Box<Saved>, String> {
        self.hold(name).map_err(|error| error.to_string())?;
        let path = self.file(name, "json").map_err(|error| error.to_string())?;
        match read(&path) {
            Ok((_, saved)) => Ok(Box::new(saved)),
            Err(Some(reason)) => Err(reason),
            Err(None) => {
                // Made just now, for nothing.
                let _ = self.file(name, "lock").and_then(fs::remove_file);
                Err("It is no longer there: it was finished or discarded in another console.".to_owned())
            }
        }
    }

    fn discard(&mut self, name: &str) -> io::Result<()> {
        self.hold(name)?;
        let remove = |extension| match fs::remove_file(self.file(name, extension)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        // The lock goes last: as long as it is there and held, nobody opens what is left.
        let result = remove("json").and_then(|()| remove("new")).and_then(|()| remove("lock"));
        self.open.remove(name);
        result
    }
}

/// Reads a draft; the reason when it can't be read, nothing when it is not there.
fn read(path: &Path) -> Result<(Timestamp, Saved), Option<String>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
        Ok(count) if count as u64 > MOST_BYTES => return Err(Some("It is too long for a draft.".to_owned())),
        Ok(_) => {}
    }
    parse(&bytes).map_err(Some)
}

fn parse(bytes: &[u8]) -> Result<(Timestamp, Saved), String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let bytes = strip_byte_order_mark_bytes(bytes);
    let Version { version } = serde_json::from_slice(bytes).map_err(|error| format!("It is no draft: {error}."))?;
    if version != VERSION {
        return Err(format!("It has the format {version}, of a later xks-console."));
    }
    let document: Document<Saved> =
        serde_json::from_slice(bytes).map_err(|error| format!("It is damaged: {error}."))?;
    Ok((document.saved_at, document.content))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{save, saved};
    use super::*;
    use crate::create_key::submission::{Sent, Stage, Submission};
    use crate::create_key::testing::key;

    fn folder(dir: &Path) -> Folder {
        Folder::new(Some(dir.join("state/drafts")), Clock::manual("2026-03-02T10:15:00Z".parse().unwrap()))
    }

    fn listed(folder: &mut Folder) -> Vec<Entry> {
        let Some(Told::Listed(Ok(entries))) = folder.perform(Ask::List) else { panic!() };
        entries
    }

    fn opened(folder: &mut Folder, name: &str) -> Result<Box<Saved>, String> {
        let Some(Told::Opened(_, opened)) = folder.perform(Ask::Open(name.to_owned())) else { panic!() };
        opened
    }

    fn names(dir: &Path) -> Vec<String> {
        let files = fs::read_dir(dir.join("state/drafts")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn saved_draft_is_readable_only_by_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = folder(dir.path());
        assert_eq!(listed(&mut first), []);
        let made = Box::new(key("k1", "payments-2026"));
        let sending = Submission::Sending { stage: Stage::CreateAlias, key: Some(made), sent: Box::<Sent>::default() };
        for (at, submission) in [Submission::NotSent, sending].into_iter().enumerate() {
            let kept = Saved { submission, ..saved("payments") };
            let ask = Ask::Save { name: "a".to_owned(), saved: Box::new(kept.clone()), ticket: Some(7) };
            assert_eq!(first.perform(ask), Some(Told::Saved { ticket: Some(7), result: Ok(()) }));
            let found = listed(&mut first).remove(0);
            assert_eq!(found.saved.unwrap().1, Box::new(kept), "{at}");
            assert!(found.is_open);
        }
        assert_eq!(names(dir.path()), ["a.json", "a.lock"]);
        let bits = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        let modes = ["state/drafts", "state/drafts/a.json", "state/drafts/a.lock"].map(bits);
        assert_eq!(modes, [0o700, 0o600, 0o600]);
        assert_eq!(first.perform(Ask::Discard("a".to_owned())), None);
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn draft_is_open_in_only_one_console_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (folder(dir.path()), folder(dir.path()));
        one.perform(save("a", "payments"));
        assert!(listed(&mut other)[0].is_open);
        assert_eq!(opened(&mut other, "a"), Err(OPEN_ELSEWHERE.to_owned()));
        let refused = Some(Told::NotDiscarded(OPEN_ELSEWHERE.to_owned()));
        assert_eq!(other.perform(Ask::Discard("a".to_owned())), refused);
        one.perform(Ask::Close("a".to_owned()));
        assert!(!listed(&mut other)[0].is_open);
        assert_eq!(opened(&mut other, "a").unwrap().draft.alias, "payments");
        // Whoever has come too late does not write over it.
        let Some(Told::Saved { result, .. }) = one.perform(save("a", "older")) else { panic!() };
        assert_eq!(result, Err(OPEN_ELSEWHERE.to_owned()));
        other.perform(Ask::Discard("a".to_owned()));
        assert!(opened(&mut one, "a").unwrap_err().contains("no longer there"));
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[test]
    fn unreadable_drafts_are_listed_by_name_and_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = folder(dir.path());
        folder.perform(save("whole", "payments"));
        let place = dir.path().join("state/drafts");
        let whole = fs::read_to_string(place.join("whole.json")).unwrap();
        let files = [
            ("cut", whole[..whole.len() / 2].to_owned()),
            ("empty", String::new()),
            ("later", r#"{"version":2,"content":{"of":"tomorrow"}}"#.to_owned()),
            ("strange", whole.replace("\"Tags\"", "\"Tomorrow\"")),
        ];
        for (name, text) in &files {
            fs::write(place.join(format!("{name}.json")), text).unwrap();
        }
        fs::create_dir(place.join("directory.json")).unwrap();
        let entries = listed(&mut folder);
        let told: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.saved.is_ok())).collect();
        let expected = ["cut", "directory", "empty", "later", "strange"].map(|name| (name, false));
        assert_eq!(told, [&[("whole", true)], &expected[..]].concat());
        assert!(entries[4].saved.as_ref().unwrap_err().contains("later xks-console"));
        for (name, text) in &files {
            assert!(opened(&mut folder, name).is_err());
            assert_eq!(fs::read_to_string(place.join(format!("{name}.json"))).unwrap(), *text);
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
        let mut folder = folder(dir.path());
        let mut long = saved("payments");
        long.draft.edited_policy = Some("x".repeat(1 << 21));
        let long = Ask::Save { name: "a".to_owned(), saved: Box::new(long), ticket: None };
        let well = Some(Told::Saved { ticket: None, result: Ok(()) });
        assert_eq!(folder.perform(save("a", "payments")), None);
        assert!(matches!(folder.perform(long), Some(Told::Saved { result: Err(_), .. })));
        assert_eq!(folder.perform(save("a", "payments")), well);
        assert_eq!(folder.perform(save("a", "payments")), None);
    }

    #[test]
    fn failed_save_reports_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("state"), "no directory").unwrap();
        for mut folder in [folder(dir.path()), Folder::new(None, Clock::System)] {
            let Some(Told::Saved { result, .. }) = folder.perform(save("a", "payments")) else { panic!() };
            assert!(result.is_err());
        }
    }
}
