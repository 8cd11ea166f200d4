//! Blocking work in asynchronous code.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs `work`, which may wait for the disk.
///
/// In a runtime with several threads, another thread runs the other tasks of this thread meanwhile.
pub fn run_blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
