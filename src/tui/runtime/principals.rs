//! Pages of the IAM users and roles.

use super::Reply;
use crate::aws::iam::{ListRoles, ListUsers};
use crate::client::{CallError, Client};
use crate::create_key::principals::{Principal, PrincipalKind};

/// On the first page, which is to be seen at once.
const FIRST_PAGE: u32 = 100;
/// On each page after it: the most that IAM gives.
const LATER_PAGES: u32 = 1000;

fn size_of(marker: Option<&String>) -> u32 {
    if marker.is_none() { FIRST_PAGE } else { LATER_PAGES }
}

/// Where the next page starts. A marker that comes again would never end.
fn next(is_truncated: bool, next: Option<String>, marker: Option<&String>) -> Option<String> {
    next.filter(|next| is_truncated && marker != Some(next))
}

pub async fn users(client: &Client, marker: Option<String>) -> Result<Reply, CallError> {
    let max_items = Some(size_of(marker.as_ref()));
    let answer = client.call(&ListUsers { marker: marker.clone(), max_items, ..ListUsers::default() }).await?;
    let page = answer.users.member.into_iter().map(|user| Principal {
        name: user.user_name,
        path: user.path,
        kind: PrincipalKind::User,
        arn: user.arn,
    });
    Ok(Reply::Principals { page: page.collect(), next: next(answer.is_truncated, answer.marker, marker.as_ref()) })
}

pub async fn roles(client: &Client, marker: Option<String>) -> Result<Reply, CallError> {
    let max_items = Some(size_of(marker.as_ref()));
    let answer = client.call(&ListRoles { marker: marker.clone(), max_items, ..ListRoles::default() }).await?;
    let page = answer.roles.member.into_iter().map(|role| Principal {
        name: role.role_name,
        path: role.path,
        kind: PrincipalKind::Role,
        arn: role.arn,
    });
    Ok(Reply::Principals { page: page.collect(), next: next(answer.is_truncated, answer.marker, marker.as_ref()) })
}
