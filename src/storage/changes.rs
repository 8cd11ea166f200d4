//! What changed in an account, as far as lists and pages of resources need to know.

use std::collections::BTreeSet;

/// What changed in an account since it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// These resources changed, and possibly something that is no [resource](ChangedResource).
    Resources(BTreeSet<ChangedResource>),
    /// Anything may have changed, because there were too many changes to name them.
    Everything,
}

impl Default for Changes {
    fn default() -> Self {
        Self::Resources(BTreeSet::new())
    }
}

impl Changes {
    /// Adds later changes.
    pub fn add(&mut self, later: Self) {
        match (self, later) {
            (Self::Resources(resources), Self::Resources(later)) => resources.extend(later),
            (all, _) => *all = Self::Everything,
        }
    }
}

/// A resource that was created, changed, or deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedResource {
    /// The ID of the account that has it.
    pub account_id: String,
    /// The Region that has it.
    pub region: String,
    /// What it is.
    pub kind: ResourceKind,
    /// The ID of the resource.
    pub id: String,
}

/// The kind of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A KMS key with its key policy, aliases, and tags.
    Key,
    /// A custom key store.
    KeyStore,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Changes {
        let (account_id, region) = ("111122223333".to_owned(), "us-west-2".to_owned());
        Changes::Resources([ChangedResource { account_id, region, kind: ResourceKind::Key, id: id.to_owned() }].into())
    }

    #[test]
    fn added_changes_name_each_resource_once_until_there_are_too_many() {
        let mut changes = Changes::default();
        for id in ["a", "b", "a"] {
            changes.add(key(id));
        }
        assert!(matches!(&changes, Changes::Resources(resources) if resources.len() == 2), "{changes:?}");
        changes.add(Changes::Everything);
        changes.add(key("c"));
        assert_eq!(changes, Changes::Everything);
    }
}
