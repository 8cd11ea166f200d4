//! The IAM users and roles of the account, as far as AWS has told them: two lists that come page by page.

use std::collections::HashSet;

/// Whether a principal is a user or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum PrincipalKind {
    User,
    Role,
}

/// An IAM user or role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IamPrincipal {
    /// Its name without the path.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// User or role.
    pub kind: PrincipalKind,
    /// Its ARN.
    pub arn: String,
}

/// How far a list is told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ListProgress {
    /// Not asked yet.
    #[default]
    Idle,
    /// A page is on its way.
    Loading,
    /// There is more, after this marker.
    More(String),
    /// All of it is there.
    Complete,
    /// A page was refused or lost.
    Failed {
        /// Why.
        reason: String,
        /// The page; the first when absent.
        marker: Option<String>,
    },
}

/// Both lists as one, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Principals {
    list: Vec<IamPrincipal>,
    arns: HashSet<String>,
    users: ListProgress,
    roles: ListProgress,
}

impl Principals {
    /// Both kinds.
    pub const KINDS: [PrincipalKind; 2] = [PrincipalKind::User, PrincipalKind::Role];

    /// What is told so far.
    pub fn list(&self) -> &[IamPrincipal] {
        &self.list
    }

    /// Whether this ARN is among them.
    pub fn contains(&self, arn: &str) -> bool {
        self.arns.contains(arn)
    }

    /// How many of a kind there are so far.
    pub fn count(&self, kind: PrincipalKind) -> usize {
        self.list.iter().filter(|one| one.kind == kind).count()
    }

    /// How far the list of a kind is told.
    pub fn progress(&self, kind: PrincipalKind) -> &ListProgress {
        match kind {
            PrincipalKind::User => &self.users,
            PrincipalKind::Role => &self.roles,
        }
    }

    fn progress_mut(&mut self, kind: PrincipalKind) -> &mut ListProgress {
        match kind {
            PrincipalKind::User => &mut self.users,
            PrincipalKind::Role => &mut self.roles,
        }
    }

    /// Whether both lists are there to the end.
    pub fn is_complete(&self) -> bool {
        Self::KINDS.iter().all(|kind| *self.progress(*kind) == ListProgress::Complete)
    }

    /// A page is asked for.
    pub fn on_page_requested(&mut self, kind: PrincipalKind) {
        *self.progress_mut(kind) = ListProgress::Loading;
    }

    /// A page came. The first takes the place of all that was there of its kind.
    pub fn on_page_loaded(
        &mut self,
        kind: PrincipalKind,
        is_first: bool,
        page: Vec<IamPrincipal>,
        next: Option<String>,
    ) {
        if is_first && self.count(kind) > 0 {
            self.list.retain(|one| one.kind != kind);
            self.arns = self.list.iter().map(|one| one.arn.clone()).collect();
        }
        for one in page {
            if self.arns.insert(one.arn.clone()) {
                self.list.push(one);
            }
        }
        *self.progress_mut(kind) = next.map_or(ListProgress::Complete, ListProgress::More);
    }

    /// A page was refused or lost. What was there stays.
    pub fn on_page_failed(&mut self, kind: PrincipalKind, marker: Option<String>, reason: String) {
        *self.progress_mut(kind) = ListProgress::Failed { reason, marker };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: PrincipalKind, names: &[&str]) -> Vec<IamPrincipal> {
        let one = |name: &&str| IamPrincipal {
            name: (*name).to_owned(),
            path: "/".to_owned(),
            kind,
            arn: format!("arn:aws:iam::111122223333:{kind:?}/{name}"),
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn later_pages_append_and_a_first_page_replaces_the_list() {
        let mut principals = Principals::default();
        principals.on_page_loaded(
            PrincipalKind::Role,
            true,
            page(PrincipalKind::Role, &["a", "b"]),
            Some("m".to_owned()),
        );
        principals.on_page_loaded(PrincipalKind::User, true, page(PrincipalKind::User, &["u"]), None);
        principals.on_page_loaded(PrincipalKind::Role, false, page(PrincipalKind::Role, &["b", "c"]), None);
        assert!(principals.is_complete());
        assert_eq!((principals.count(PrincipalKind::Role), principals.count(PrincipalKind::User)), (3, 1));
        principals.on_page_loaded(PrincipalKind::Role, true, page(PrincipalKind::Role, &["d"]), Some("m".to_owned()));
        assert_eq!(principals.list().iter().map(|one| &*one.name).collect::<Vec<_>>(), ["u", "d"]);
        assert!(!principals.contains("arn:aws:iam::111122223333:Role/a") && !principals.is_complete());
    }

    #[test]
    fn failed_page_keeps_the_list_and_the_marker() {
        let mut principals = Principals::default();
        principals.on_page_loaded(PrincipalKind::Role, true, page(PrincipalKind::Role, &["a"]), Some("m".to_owned()));
        principals.on_page_requested(PrincipalKind::Role);
        principals.on_page_failed(PrincipalKind::Role, Some("m".to_owned()), "AccessDenied".to_owned());
        assert_eq!(principals.list().len(), 1);
        assert!(
            matches!(principals.progress(PrincipalKind::Role), ListProgress::Failed { marker: Some(m), .. } if m == "m")
        );
        assert_eq!(*principals.progress(PrincipalKind::User), ListProgress::Idle);
    }
}
