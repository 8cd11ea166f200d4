//! Tags: add, remove, list.

use serde::{Deserialize, Serialize};

/// A tag of a KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1 to 128 characters, not starting with `aws:`.
    pub tag_key: String,
    /// 0 to 256 characters.
    pub tag_value: String,
}

/// The request of TagResource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResource {
    /// Key ID or key ARN.
    pub key_id: String,
    /// Added, or changed where the key is there already.
    pub tags: Vec<Tag>,
}

/// The request of UntagResource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResource {
    /// Key ID or key ARN.
    pub key_id: String,
    /// The keys of the tags to remove; one that is not there is no error.
    pub tag_keys: Vec<String>,
}

/// The request of ListResourceTags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTags {
    /// Key ID or key ARN.
    pub key_id: String,
    /// 1 to 50; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListResourceTags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsOutput {
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub tags: Vec<Tag>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}
