//! What both databases and every file of this program share: secrets sealed at rest, files replaced as a whole, writes that
//! wait a moment, and how programs on one data directory hear of each other's changes.

pub mod atomic_file;
pub mod sealed;
pub mod segments;
pub mod wal;
pub mod watch;
pub mod write_behind;
