//! Tag operations: add, remove, and list.

use serde::{Deserialize, Serialize};

/// A tag of a KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The tag key: 1 to 128 characters. It can't start with `aws:`.
    pub tag_key: String,
    /// The tag value: 0 to 256 characters.
    pub tag_value: String,
}

/// A `TagResource` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagResource {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The tags to add. A tag with an existing tag key replaces the tag value.
    pub tags: Vec<Tag>,
}

/// A `UntagResource` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagResource {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The tag keys of the tags to remove. Unknown tag keys are ignored.
    pub tag_keys: Vec<String>,
}

/// A `ListResourceTags` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTags {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The maximum number of tags per page: 1 to 50. The default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListResourceTags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceTagsOutput {
    /// The tags.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub tags: Vec<Tag>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}
