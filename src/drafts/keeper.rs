//! A thread of its own for the drafts: what is asked is done in order, and nobody waits for the disk.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Ask, Folder, Told, condensed};

/// How long the end of the program waits for what is not on the disk yet.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who keeps the drafts. There is one writer of each file: this thread.
#[derive(Debug)]
pub struct Keeper {
    asks: Sender<Ask>,
    told: UnboundedReceiver<Told>,
    end: Receiver<()>,
}

impl Keeper {
    /// Starts the thread.
    pub fn start(folder: Folder) -> Self {
        let (asks, inbox) = mpsc::channel();
        let (tell, told) = unbounded_channel();
        let (alive, end) = mpsc::channel();
        thread::spawn(move || {
            work(folder, &inbox, &tell);
            drop(alive);
        });
        Self { asks, told, end }
    }

    /// Asks for something, without waiting for it.
    pub fn ask(&self, ask: Ask) {
        // The thread ends only after this sender does.
        let _ = self.asks.send(ask);
    }

    /// What is told next.
    pub async fn told(&mut self) -> Option<Told> {
        self.told.recv().await
    }

    /// Waits until all that was asked is done, but for a disk that hangs not forever.
    pub fn end(self) {
        drop(self.asks);
        let _ = self.end.recv_timeout(PATIENCE);
    }
}

fn work(mut folder: Folder, asks: &Receiver<Ask>, tell: &UnboundedSender<Told>) {
    while let Ok(first) = asks.recv() {
        let batch = std::iter::once(first).chain(asks.try_iter()).collect();
        for told in condensed(batch).into_iter().filter_map(|ask| folder.perform(ask)) {
            // Nobody listens any more when the console is closing.
            let _ = tell.send(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::save;
    use super::*;
    use crate::environment::Clock;

    #[tokio::test]
    async fn shutdown_waits_for_pending_saves() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("drafts");
        let mut keeper = Keeper::start(Folder::new(Some(place.clone()), Clock::System));
        keeper.ask(Ask::List);
        assert_eq!(keeper.told().await, Some(Told::Listed(Ok(Vec::new()))));
        (0..50).for_each(|count| keeper.ask(save("a", &format!("payments-{count}"))));
        keeper.end();
        assert!(std::fs::read_to_string(place.join("a.json")).unwrap().contains("payments-49"));
    }
}
