//! The CloudTrail operation that the console needs: LookupEvents.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Service, operations};
use crate::aws::scalar::EpochSeconds;

operations! { Service::CloudTrail;
    LookupEvents => LookupEventsOutput, "LookupEvents" read_only;
}

/// A `LookupEvents` request. Events are returned newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEvents {
    /// The lookup attributes. Currently, the list can contain only one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_attributes: Option<Vec<LookupAttribute>>,
    /// Returns only events that occur after or at the specified time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<EpochSeconds>,
    /// Returns only events that occur before or at the specified time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<EpochSeconds>,
    /// The event category: `insight`, or absent for management events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_category: Option<String>,
    /// The maximum number of events per page: 1 to 50. The default is 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// The token from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An attribute and value that returned events must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupAttribute {
    /// The attribute: `EventId`, `EventName`, `ReadOnly`, `Username`, `ResourceType`, `ResourceName`, `EventSource`, or
    /// `AccessKeyId`.
    pub attribute_key: String,
    /// The attribute value, which must match exactly.
    pub attribute_value: String,
}

/// A `LookupEvents` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsOutput {
    /// The events that match the request.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub events: Vec<Event>,
    /// The token for the next page, if there are more events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An event: an activity in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// The event ID, a UUID.
    pub event_id: String,
    /// The name of the operation.
    pub event_name: String,
    /// Whether the operation is read-only: `true` or `false`.
    pub read_only: String,
    /// The access key ID that was used to sign the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The date and time of the event.
    pub event_time: EpochSeconds,
    /// The service that the request was made to, such as `kms.amazonaws.com`.
    pub event_source: String,
    /// The user name or role session name of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The resources that the event refers to.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub resources: Vec<Resource>,
    /// The complete event record, as JSON.
    pub cloud_trail_event: String,
    /// The members that this version couldn't read. Not part of the API.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A resource that an event refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// The resource type, such as `AWS::KMS::Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The ARN of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}
