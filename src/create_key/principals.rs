//! The IAM users and roles of the account: two lists that are loaded page by page.

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
    /// The name without the path.
    pub name: String,
    /// The path, such as `/` or `/division/team/`.
    pub path: String,
    /// Whether it is a user or a role.
    pub kind: PrincipalKind,
    /// The ARN.
    pub arn: String,
}

/// How far a list is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ListProgress {
    /// Not requested yet.
    #[default]
    Idle,
    /// A page is loading.
    Loading,
    /// There are more pages, which start at this marker.
    More(String),
    /// All pages are loaded.
    Complete,
    /// The request for a page failed.
    Failed {
        /// The reason.
        reason: String,
        /// The marker of the failed page, or `None` for the first page.
        marker: Option<String>,
    },
}

/// The users and roles in one list, in the order in which they were loaded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Principals {
    list: Vec<IamPrincipal>,
    arns: HashSet<String>,
    users: ListProgress,
    roles: ListProgress,
}

impl Principals {
    /// Users and roles.
    pub const KINDS: [PrincipalKind; 2] = [PrincipalKind::User, PrincipalKind::Role];

    /// Returns the users and roles that are loaded.
    pub fn list(&self) -> &[IamPrincipal] {
        &self.list
    }

    /// Whether a principal with this ARN is loaded.
    pub fn contains(&self, arn: &str) -> bool {
        self.arns.contains(arn)
    }

    /// Returns the number of loaded principals of a kind.
    pub fn count(&self, kind: PrincipalKind) -> usize {
        self.list.iter().filter(|one| one.kind == kind).count()
    }

    /// Returns how far the list of a kind is loaded.
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

    /// Whether both lists are loaded completely.
    pub fn is_complete(&self) -> bool {
        Self::KINDS.iter().all(|kind| *self.progress(*kind) == ListProgress::Complete)
    }

    /// Records that a page was requested.
    pub fn on_page_requested(&mut self, kind: PrincipalKind) {
        *self.progress_mut(kind) = ListProgress::Loading;
    }

    /// Adds a page. A first page replaces the whole list of its kind.
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

    /// Records that the request for a page failed. The list remains unchanged.
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
