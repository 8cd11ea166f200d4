//! A thread of its own for the drafts: what is asked is done in order, and nobody waits for the disk.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{DraftRequest, DraftResponse, DraftStore, coalesce};

/// How long the end of the program waits for what is not on the disk yet.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Who keeps the drafts. There is one writer of each file: this thread.
#[derive(Debug)]
pub struct DraftWriter {
    requests: Sender<DraftRequest>,
    responses: UnboundedReceiver<DraftResponse>,
    finished: Receiver<()>,
}

impl DraftWriter {
    /// Starts the thread.
    pub fn start(folder: DraftStore) -> Self {
        let (requests, inbox) = mpsc::channel();
        let (tell, told) = unbounded_channel();
        let (alive, end) = mpsc::channel();
        thread::spawn(move || {
            run(folder, &inbox, &tell);
            drop(alive);
        });
        Self { requests, responses: told, finished: end }
    }

    /// Asks for something, without waiting for it.
    pub fn send(&self, request: DraftRequest) {
        // The thread ends only after this sender does.
        let _ = self.requests.send(request);
    }

    /// What is told next.
    pub async fn next_response(&mut self) -> Option<DraftResponse> {
        self.responses.recv().await
    }

    /// Waits until all that was asked is done, but for a disk that hangs not forever.
    pub fn shutdown(self) {
        drop(self.requests);
        let _ = self.finished.recv_timeout(SHUTDOWN_TIMEOUT);
    }
}

fn run(mut folder: DraftStore, requests: &Receiver<DraftRequest>, tell: &UnboundedSender<DraftResponse>) {
    while let Ok(first) = requests.recv() {
        let batch = std::iter::once(first).chain(requests.try_iter()).collect();
        for told in coalesce(batch).into_iter().filter_map(|request| folder.handle(request)) {
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
        let mut writer = DraftWriter::start(DraftStore::new(Some(place.clone()), Clock::System));
        writer.send(DraftRequest::List);
        assert_eq!(writer.next_response().await, Some(DraftResponse::Listed(Ok(Vec::new()))));
        (0..50).for_each(|count| writer.send(save("a", &format!("payments-{count}"))));
        writer.shutdown();
        assert!(std::fs::read_to_string(place.join("a.json")).unwrap().contains("payments-49"));
    }
}
