//! Delayed writes: values such as log entries wait in memory for a moment, so that many are written at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How long a value may wait in memory.
const FLUSH_DELAY: Duration = Duration::from_millis(500);
/// The size of pending values at which they are written without delay, in bytes.
const PROMPT_FLUSH_SIZE: usize = 4 * 1024 * 1024;
/// The maximum size of pending values, in bytes. The caller that exceeds it must write them.
const MAX_PENDING_SIZE: usize = 8 * 1024 * 1024;

/// Values that wait to be written.
pub trait PendingValues: Default + Send + 'static {
    /// Returns whether there are none.
    fn is_empty(&self) -> bool;

    /// Returns about how many bytes of memory the values need.
    fn size(&self) -> usize;
}

/// A buffer of values to write.
#[derive(Debug, Default)]
pub struct WriteBuffer<P> {
    pending: Mutex<P>,
    /// Locked while values are written.
    writing: Mutex<()>,
    flusher: OnceLock<Arc<Flusher>>,
}

/// Values that a caller has taken to write. Other callers wait until this is dropped.
#[derive(Debug)]
pub struct TakenValues<'a, P> {
    /// The values.
    pub values: P,
    _writing: MutexGuard<'a, ()>,
}

impl<P: PendingValues> WriteBuffer<P> {
    fn lock_pending(&self) -> MutexGuard<'_, P> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the thread that writes the values. Later calls have no effect.
    pub fn set_flusher(&self, flusher: &Arc<Flusher>) {
        let _ = self.flusher.set(Arc::clone(flusher));
    }

    /// Returns whether a thread writes the values.
    pub fn has_flusher(&self) -> bool {
        self.flusher.get().is_some()
    }

    /// Adds a value with `add`, and returns whether the caller must write the pending values, because they need too much
    /// memory.
    #[must_use]
    pub fn add(&self, add: impl FnOnce(&mut P)) -> bool {
        let mut pending = self.lock_pending();
        let (was_empty, size_before) = (pending.is_empty(), pending.size());
        add(&mut pending);
        let size = pending.size();
        drop(pending);
        let is_prompt = size_before < PROMPT_FLUSH_SIZE && size >= PROMPT_FLUSH_SIZE;
        if let Some(flusher) = self.flusher.get().filter(|_| was_empty || is_prompt) {
            flusher.notify(is_prompt);
        }
        size >= MAX_PENDING_SIZE
    }

    /// Takes all pending values, which the caller writes.
    ///
    /// If another thread is writing, waits until it has finished: when they are written, all values that were added before
    /// are, so that a reader that takes and writes them first misses none.
    pub fn take(&self) -> TakenValues<'_, P> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        TakenValues { values: std::mem::take(&mut *self.lock_pending()), _writing: writing }
    }
}

/// A thread that writes the values of one or more buffers.
#[derive(Debug, Default)]
pub struct Flusher {
    state: Mutex<FlusherState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct FlusherState {
    /// Whether there are pending values.
    has_work: bool,
    /// Whether they need much memory.
    is_prompt: bool,
    is_closed: bool,
}

impl Flusher {
    fn lock_state(&self) -> MutexGuard<'_, FlusherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self, is_prompt: bool) {
        let mut state = self.lock_state();
        state.has_work = true;
        state.is_prompt |= is_prompt;
        drop(state);
        self.changed.notify_one();
    }

    /// Starts the thread. It calls `flush` half a second after the first pending value arrives, or as soon as the pending
    /// values need much memory.
    ///
    /// The thread ends when `flush` returns `false` or the flusher is [closed](Self::close). It sleeps while there are
    /// no pending values.
    pub fn start(self: &Arc<Self>, flush: impl Fn() -> bool + Send + 'static) {
        let flusher = Arc::clone(self);
        std::thread::spawn(move || while flusher.wait_until_due() && flush() {});
    }

    /// Waits until values should be written. Returns `false` if the flusher is closed.
    fn wait_until_due(&self) -> bool {
        let is_idle = |state: &mut FlusherState| !state.has_work && !state.is_closed;
        let state = self.changed.wait_while(self.lock_state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let can_wait = |state: &mut FlusherState| !state.is_prompt && !state.is_closed;
        let waited = self.changed.wait_timeout_while(state, FLUSH_DELAY, can_wait);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (state.has_work, state.is_prompt) = (false, false);
        !state.is_closed
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.lock_state().is_closed = true;
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    /// Numbers, each of which is its own size.
    #[derive(Default)]
    struct Numbers(Vec<usize>);

    impl PendingValues for Numbers {
        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        fn size(&self) -> usize {
            self.0.iter().sum()
        }
    }

    fn add(buffer: &WriteBuffer<Numbers>, number: usize) -> bool {
        buffer.add(|numbers| numbers.0.push(number))
    }

    #[test]
    fn pending_values_are_flushed_and_close_ends_the_thread() {
        let (sender, receiver) = mpsc::channel();
        let (buffer, flusher) = (Arc::new(WriteBuffer::<Numbers>::default()), Arc::new(Flusher::default()));
        buffer.set_flusher(&flusher);
        let weak = Arc::downgrade(&buffer);
        flusher.start(move || {
            let values = weak.upgrade().map(|buffer| buffer.take().values.0);
            values.is_some_and(|values| sender.send(values).is_ok())
        });
        assert!(!add(&buffer, 1));
        assert!(!add(&buffer, 2));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(receiver.recv().unwrap());
        }
        assert_eq!(seen, [1, 2]);
        flusher.close();
        assert!(receiver.recv().is_err(), "the thread has ended and dropped its end of the channel");
    }

    #[test]
    fn reader_waits_for_values_that_another_thread_is_writing() {
        let buffer = Arc::new(WriteBuffer::<Numbers>::default());
        assert!(!add(&buffer, 1));
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let is_written = Arc::new(AtomicBool::new(false));
        let (writer, flag) = (Arc::clone(&buffer), Arc::clone(&is_written));
        let thread = std::thread::spawn(move || {
            let taken = writer.take();
            started.send(()).unwrap();
            released.recv().unwrap();
            flag.store(true, Ordering::SeqCst);
            drop(taken);
        });
        has_started.recv().unwrap();
        release.send(()).unwrap();
        assert!(buffer.take().values.is_empty());
        assert!(is_written.load(Ordering::SeqCst));
        thread.join().unwrap();
    }

    #[test]
    fn who_adds_too_much_must_write() {
        let buffer = WriteBuffer::<Numbers>::default();
        assert!(!add(&buffer, MAX_PENDING_SIZE - 1));
        assert!(add(&buffer, 1));
        assert_eq!(buffer.take().values.0, [MAX_PENDING_SIZE - 1, 1]);
        assert!(!add(&buffer, 1));
    }
}
