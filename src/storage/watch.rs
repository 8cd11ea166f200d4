//! Change notifications between processes that use the same data directory, so that none of them has to poll.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// The file that is written after each change. Its content has no meaning.
pub const CHANGE_FILE: &str = "changed";

/// A change notifier, which does nothing for accounts in memory.
#[derive(Debug, Default)]
pub struct ChangeNotifier(Option<File>);

impl ChangeNotifier {
    /// Opens a notifier for the processes that use the data directory `dir`. While it's open, it holds a shared lock on
    /// its file, so that no other process deletes what is in the directory.
    ///
    /// # Errors
    /// An I/O error if the file can't be created or locked.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false).mode(0o600);
        let file = options.open(dir.join(CHANGE_FILE))?;
        file.lock_shared()?;
        Ok(Self(Some(file)))
    }

    /// Notifies other processes of a committed change. A process that misses it sees the change when it next reads.
    pub fn notify_changed(&self) {
        if let Some(file) = &self.0 {
            let _ = file.write_at(b".", 0);
        }
    }
}

/// Returns a stream of the change notifications in `dir`.
///
/// One item may stand for several changes.
///
/// # Errors
/// An error if the operating system can't watch the file.
pub fn watch(dir: &Path) -> notify::Result<impl Stream<Item = ()> + use<>> {
    let path = dir.join(CHANGE_FILE);
    ChangeNotifier::open(dir).map_err(|error| notify::Error::io(error).add_path(path.clone()))?;
    let changed = Arc::new(Notify::new());
    let sender = Arc::clone(&changed);
    let mut watcher = RecommendedWatcher::new(
        move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| matches!(event.kind, EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any))) {
                sender.notify_one();
            }
        },
        notify::Config::default(),
    )?;
    watcher.watch(&path, RecursiveMode::NonRecursive)?;
    Ok(stream::unfold((watcher, changed), |(watcher, changed)| async move {
        changed.notified().await;
        Some(((), (watcher, changed)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, StreamExt as _};

    #[tokio::test]
    async fn watch_reports_only_announced_changes() {
        let dir = tempfile::tempdir().unwrap();
        let mut changes = Box::pin(watch(dir.path()).unwrap());
        std::fs::write(dir.path().join("other"), "x").unwrap();
        std::fs::read(dir.path().join(CHANGE_FILE)).unwrap();
        let notifier = ChangeNotifier::open(dir.path()).unwrap();
        assert_eq!(changes.next().now_or_never(), None);
        notifier.notify_changed();
        assert_eq!(changes.next().await, Some(()));
    }
}
