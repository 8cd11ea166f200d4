//! Operations of the bundled AWS that no AWS API has. On real AWS, they aren't available.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::operation::{Empty, Service, operations};
use crate::aws::scalar::{EpochSeconds, SecretString};
use crate::aws::xray::{GetFlow, GetFlowOutput, ListFlows, ListFlowsOutput};

/// The header of each response that says how many seconds the account is ahead of the machine. Missing if it isn't.
pub const SECONDS_AHEAD_HEADER: &str = "x-xks-console-seconds-ahead";

operations! { Service::XksConsole;
    DescribeExternalKey => DescribeExternalKeyOutput, "DescribeExternalKey" read_only;
    ListExternalKeys => ListExternalKeysOutput, "ListExternalKeys" read_only;
    CreateExternalKey => Empty, "CreateExternalKey" not_idempotent;
    EnableExternalKey => Empty, "EnableExternalKey";
    DisableExternalKey => Empty, "DisableExternalKey";
    RotateExternalKey => Empty, "RotateExternalKey" not_idempotent;
    DeleteExternalKey => Empty, "DeleteExternalKey" not_idempotent;
    CreatePartition => ProxyConfiguration, "CreatePartition" not_idempotent;
    RotateProxyCredential => ProxyConfiguration, "RotateProxyCredential" not_idempotent;
    RevokeProxyCredential => Empty, "RevokeProxyCredential" not_idempotent;
    ListProxyRequests => ListProxyRequestsOutput, "ListProxyRequests" read_only;
    PutProxyRoute => Empty, "PutProxyRoute";
    ListProxyRoutes => ListProxyRoutesOutput, "ListProxyRoutes" read_only;
    PutProxyFault => ProxyFault, "PutProxyFault" not_idempotent;
    ListProxyFaults => ListProxyFaultsOutput, "ListProxyFaults" read_only;
    DeleteProxyFault => Empty, "DeleteProxyFault" not_idempotent;
    DeleteProxyFaults => Empty, "DeleteProxyFaults";
    DescribeAccountClock => AccountClock, "DescribeAccountClock" read_only;
    AdvanceAccountClock => AccountClock, "AdvanceAccountClock" not_idempotent;
    ListWorkloads => ListWorkloadsOutput, "ListWorkloads" read_only;
    ListFlows => ListFlowsOutput, "ListFlows" read_only;
    GetFlow => GetFlowOutput, "GetFlow" read_only;
}

/// Describes the external key of a KMS key, as the external key store proxy reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKey {
    /// The ID of the key store whose proxy is called.
    pub custom_key_store_id: String,
    /// The external key ID.
    pub xks_key_id: String,
}

/// The proxy's description of an external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKeyOutput {
    /// The key spec, such as `AES_256`.
    pub key_spec: String,
    /// The key usage, such as `ENCRYPT` and `DECRYPT`.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub key_usage: Vec<String>,
    /// The key status: `ENABLED` or `DISABLED`.
    pub key_status: String,
}

/// Lists the contents of the external key manager, without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListExternalKeys {}

/// The contents of the external key manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListExternalKeysOutput {
    /// The partitions, sorted by name.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub partitions: Vec<Partition>,
}

/// A partition: the external keys and credentials that the proxy serves under one URI path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Partition {
    /// The name of the partition.
    pub name: String,
    /// The proxy URI path for an external key store.
    pub uri_path: String,
    /// The access key IDs of the partition's credentials.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub access_key_ids: Vec<String>,
    /// The external keys of the partition, sorted by ID.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub keys: Vec<ExternalKey>,
}

/// An external key, without its key material.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalKey {
    /// The external key ID: the ID that the proxy uses for the key.
    pub id: String,
    /// The ID that the external key manager uses for the key.
    pub manager_id: String,
    /// The key spec: `AES_256` or `AES_128`.
    pub spec: String,
    /// The key usage, such as `ENCRYPT` and `DECRYPT`.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub usage: Vec<String>,
    /// Whether the key is enabled.
    pub enabled: bool,
    /// The version that encrypts. All versions decrypt.
    pub version: u32,
    /// The number of used or reserved encryptions with this version, out of 2^32.
    pub encryptions: u64,
    /// The AWS KMS callers that can use the key, which can contain wildcards. If empty, every caller can use it.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub callers: Vec<String>,
}

/// The name of an external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalKeyName {
    /// The partition that contains the key.
    pub partition: String,
    /// The external key ID.
    pub id: String,
}

/// Creates an external key with random key material.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateExternalKey {
    /// The partition to create the key in.
    pub partition: String,
    /// The external key ID: 1 to 128 characters of `A-Za-z0-9-._`.
    pub id: String,
    /// The key usage, such as `ENCRYPT` and `DECRYPT`.
    pub usage: Vec<String>,
    /// Whether the key is enabled when it is created.
    pub enabled: bool,
}

/// Enables an external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnableExternalKey(pub ExternalKeyName);

/// Disables an external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DisableExternalKey(pub ExternalKeyName);

/// Rotates an external key to a new version. Older versions still decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RotateExternalKey(pub ExternalKeyName);

/// Deletes an external key permanently. Data encrypted under it can't be decrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeleteExternalKey(pub ExternalKeyName);

/// Creates a partition with its own URI path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePartition {
    /// The name: up to 116 characters of `A-Za-z0-9/-_`.
    pub name: String,
}

