//! A thread that handles draft requests in order, so that the user interface never waits for the disk.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{DraftRequest, DraftResponse, DraftStore, coalesce};

/// How long a save waits after another one, so that fast typing is written a few times a second and not for each key.
const TIME_BETWEEN_SAVES: Duration = Duration::from_millis(250);
/// How long a shutdown waits for pending requests.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The handle of the thread. Only this thread writes the draft files.
#[derive(Debug)]
pub struct DraftWriter {
    requests: Sender<DraftRequest>,
    /// Ends the wait between two saves, because somebody waits for a request or because the thread has to end.
    urgent: Sender<()>,
    responses: UnboundedReceiver<DraftResponse>,
    finished: Receiver<()>,
    /// The requests that the thread doesn't have yet.
    delayed: Vec<DraftRequest>,
}

impl DraftWriter {
    /// Starts the thread.
    pub fn start(store: DraftStore) -> Self {
        let (requests, inbox) = mpsc::channel();
        let (urgent, urgency) = mpsc::channel();
        let (sender, responses) = unbounded_channel();
        let (is_running, finished) = mpsc::channel();
        thread::spawn(move || {
            run(store, &inbox, &urgency, &sender);
            drop(is_running);
        });
        Self { requests, urgent, responses, finished, delayed: Vec::new() }
    }

    /// Sends a request without waiting for the response.
    fn send(&self, request: DraftRequest) {
        let can_wait = request.can_wait();
        // The thread runs as long as these senders exist, so sending can't fail.
        let _ = self.requests.send(request);
        if !can_wait {
            let _ = self.urgent.send(());
        }
    }

    /// Keeps a request until the next [`flush`](Self::flush) or the shutdown. Waking the thread takes longer than drawing
    /// a frame, which comes first.
    pub fn delay(&mut self, request: DraftRequest) {
        self.delayed.push(request);
    }

    /// Sends the delayed requests without waiting for the responses.
    pub fn flush(&mut self) {
        for request in std::mem::take(&mut self.delayed) {
            self.send(request);
        }
    }

    /// Waits for the next response.
    pub async fn next_response(&mut self) -> Option<DraftResponse> {
        self.responses.recv().await
    }

    /// Waits until all requests are handled, for at most two seconds. Returns the responses that weren't received before.
    pub fn shutdown(mut self) -> Vec<DraftResponse> {
        self.flush();
        drop((self.requests, self.urgent));
        let _ = self.finished.recv_timeout(SHUTDOWN_TIMEOUT);
        std::iter::from_fn(|| self.responses.try_recv().ok()).collect()
    }
}

fn run(
    mut store: DraftStore,
    requests: &Receiver<DraftRequest>,
    urgency: &Receiver<()>,
    responses: &UnboundedSender<DraftResponse>,
) {
    while let Ok(first) = requests.recv() {
        let batch: Vec<_> = std::iter::once(first).chain(requests.try_iter()).collect();
        let can_wait = batch.iter().all(DraftRequest::can_wait);
        for response in coalesce(batch).into_iter().filter_map(|request| store.handle(request)) {
            // The receiver is gone when the console is closing.
            let _ = responses.send(response);
        }
        if can_wait {
            let _ = urgency.recv_timeout(TIME_BETWEEN_SAVES);
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
        let drafts_dir = dir.path().join("drafts");
        let mut writer = DraftWriter::start(DraftStore::new(Some(drafts_dir.clone()), Clock::System));
        writer.send(DraftRequest::List);
        assert_eq!(writer.next_response().await, Some(DraftResponse::Listed(Ok(Vec::new()))));
        (0..50).for_each(|count| writer.send(save("a", &format!("payments-{count}"))));
        writer.delay(save("a", "payments-50"));
        assert_eq!(writer.shutdown(), []);
        assert!(std::fs::read_to_string(drafts_dir.join("a.json")).unwrap().contains("payments-50"));
    }

    #[test]
    fn shutdown_returns_failures_that_were_not_received() {
        let mut writer = DraftWriter::start(DraftStore::new(None, Clock::System));
        writer.delay(save("a", "payments"));
        let responses = writer.shutdown();
        assert!(matches!(responses[..], [DraftResponse::Saved { result: Err(_), .. }]), "{responses:?}");
    }

    #[tokio::test]
    async fn requests_that_somebody_waits_for_follow_a_save_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = DraftWriter::start(DraftStore::new(Some(dir.path().to_owned()), Clock::System));
        writer.send(save("a", "payments"));
        while !dir.path().join("a.json").exists() {
            tokio::task::yield_now().await;
        }
        // The thread waits between two saves now, which the list ends.
        writer.send(save("a", "payments-2026"));
        writer.send(DraftRequest::List);
        let Some(DraftResponse::Listed(Ok(drafts))) = writer.next_response().await else { panic!("no list") };
        assert!(std::fs::read_to_string(dir.path().join("a.json")).unwrap().contains("payments-2026"));
        assert_eq!(drafts.len(), 1);
    }
}
