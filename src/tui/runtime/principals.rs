//! Loads pages of IAM users and roles.

use crate::aws::iam::{ListRoles, ListUsers};
use crate::aws::lenient::UNREADABLE;
use crate::client::{CallError, Client};
use crate::create_key::principals::{IamPrincipal, PrincipalKind};
use crate::tui::effect::Response;

/// The size of the first page. It is small, so that the list appears quickly.
const FIRST_PAGE_SIZE: u32 = 100;
/// The size of later pages: the maximum that IAM returns.
const NEXT_PAGE_SIZE: u32 = 1000;

fn page_size(marker: Option<&String>) -> u32 {
    if marker.is_none() { FIRST_PAGE_SIZE } else { NEXT_PAGE_SIZE }
}

/// Returns the marker of the next page. Ignores a repeated marker, which would loop forever.
fn next_marker(is_truncated: bool, next: Option<String>, marker: Option<&String>) -> Option<String> {
    next.filter(|next| is_truncated && marker != Some(next))
}

/// Returns a user or role, or `None` if its ARN couldn't be read, because a policy can't name it.
fn principal(kind: PrincipalKind, name: String, path: String, arn: String) -> Option<IamPrincipal> {
    let name_from_arn = || arn.rsplit('/').next().unwrap_or_default().to_owned();
    let name = if name == UNREADABLE { name_from_arn() } else { name };
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
