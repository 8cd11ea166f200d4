//! CloudTrail: every request is recorded as an event, in CloudTrail's record format.
//!
//! A change and its event are committed together. All other events (reads, cryptographic operations, and failures) are
//! collected in an [`EventBuffer`] and appended together. Events are stored in segments of lines, which keeps the cost
//! of a busy key low. Events are kept for [`RETENTION`], up to [`MAX_EVENTS`]. Source of the format: *CloudTrail record
//! contents*.

mod event_buffer;
mod lookup;
mod parameters;
#[cfg(test)]
mod tests;
mod user_identity;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use rusqlite::Transaction;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use self::event_buffer::EventBuffer;
use self::event_buffer::{EventSegment, PendingEvent};
use self::parameters::{redacted_form, redacted_json, with_defaults};
use self::user_identity::UserIdentity;
use super::xray::FlowRecorder;
use super::{ApiResult, Call, account_region};
use crate::aws::codec;
use crate::aws::error::ServiceError;
use crate::aws::kms::KeyMetadata;
use crate::aws::operation::{Protocol, Service};
use crate::blocking::run_blocking;

/// How long events are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The maximum number of events that are kept, for all accounts and Regions.
const MAX_EVENTS: i64 = 1_000_000;

/// The details of a request that its event records.
pub struct EventDraft<'a> {
    pub service: Service,
    pub operation: &'a str,
    pub body: &'a [u8],
    pub user_agent: &'a str,
    /// Whether the caller of a query-protocol service wants JSON instead of XML.
    pub wants_json: bool,
    /// Whether the request leaves no event.
    pub is_unrecorded: bool,
    key_resources: Mutex<Vec<KeyResource>>,
    /// Whether the event was already committed together with a change.
    is_recorded: AtomicBool,
    /// Collects what happens to the request, for X-ray.
    pub flow: FlowRecorder,
}

/// A KMS key that a request is about.
struct KeyResource {
    arn: String,
    account: String,
    custom_key_store_id: Option<String>,
    xks_key_id: Option<String>,
}

impl<'a> EventDraft<'a> {
    /// Creates the draft of a request's event. `flow` collects its flow.
    pub fn new(
        service: Service,
        operation: &'a str,
        body: &'a [u8],
        user_agent: &'a str,
        wants_json: bool,
        flow: FlowRecorder,
    ) -> Self {
        let (key_resources, is_recorded) = (Mutex::default(), AtomicBool::new(false));
        Self {
            service,
            operation,
            body,
            user_agent,
            wants_json,
            is_unrecorded: false,
            key_resources,
            is_recorded,
            flow,
        }
    }

    /// Returns the ARNs of the KMS keys that the request is about, with the accounts that own them.
    pub fn key_arns(&self) -> Vec<(String, String)> {
        let key_resources = self.key_resources.lock().unwrap_or_else(PoisonError::into_inner);
        key_resources.iter().map(|key| (key.arn.clone(), key.account.clone())).collect()
    }

    /// Adds a KMS key that the request is about.
    pub fn add_key_resource(&self, key: &KeyMetadata) {
        let mut key_resources = self.key_resources.lock().unwrap_or_else(PoisonError::into_inner);
        if key_resources.iter().all(|other| other.arn != key.arn) {
            key_resources.push(KeyResource {
                arn: key.arn.clone(),
                account: key.aws_account_id.clone(),
                custom_key_store_id: key.custom_key_store_id.clone(),
                xks_key_id: key.xks_key_configuration.as_ref().map(|external| external.id.clone()),
            });
        }
    }

    fn is_mutating(&self) -> bool {
        const MUTATING_PREFIXES: [&str; 15] = [
            "Create",
            "Delete",
            "Update",
            "Put",
            "Tag",
            "Untag",
            "Enable",
            "Disable",
            "Schedule",
            "Cancel",
            "Connect",
            "Disconnect",
            "Revoke",
            "Retire",
            "Rotate",
        ];
        MUTATING_PREFIXES.iter().any(|start| self.operation.starts_with(start))
    }
}

/// Returns whether an operation encrypts or decrypts with a key.
fn is_cryptographic(operation: &str) -> bool {
    ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey"].iter().any(|start| operation.starts_with(start))
}

/// An event in CloudTrail's record format.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord<'a> {
    event_version: &'static str,
    user_identity: UserIdentity<'a>,
    event_time: String,
    event_source: &'static str,
    event_name: &'a str,
    aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: &'a str,
    user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    request_parameters: Value,
    response_elements: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_event_data: Option<AdditionalEventData<'a>>,
    #[serde(rename = "requestID")]
    request_id: &'a str,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    resources: Vec<EventResource<'a>>,
    event_type: &'static str,
    management_event: bool,
    recipient_account_id: &'a str,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    shared_event_id: Option<String>,
    event_category: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdditionalEventData<'a> {
    custom_key_store_id: &'a str,
    xks_key_id: &'a str,
}

