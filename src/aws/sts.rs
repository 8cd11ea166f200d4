//! The operation of STS that tells who is calling.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Service, operations};

operations! { Service::Sts;
    GetCallerIdentity => CallerIdentity, "GetCallerIdentity";
}

/// The request of GetCallerIdentity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCallerIdentity {}

/// Who is calling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    /// The unique ID of the principal.
    pub user_id: String,
    /// Its account.
    pub account: String,
    /// Its ARN.
    pub arn: String,
}
