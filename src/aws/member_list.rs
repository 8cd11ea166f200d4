//! The list type of the AWS query protocol.

use serde::{Deserialize, Serialize};

/// A list in an IAM or STS message: `<Users><member>…</member></Users>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList<T> {
    /// The elements of the list.
    #[serde(default = "Vec::new")]
    pub member: Vec<T>,
}

impl<T> Default for MemberList<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

impl<T> MemberList<T> {
    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.member.is_empty()
    }
}

impl<T> FromIterator<T> for MemberList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { member: items.into_iter().collect() }
    }
}
