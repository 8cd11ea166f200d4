//! Storage building blocks of both databases and other files.
//!
//! They encrypt secrets at rest, replace files atomically, delay writes, and notify other processes that use the same data
//! directory of changes.

pub mod atomic_file;
pub mod changes;
pub mod sealed;
pub mod segments;
pub mod wal;
pub mod watch;
pub mod write_behind;
