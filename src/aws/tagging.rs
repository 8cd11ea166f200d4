//! The operation of the Resource Groups Tagging API that finds KMS keys by their tags.
//!
//! Source: the Resource Groups Tagging API Reference.

use serde::{Deserialize, Serialize};

use crate::aws::iam::Tag;
use crate::aws::operation::{Service, operations};

operations! { Service::Tagging;
    GetResources => GetResourcesOutput, "GetResources" read_only;
}

/// The request of GetResources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetResources {
    /// `PaginationToken` of the page before; empty or absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination_token: Option<String>,
    /// Resources that fulfill all of these, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag_filters: Vec<TagFilter>,
    /// 1 to 100; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources_per_page: Option<u32>,
    /// 100 to 500, a multiple of 100: a page ends before it has more tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags_per_page: Option<u32>,
    /// `kms`, `kms:key`, and the like; all types when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_type_filters: Vec<String>,
    /// Only these resources, at most 100; with none of the other filters.
    #[serde(rename = "ResourceARNList", skip_serializing_if = "Vec::is_empty")]
    pub resource_arn_list: Vec<String>,
    /// Whether to say which resources follow a tag policy. There are no tag policies here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_compliance_details: Option<bool>,
    /// Whether to leave out resources that follow their tag policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_compliant_resources: Option<bool>,
}

/// A tag key, and the values that it may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagFilter {
    /// The key.
    pub key: String,
    /// Any of these; any value at all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// One page of GetResources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetResourcesOutput {
    /// Where the next page starts; empty on the last.
    pub pagination_token: String,
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub resource_tag_mapping_list: Vec<ResourceTagMapping>,
}

/// A resource and its tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ResourceTagMapping {
    /// The ARN of the resource.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// Its tags.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub tags: Vec<Tag>,
}
