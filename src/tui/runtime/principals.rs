//! Pages of the IAM users and roles.

use super::Response;
use crate::aws::iam::{ListRoles, ListUsers};
use crate::aws::lenient::UNREADABLE;
use crate::client::{CallError, Client};
use crate::create_key::principals::{IamPrincipal, PrincipalKind};

/// On the first page, which is to be seen at once.
const FIRST_PAGE_SIZE: u32 = 100;
/// On each page after it: the most that IAM gives.
const NEXT_PAGE_SIZE: u32 = 1000;

fn page_size(marker: Option<&String>) -> u32 {
    if marker.is_none() { FIRST_PAGE_SIZE } else { NEXT_PAGE_SIZE }
}

/// Where the next page starts. A marker that comes again would never end.
fn next_marker(is_truncated: bool, next: Option<String>, marker: Option<&String>) -> Option<String> {
    next.filter(|next| is_truncated && marker != Some(next))
}

/// A user or role. One whose ARN can't be read can be named in no policy, so it is not offered.
fn principal(kind: PrincipalKind, name: String, path: String, arn: String) -> Option<IamPrincipal> {
    let in_arn = || arn.rsplit('/').next().unwrap_or_default().to_owned();
    let name = if name == UNREADABLE { in_arn() } else { name };
    (arn != UNREADABLE).then_some(IamPrincipal { name, path, kind, arn })
}

pub async fn users(client: &Client, marker: Option<String>) -> Result<Response, CallError> {
    let max_items = Some(page_size(marker.as_ref()));
    let answer = client.call(&ListUsers { marker: marker.clone(), max_items, ..ListUsers::default() }).await?;
    let page = answer
        .users
        .member
        .into_iter()
        .filter_map(|user| principal(PrincipalKind::User, user.user_name, user.path, user.arn));
    Ok(Response::Principals {
        page: page.collect(),
        next: next_marker(answer.is_truncated, answer.marker, marker.as_ref()),
    })
}

pub async fn roles(client: &Client, marker: Option<String>) -> Result<Response, CallError> {
    let max_items = Some(page_size(marker.as_ref()));
    let answer = client.call(&ListRoles { marker: marker.clone(), max_items, ..ListRoles::default() }).await?;
    let page = answer
        .roles
        .member
        .into_iter()
        .filter_map(|role| principal(PrincipalKind::Role, role.role_name, role.path, role.arn));
    Ok(Response::Principals {
        page: page.collect(),
        next: next_marker(answer.is_truncated, answer.marker, marker.as_ref()),
    })
}
