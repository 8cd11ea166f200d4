//! What programs on one data directory tell each other: that something was changed. Nobody has to look again and again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// The file that is written when something was changed. Nothing is to be read in it.
const CHANGE_FILE: &str = "changed";

/// Announces changes; in memory there is nobody to hear it.
#[derive(Debug, Default)]
pub struct ChangeNotifier(Option<File>);

impl ChangeNotifier {
    /// Announces to those who have this data directory open.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false).mode(0o600);
        options.open(dir.join(CHANGE_FILE)).map(|file| Self(Some(file)))
    }

    /// Says that a change was committed. Who doesn't hear it sees the change when they look.
    pub fn notify_changed(&self) {
        if let Some(file) = &self.0 {
            let _ = file.write_at(b".", 0);
        }
    }
}

/// A stream with an item for one or more changes that somebody has announced in `dir` since the last.
///
/// # Errors
/// When the operating system watches no more files.
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
