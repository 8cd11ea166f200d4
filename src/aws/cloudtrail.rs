//! The operation of CloudTrail that the console needs: looking up events.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Service, operations};
use crate::aws::scalar::EpochSeconds;

operations! { Service::CloudTrail;
    LookupEvents => LookupEventsOutput, "LookupEvents" read_only;
}

/// The request of LookupEvents: the newest events first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEvents {
    /// What events must be like; one at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_attributes: Option<Vec<LookupAttribute>>,
    /// Events at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<EpochSeconds>,
    /// Events at or before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<EpochSeconds>,
    /// `insight`, or absent for management events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_category: Option<String>,
    /// 1 to 50; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What events must be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupAttribute {
    /// `EventId`, `EventName`, `ReadOnly`, `Username`, `ResourceType`, `ResourceName`, `EventSource` or `AccessKeyId`.
    pub attribute_key: String,
    /// Its value, whole.
    pub attribute_value: String,
}

/// What LookupEvents answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LookupEventsOutput {
    /// The events.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub events: Vec<Event>,
    /// Where to go on, if there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An event: what happened once in the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// A UUID.
    pub event_id: String,
    /// The operation.
    pub event_name: String,
    /// `true` or `false`.
    pub read_only: String,
    /// Who signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// When.
    pub event_time: EpochSeconds,
    /// `kms.amazonaws.com` ...
    pub event_source: String,
    /// The name of the user, or of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What it was about.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub resources: Vec<Resource>,
    /// The whole event, JSON.
    pub cloud_trail_event: String,
    /// What of it this version can't read; the API has no such member.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// `AWS::KMS::Key` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}
