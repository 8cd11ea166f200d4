//! What the bundled AWS tells of itself and no AWS API carries. Real AWS answers *not available*.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::operation::{Empty, Service, operations};
use crate::aws::scalar::SecretString;

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
}

/// Asks for the external key of a KMS key, as its external key store proxy reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKey {
    /// The store whose proxy is asked.
    pub custom_key_store_id: String,
    /// The external key ID.
    pub xks_key_id: String,
}

/// What the proxy reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeExternalKeyOutput {
    /// `AES_256` ...
    pub key_spec: String,
    /// `ENCRYPT`, `DECRYPT` ...
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub key_usage: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub key_status: String,
}

/// Asks for everything in the external key manager but its secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListExternalKeys {}

/// What is in the external key manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListExternalKeysOutput {
    /// The partitions, in the order of their names.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub partitions: Vec<Partition>,
}

/// What the proxy serves under one URI path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// The URI path, as an external key store has it.
    pub uri_path: String,
    /// What its callers sign with.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub access_key_ids: Vec<String>,
    /// Its external keys, in the order of their IDs.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub keys: Vec<ExternalKey>,
}

/// An external key, without its material.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalKey {
    /// What the proxy calls it.
    pub id: String,
    /// What the external key manager calls it.
    pub manager_id: String,
    /// `AES_256` or `AES_128`.
    pub spec: String,
    /// `ENCRYPT`, `DECRYPT` ...
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub usage: Vec<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// The version that encrypts; all decrypt.
    pub version: u32,
    /// Encryptions of that version that are used up or set aside, of 2^32.
    pub encryptions: u64,
    /// The callers of AWS KMS that may use it, with wildcards; empty for everybody.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub callers: Vec<String>,
}

/// Names an external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExternalKeyName {
    /// The partition it is in.
    pub partition: String,
    /// What the proxy calls it.
    pub id: String,
}

/// Makes an external key with random material.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateExternalKey {
    /// The partition it will be in.
    pub partition: String,
    /// What the proxy will call it: 1 to 128 of `A-Za-z0-9-._`.
    pub id: String,
    /// `ENCRYPT`, `DECRYPT`.
    pub usage: Vec<String>,
    /// Whether it can be used from the start.
    pub enabled: bool,
}

/// Lets an external key be used again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnableExternalKey(pub ExternalKeyName);

/// Lets an external key not be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DisableExternalKey(pub ExternalKeyName);

/// Gives an external key a new version; older ones still decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RotateExternalKey(pub ExternalKeyName);

/// Takes an external key away, with all that it has encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeleteExternalKey(pub ExternalKeyName);

/// Makes a partition with a URI path of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePartition {
    /// Up to 116 of `A-Za-z0-9/-_`.
    pub name: String,
}

/// Adds a credential to a partition; those there are go on working.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateProxyCredential {
    /// The partition.
    pub partition: String,
}

/// A proxy configuration file, which is given out this once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyConfiguration {
    /// JSON with the URI path, the access key ID and the secret access key.
    pub configuration: SecretString,
}

/// Ends a credential at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeProxyCredential {
    /// The partition.
    pub partition: String,
    /// Which of its credentials.
    pub access_key_id: String,
}

/// Asks for requests to the proxy: those that fit each of these, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRequests {
    /// Of this partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// For this request to KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// For this external key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// So many at most; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
}

/// The requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRequestsOutput {
    /// The newest first.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub requests: Vec<ProxyRequest>,
}

/// One request to the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyRequest {
    /// When it came, in UTC.
    #[serde(deserialize_with = "crate::aws::lenient::timestamp")]
    pub time: Timestamp,
    /// Whose path it came by; empty when no partition has it.
    pub partition: String,
    /// `GetHealthStatus`, `GetKeyMetadata`, `Encrypt` or `Decrypt`; empty when the URI path names none of them.
    pub operation: String,
    /// The external key it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<String>,
    /// What it was signed with, true or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The error that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_name: Option<String>,
    /// The rule that denied access: the callers that the external key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
    /// How long the proxy took, in microseconds.
    pub microseconds: u64,
    /// Who called KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_principal_arn: Option<String>,
    /// What KMS was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_operation: Option<String>,
    /// The request ID that the event of CloudTrail has, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// The KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The AWS service that called KMS for the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
    /// The VPC that the call to KMS came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpc: Option<String>,
    /// The VPC endpoint that it came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpce: Option<String>,
}

/// How the external key store proxy of a host is reached, where its name and its certificate alone don't lead there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProxyRoute {
    /// The host that proxy URI endpoints name.
    pub host: String,
    /// Where it really is: an IP address and a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Authorities to trust for this host beside those of the system: certificates, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authorities: Option<String>,
}

/// Says how a host is reached from now on; with neither address nor authorities, as its name says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PutProxyRoute(pub ProxyRoute);

/// Asks how hosts are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProxyRoutes {}

/// How hosts are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListProxyRoutesOutput {
    /// In the order of the hosts; those that are reached as their names say are not among them.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub routes: Vec<ProxyRoute>,
}
