//! What creating a key means, without a screen: the draft, its rules, the steps, and the calls that make it real.

pub mod answers;
pub mod choice;
pub mod draft;
pub mod field;
pub mod guide;
pub mod key_summary;
pub mod known;
pub mod method;
pub mod output;
pub mod permissions;
pub mod preview;
pub mod principals;
pub mod submission;
pub mod validate;
pub mod wanted;

#[cfg(test)]
pub(crate) mod testing;
