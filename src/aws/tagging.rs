//! The Resource Groups Tagging API operation that finds KMS keys by their tags.
//!
//! Source: the Resource Groups Tagging API Reference.

use serde::{Deserialize, Serialize};

use crate::aws::iam::Tag;
use crate::aws::operation::{Service, operations};

operations! { Service::Tagging;
    GetResources => GetResourcesOutput, "GetResources" read_only;
}

/// A `GetResources` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetResources {
    /// The `PaginationToken` from the previous page. Empty or absent for the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pagination_token: Option<String>,
    /// The tag filters, up to 50. Resources must match all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tag_filters: Vec<TagFilter>,
    /// The maximum number of resources per page: 1 to 100. The default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources_per_page: Option<u32>,
    /// The maximum number of tags per page: 100 to 500, a multiple of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags_per_page: Option<u32>,
    /// The resource types to return, such as `kms` or `kms:key`. If empty, all types are returned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_type_filters: Vec<String>,
    /// The ARNs of the resources to return, up to 100. Can't be combined with other filters.
    #[serde(rename = "ResourceARNList", skip_serializing_if = "Vec::is_empty")]
    pub resource_arn_list: Vec<String>,
    /// Whether to include details about compliance with tag policies. The bundled AWS has no tag policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_compliance_details: Option<bool>,
    /// Whether to exclude resources that comply with their tag policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_compliant_resources: Option<bool>,
}

/// A tag filter: a tag key and its accepted values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagFilter {
    /// The tag key.
    pub key: String,
    /// The tag values, any of which matches. If empty, all values match.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// One page of GetResources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetResourcesOutput {
    /// The token for the next page. Empty on the last page.
    pub pagination_token: String,
    /// The resources.
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
    /// The tags of the resource.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub tags: Vec<Tag>,
}