/// Adds a credential to a partition. Existing credentials stay valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateProxyCredential {
    /// The partition.
    pub partition: String,
}

/// A proxy configuration file, which is returned only once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyConfiguration {
    /// JSON with the URI path, the access key ID, and the secret access key.
    pub configuration: SecretString,
}

/// Revokes a credential immediately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeProxyCredential {
    /// The partition.
    pub partition: String,
    /// The access key ID of the credential.
    pub access_key_id: String,
}

/// Lists requests to the proxy that match all of these criteria, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRequests {
    /// The partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The ID of the KMS request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// The external key ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// The maximum number of requests. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
}

/// The requests that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRequestsOutput {
    /// The requests, newest first.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub requests: Vec<ProxyRequest>,
}

/// A request to the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyRequest {
    /// The time that the request arrived, in UTC.
    #[serde(deserialize_with = "crate::aws::lenient::timestamp")]
    pub time: Timestamp,
    /// The partition of the URI path. Empty if no partition has the path.
    pub partition: String,
    /// `GetHealthStatus`, `GetKeyMetadata`, `Encrypt`, or `Decrypt`. Empty if the URI path matches no operation.
    pub operation: String,
    /// The external key ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// The access key ID in the request, whether or not the signature was valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The HTTP status of the response.
    pub status: u16,
    /// The name of the error in the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_name: Option<String>,
    /// The rule that denied access: the callers that can use the external key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
    /// The time that the proxy took to respond, in microseconds.
    pub microseconds: u64,
    /// The principal that called KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_principal_arn: Option<String>,
    /// The KMS operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_operation: Option<String>,
    /// The KMS request ID, which is also in the CloudTrail event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// The ARN of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The AWS service that called KMS on behalf of the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
    /// The VPC that the request to KMS came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpc: Option<String>,
    /// The VPC endpoint that the request to KMS came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpce: Option<String>,
}

/// How to reach a proxy whose host name doesn't resolve to it, or whose certificate isn't publicly trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyRoute {
    /// The host in the proxy URI endpoint.
    pub host: String,
    /// The address to connect to: an IP address and a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Additional CA certificates to trust for this host, in PEM format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<String>,
}

/// Sets the route of a host. Without an address and CA certificates, the host is reached by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PutProxyRoute(pub ProxyRoute);

/// Lists the routes of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProxyRoutes {}

/// The routes of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRoutesOutput {
    /// The routes, sorted by host. Hosts that are reached by their name aren't included.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub routes: Vec<ProxyRoute>,
}

/// Returns the time of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeAccountClock {}

/// Moves the clock of the account forward. It can't be moved back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdvanceAccountClock {
    /// How far, in seconds.
    pub seconds: i64,
}

/// The time of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountClock {
    /// The time.
    pub time: EpochSeconds,
    /// How many seconds the account is ahead of the machine.
    pub seconds_ahead: i64,
}

/// Lists the workloads of the account: applications that use its keys all the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWorkloads {}

/// The workloads of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListWorkloadsOutput {
    /// The workloads, sorted by name.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub workloads: Vec<Workload>,
}

/// An application that uses a KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Workload {
    /// The name, which is also the name of the role's session in events.
    pub name: String,
    /// The ARN of the role.
    pub role_arn: String,
    /// The alias or the ID of the KMS key.
    pub key_id: String,
    /// The operation that it calls: `Encrypt`, `Decrypt`, or `GenerateDataKey`.
    pub operation: String,
    /// The time between two runs, in seconds.
    pub interval_seconds: i64,
    /// How long it uses a plaintext data key before it asks AWS KMS again, in seconds. `None` if it doesn't cache them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_key_cache_seconds: Option<i64>,
    /// Until when it works without AWS KMS, because its data key is cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_until: Option<EpochSeconds>,
    /// When it last ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<EpochSeconds>,
    /// How many requests it has made.
    pub requests: u64,
    /// How many of its requests have failed.
    pub failures: u64,
    /// Since when all of its requests have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<EpochSeconds>,
    /// The error code of its last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The error message of its last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// Adds a proxy fault: AWS KMS's requests to external key store proxies fail from now on, as the fault says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutProxyFault {
    /// The words of the fault, such as `xks:Encrypt timeout 2 times partition frankfurt`.
    pub fault: String,
}

/// Lists the proxy faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProxyFaults {}

/// The proxy faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyFaultsOutput {
    /// The faults, in the order in which they were added. If several apply to a request, the first one is used.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub faults: Vec<ProxyFault>,
}

/// A proxy fault, and what it has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyFault {
    /// The ID of the fault.
    pub id: i64,
    /// The words of the fault.
    pub fault: String,
    /// What fails, for people, such as `Encrypt, partition frankfurt`.
    pub target: String,
    /// How the requests fail, in the words of the fault, such as `latency 100ms`.
    pub failure: String,
    /// What happens, for people, as a sentence.
    pub effect: String,
    /// When requests fail, for people, such as `2 times`.
    pub schedule: String,
    /// Whether the fault can still make requests fail.
    pub is_active: bool,
    /// The number of requests that the fault applied to.
    pub matched_requests: u64,
    /// The number of requests that failed.
    pub failed_requests: u64,
    /// When the fault was added.
    pub creation_date: EpochSeconds,
    /// When the fault ends, if it is for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<EpochSeconds>,
}

/// Removes a proxy fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteProxyFault {
    /// The ID of the fault.
    pub id: i64,
}

/// Removes all proxy faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProxyFaults {}
