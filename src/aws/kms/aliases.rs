//! Alias operations: create, update, delete, and list.

use serde::{Deserialize, Serialize};

use crate::aws::limits::ALIAS_PREFIX;
use crate::aws::scalar::EpochSeconds;

/// Returns the KeyId parameter for a key that is named by its ID, its ARN, or its alias, with or without `alias/`.
pub fn key_identifier(name: &str) -> String {
    // No alias has the form of a key ID.
    let is_key_id = uuid::Uuid::try_parse(name).is_ok() || name.starts_with("mrk-");
    let is_complete = name.starts_with("alias/") || name.starts_with("arn:");
    if is_key_id || is_complete { name.to_owned() } else { format!("alias/{name}") }
}

/// A `CreateAlias` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAlias {
    /// The alias name. It must start with `alias/`.
    pub alias_name: String,
    /// The key ID or key ARN of the KMS key to associate with the alias.
    pub target_key_id: String,
}

/// A `ListAliases` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliases {
    /// Lists only aliases that are associated with this KMS key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The maximum number of aliases per page: 1 to 100. The default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListAliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAliasesOutput {
    /// The aliases.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub aliases: Vec<AliasListEntry>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// An alias and the KMS key that it is associated with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasListEntry {
    /// The alias name, which starts with `alias/`.
    pub alias_name: String,
    /// The ARN of the alias.
    pub alias_arn: String,
    /// The ID of the associated KMS key. Predefined AWS aliases might not have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_key_id: Option<String>,
    /// The date and time that the alias was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<EpochSeconds>,
    /// The date and time that the alias was last associated with a KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_date: Option<EpochSeconds>,
}

impl AliasListEntry {
    /// Returns the alias name without `alias/`.
    pub fn short_name(&self) -> &str {
        self.alias_name.strip_prefix(ALIAS_PREFIX).unwrap_or(&self.alias_name)
    }
}

/// An `UpdateAlias` request, which associates an existing alias with a different KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAlias {
    /// The alias name. It must start with `alias/`.
    pub alias_name: String,
    /// The key ID or key ARN of the KMS key to associate with the alias.
    pub target_key_id: String,
}

/// A `DeleteAlias` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAlias {
    /// The alias name. It must start with `alias/`.
    pub alias_name: String,
}