#[derive(Serialize)]
struct EventResource<'a> {
    #[serde(rename = "accountId")]
    account_id: &'a str,
    r#type: &'static str,
    #[serde(rename = "ARN")]
    arn: &'a str,
}

const fn event_source(service: Service) -> &'static str {
    match service {
        Service::Kms => "kms.amazonaws.com",
        Service::Iam => "iam.amazonaws.com",
        Service::Sts => "sts.amazonaws.com",
        Service::CloudTrail => "cloudtrail.amazonaws.com",
        Service::CloudWatch => "monitoring.amazonaws.com",
        Service::Tagging => "tagging.amazonaws.com",
        Service::XksConsole => "xks-console.bundled.internal",
    }
}

/// Returns the ID of a request's event in an account.
pub fn event_id(request_id: &str, account: &str) -> String {
    let digest = Sha256::new().chain_update(request_id).chain_update(account).finalize();
    let bytes = std::array::from_fn(|at| digest[at]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

impl Call<'_> {
    /// Runs `work` and records the event of this request, in one transaction.
    ///
    /// If this returns `Ok`, the changes and the event are durable; otherwise nothing has changed.
    pub fn commit_with_event<T: Serialize>(&self, work: impl FnOnce(&Transaction) -> ApiResult<T>) -> ApiResult<T> {
        let write = |tx: &Transaction| {
            let done = work(tx)?;
            let body = codec::json_body(&done)?;
            for event in self.pending_events(None, &body) {
                EventSegment::from(event).append(tx)?;
            }
            self.draft.is_recorded.store(true, Ordering::Relaxed);
            Ok(done)
        };
        run_blocking(|| self.store().write(write))
    }

    /// Records the event of this request, unless it was already committed together with a change.
    pub fn record_event(&self, error: Option<&ServiceError>) {
        // Requests to the console's own service aren't requests to AWS.
        let is_recorded = self.draft.is_unrecorded || self.draft.is_recorded.load(Ordering::Relaxed);
        if self.draft.service == Service::XksConsole || is_recorded {
            return;
        }
        for event in self.pending_events(error, b"") {
            self.aws.event_buffer.push(event, self.store());
        }
    }

    /// Returns the event of this request, once for each account that it concerns.
    fn pending_events(&self, error: Option<&ServiceError>, response: &[u8]) -> Vec<PendingEvent> {
        let (draft, caller, now) = (self.draft, &*self.caller, self.store().environment().clock.now());
        let key_resources = draft.key_resources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts = vec![caller.account.as_str()];
        if error.is_none() {
            accounts
                .extend(key_resources.iter().map(|key| key.account.as_str()).filter(|owner| *owner != caller.account));
        }
        let request_parameters = match draft.service.protocol() {
            Protocol::Json { .. } => with_defaults(draft.operation, redacted_json(draft.body)),
            Protocol::Query { .. } => redacted_form(draft.body),
        };
        let external = key_resources.iter().find_map(|key| {
            Some(AdditionalEventData {
                custom_key_store_id: key.custom_key_store_id.as_deref()?,
                xks_key_id: key.xks_key_id.as_deref()?,
            })
        });
        let shared = (accounts.len() > 1).then(|| event_id(&self.request_id, "shared"));
        let mut record = EventRecord {
            event_version: "1.08",
            user_identity: UserIdentity::from_caller(caller),
            event_time: format!("{now:.0}"),
            event_source: event_source(draft.service),
            event_name: draft.operation,
            aws_region: &self.region,
            source_ip_address: self.source_ip.as_deref().unwrap_or("localhost"),
            user_agent: draft.user_agent,
            // The only error code that differs between CloudTrail and the API.
            error_code: error.map(|error| match error.code.as_str() {
                "AccessDeniedException" => "AccessDenied",
                code => code,
            }),
            error_message: error.map(|error| error.message.as_str()),
            request_parameters,
            response_elements: if draft.is_mutating() { redacted_json(response) } else { Value::Null },
            additional_event_data: external.filter(|_| is_cryptographic(draft.operation)),
            request_id: &self.request_id,
            event_id: String::new(),
            read_only: !draft.is_mutating(),
            resources: key_resources
                .iter()
                .map(|key| EventResource { account_id: &key.account, r#type: "AWS::KMS::Key", arn: &key.arn })
                .collect(),
            event_type: "AwsApiCall",
            management_event: true,
            recipient_account_id: "",
            shared_event_id: shared,
            event_category: "Management",
        };
        let events = accounts.into_iter().filter_map(|account| {
            record.event_id = event_id(&self.request_id, account);
            record.recipient_account_id = account;
            let text = serde_json::to_string(&record).ok()?;
            Some(PendingEvent {
                account_region: account_region(account, &self.region),
                timestamp_millis: now.as_millisecond(),
                json: text,
            })
        });
        events.collect()
    }
}
