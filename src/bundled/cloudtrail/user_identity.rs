//! The `userIdentity` of an event.

use serde::Serialize;

use crate::bundled::Caller;

/// The principal that made a request, as its event names it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserIdentity<'a> {
    r#type: &'static str,
    principal_id: &'a str,
    arn: &'a str,
    account_id: &'a str,
    access_key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext<'a> {
    session_issuer: SessionIssuer<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer<'a> {
    r#type: &'static str,
    principal_id: &'a str,
    arn: &'a str,
    account_id: &'a str,
    user_name: &'a str,
}

impl<'a> UserIdentity<'a> {
    /// Describes a caller.
    pub(super) fn from_caller(caller: &'a Caller) -> Self {
        let last = |arn: &'a str| arn.rsplit('/').next().unwrap_or_default();
        let issuer = caller.is_role().then(|| SessionIssuer {
            r#type: "Role",
            principal_id: caller.user_id.split(':').next().unwrap_or_default(),
            arn: &caller.issuer_arn,
            account_id: &caller.account,
            user_name: last(&caller.issuer_arn),
        });
        Self {
            r#type: if issuer.is_some() { "AssumedRole" } else { "IAMUser" },
            principal_id: &caller.user_id,
            arn: &caller.arn,
            account_id: &caller.account,
            access_key_id: &caller.access_key_id,
            user_name: caller.user_name(),
            session_context: issuer.map(|session_issuer| SessionContext { session_issuer }),
        }
    }
}
