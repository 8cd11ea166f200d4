//! Delayed writes: values such as log entries wait in memory for a moment, so that many are written at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a value may wait in memory.
const FLUSH_DELAY: Duration = Duration::from_millis(500);
/// The number of pending values at which they should be written without delay. It bounds the memory that they take.
const MAX_PENDING: usize = 4000;

/// A buffer of values to write, in order of arrival.
#[derive(Debug)]
pub struct WriteBuffer<T> {
    pending: Mutex<Vec<T>>,
    /// Locked while values are written.
    writing: Mutex<()>,
    arrived: Condvar,
    is_closed: AtomicBool,
}

impl<T> Default for WriteBuffer<T> {
    fn default() -> Self {
        Self {
            pending: Mutex::default(),
            writing: Mutex::default(),
            arrived: Condvar::new(),
            is_closed: AtomicBool::new(false),
        }
    }
}

impl<T: Send + 'static> WriteBuffer<T> {
    fn lock_pending(&self) -> MutexGuard<'_, Vec<T>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a value, and returns whether there are so many that they should be written without delay.
    pub fn push(&self, value: T) -> bool {
        self.update(|pending| pending.push(value))
    }

    /// Like [`push`](Self::push), for a value that can be merged with a pending one.
    pub fn update(&self, add: impl FnOnce(&mut Vec<T>)) -> bool {
        let mut pending = self.lock_pending();
        let was_empty = pending.is_empty();
        add(&mut pending);
        if was_empty {
            self.arrived.notify_one();
        }
        pending.len() >= MAX_PENDING
    }

    /// Takes all pending values, and writes them with `write`.
    ///
    /// If another thread is writing, waits until it has finished: when this returns, all values that were added before are
    /// written, so that a reader that calls it first misses none.
    pub fn write_pending(&self, write: impl FnOnce(Vec<T>)) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = std::mem::take(&mut *self.lock_pending());
        if !pending.is_empty() {
            write(pending);
        }
    }

    /// Starts a thread that calls `flush` half a second after the first pending value arrives.
    ///
    /// The thread ends when `flush` returns `false` or the buffer is [closed](Self::close). It sleeps while there are
    /// no pending values.
    pub fn spawn_flusher(self: &Arc<Self>, flush: impl Fn() -> bool + Send + 'static) {
        let buffer = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                let mut pending = buffer.lock_pending();
                while pending.is_empty() && !buffer.is_closed.load(Ordering::Relaxed) {
                    pending = buffer.arrived.wait(pending).unwrap_or_else(PoisonError::into_inner);
                }
                drop(pending);
                if buffer.is_closed.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(FLUSH_DELAY);
                if !flush() {
                    return;
                }
            }
        });
    }

    /// Ends the flusher thread.
    pub fn close(&self) {
        // With the lock held, the thread can't be between checking the flag and waiting.
        let pending = self.lock_pending();
        self.is_closed.store(true, Ordering::Relaxed);
        drop(pending);
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
        let buffer = Arc::new(WriteBuffer::default());
        let weak = Arc::downgrade(&buffer);
        let flush = move |buffer: Arc<WriteBuffer<i32>>| {
            let mut is_open = true;
            buffer.write_pending(|values| is_open = sender.send(values).is_ok());
            is_open
        };
        buffer.spawn_flusher(move || weak.upgrade().is_some_and(&flush));
        assert!(!buffer.push(1));
        buffer.push(2);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(flushed.recv().unwrap());
        }
        assert_eq!(seen, [1, 2]);
        buffer.close();
        assert!(flushed.recv().is_err(), "the thread has ended and dropped its end of the channel");
    }

    #[test]
    fn reader_waits_for_values_that_another_thread_is_writing() {
        let buffer = Arc::new(WriteBuffer::default());
        buffer.push(1);
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let is_written = Arc::new(AtomicBool::new(false));
        let (writer, flag) = (Arc::clone(&buffer), Arc::clone(&is_written));
        let thread = std::thread::spawn(move || {
            writer.write_pending(|_| {
                started.send(()).unwrap();
                released.recv().unwrap();
                flag.store(true, Ordering::SeqCst);
            });
        });
        has_started.recv().unwrap();
        release.send(()).unwrap();
        buffer.write_pending(|_| panic!("nothing is left"));
        assert!(is_written.load(Ordering::SeqCst));
        thread.join().unwrap();
    }
}
