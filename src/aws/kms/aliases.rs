//! Aliases: create, move, delete, list.

use serde::{Deserialize, Serialize};

use crate::aws::scalar::EpochSeconds;

/// The request of CreateAlias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAlias {
    /// With the prefix `alias/`.
    pub alias_name: String,
    /// Key ID or key ARN.
    pub target_key_id: String,
}

/// The request of ListAliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliases {
    /// Only the aliases of this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// 1 to 100; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListAliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesOutput {
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub aliases: Vec<AliasListEntry>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasListEntry {
    /// With the prefix `alias/`.
    pub alias_name: String,
    /// The alias ARN.
    pub alias_arn: String,
    /// The key it points to; aliases of AWS may point nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_key_id: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<EpochSeconds>,
    /// When it was last moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_date: Option<EpochSeconds>,
}

/// The request of UpdateAlias, which moves an alias to another key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAlias {
    /// With the prefix `alias/`.
    pub alias_name: String,
    /// Key ID or key ARN of the key it points to from now on.
    pub target_key_id: String,
}

/// The request of DeleteAlias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAlias {
    /// With the prefix `alias/`.
    pub alias_name: String,
}
