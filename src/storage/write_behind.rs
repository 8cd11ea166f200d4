//! Values that wait a moment, so that many are written at once: what is noted beside the answer to a request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a value may wait in memory.
const DELAY: Duration = Duration::from_millis(500);
/// Values that may wait; more are written at once.
const MOST_WAITING: usize = 20_000;

/// Values in the order they came.
#[derive(Debug)]
pub struct Batch<T> {
    waiting: Mutex<Vec<T>>,
    arrived: Condvar,
    is_over: AtomicBool,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), is_over: AtomicBool::new(false) }
    }
}

impl<T: Send + 'static> Batch<T> {
    fn waiting(&self) -> MutexGuard<'_, Vec<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a value. Whether so many wait that they should be written without delay.
    pub fn push(&self, value: T) -> bool {
        self.add(|waiting| waiting.push(value))
    }

    /// As [`push`](Self::push), for a value that may be added to one that waits.
    pub fn add(&self, add: impl FnOnce(&mut Vec<T>)) -> bool {
        let mut waiting = self.waiting();
        let was_empty = waiting.is_empty();
        add(&mut waiting);
        if was_empty {
            self.arrived.notify_one();
        }
        waiting.len() >= MOST_WAITING
    }

    /// Takes what waits.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.waiting())
    }

    /// Calls `flush`, in a thread of its own, whenever something has waited for half a second, until it says that there is
    /// nobody left to write for. The thread sleeps while nothing waits.
    pub fn keep(self: &Arc<Self>, flush: impl Fn() -> bool + Send + 'static) {
        let batch = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                let mut waiting = batch.waiting();
                while waiting.is_empty() && !batch.is_over.load(Ordering::Relaxed) {
                    waiting = batch.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
                drop(waiting);
                if batch.is_over.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(DELAY);
                if !flush() {
                    return;
                }
            }
        });
    }

    /// Ends the thread.
    pub fn close(&self) {
        // Under the lock, so that the thread is not just about to wait.
        let waiting = self.waiting();
        self.is_over.store(true, Ordering::Relaxed);
        drop(waiting);
        self.arrived.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn pending_values_are_flushed_and_close_ends_the_thread() {
        let (sender, flushed) = mpsc::channel();
        let batch = Arc::new(Batch::default());
        let weak = Arc::downgrade(&batch);
        batch.keep(move || weak.upgrade().is_some_and(|batch| sender.send(batch.take()).is_ok()));
        assert!(!batch.push(1));
        batch.push(2);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(flushed.recv().unwrap());
        }
        assert_eq!(seen, [1, 2]);
        batch.close();
        assert!(flushed.recv().is_err(), "the thread is gone, and its end of the channel with it");
    }
}
