//! Flows: what the bundled AWS did for one request, layer by layer. AWS shows none of this.
//!
//! A flow never contains a plaintext of the caller, a data key, or key material. The plaintext of a request to a proxy is
//! the ciphertext of the first layer, so it may be shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aws::kms::EncryptionContext;
use crate::aws::open_enum::open_enum;
use crate::aws::scalar::Blob;

/// Lists flows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListFlows {
    /// Text that the ID, operation, caller, key ARN, or error code of the flow must contain. Case doesn't matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The maximum number of flows: 1 to 1,000. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// The token of the previous response, for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A page of flows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListFlowsOutput {
    /// The flows, newest first.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub flows: Vec<FlowSummary>,
    /// The token for the next page, if there are older flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Returns one flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFlow {
    /// The ID of the flow, which is the ID of the KMS request.
    pub flow_id: String,
}

/// A flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFlowOutput {
    /// The [`Flow`], as JSON.
    pub flow: String,
}

open_enum! {
    /// Where a request was refused.
    #[derive(Default)]
    pub enum FlowStage {
        /// The request wasn't valid, or a resource that it names doesn't exist.
        #[default]
        Request = "Request",
        /// The ciphertext wasn't one of the bundled AWS.
        Ciphertext = "Ciphertext",
        /// No policy or grant allowed the request, or a policy denied it.
        Authorization = "Authorization",
        /// The KMS key couldn't be used: because of its state, or because it didn't encrypt the ciphertext.
        Key = "Key",
        /// The external key store proxy refused the request, or didn't respond in time.
        Proxy = "Proxy",
        /// The external key manager couldn't decrypt the second layer.
        SecondLayer = "SecondLayer",
        /// AWS KMS couldn't decrypt the first layer.
        FirstLayer = "FirstLayer",
    }
}

/// The main facts of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowSummary {
    /// The ID of the KMS request.
    pub flow_id: String,
    /// The time of the request, in UTC.
    #[serde(deserialize_with = "crate::aws::lenient::timestamp")]
    pub time: Timestamp,
    /// The operation, such as `Encrypt`.
    #[serde(default)]
    pub operation: String,
    /// The ARN of the principal that made the request.
    #[serde(default)]
    pub caller: String,
    /// The ARN of the KMS key, if the request is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    /// The duration of the request, in microseconds.
    #[serde(default)]
    pub microseconds: u64,
    /// The error code, if the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Where a request that failed was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_at: Option<FlowStage>,
}

/// What happened in one request, in the order of its steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Flow {
    /// The main facts.
    #[serde(flatten)]
    pub summary: FlowSummary,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The Region.
    pub region: String,
    /// The access key that signed the caller's request.
    pub access_key_id: String,
    /// The address of the caller, if the request arrived over a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// The caller's program.
    pub user_agent: String,
    /// The ID of the CloudTrail event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The decisions about permissions, in the order in which they were made.
    pub authorizations: Vec<FlowAuthorization>,
    /// The encryptions and decryptions: two for `ReEncrypt`, otherwise at most one.
    pub ciphers: Vec<FlowCipher>,
    /// The requests to external key store proxies.
    pub exchanges: Vec<FlowExchange>,
    /// The fields of the ciphertext that the request returned or received, in their order. Empty if it has none, or one
    /// that can't be parsed.
    pub fields: Vec<FlowField>,
}

/// A decision about a permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowAuthorization {
    /// The IAM action, such as `kms:Encrypt`.
    pub action: String,
    /// The ARN of the resource, or `*`.
    pub resource: String,
    /// Whether the action is allowed.
    pub is_allowed: bool,
    /// The statements that decided. Empty if nothing allowed the action.
    pub statements: Vec<FlowStatement>,
}

/// What a statement was part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicySource {
    /// The policy of the KMS key.
    #[default]
    KeyPolicy,
    /// An IAM policy of the caller.
    IamPolicy,
    /// The session policy of the caller.
    SessionPolicy,
    /// A grant on the KMS key.
    Grant,
    /// A source that this version doesn't know.
    #[serde(other)]
    Unknown,
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementEffect {
    /// It allowed the action.
    #[default]
    Allow,
    /// It let the IAM policies of the account decide.
    Delegate,
    /// It denied the action.
    Deny,
    /// An effect that this version doesn't know.
    #[serde(other)]
    Unknown,
}

/// A statement of a policy, or a grant, that decided about a permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowStatement {
    /// What it is part of.
    pub source: PolicySource,
    /// What it did.
    pub effect: StatementEffect,
    /// The place of the statement in its policy, from 1. 0 for a grant.
    pub number: u32,
    /// The Sid of the statement, or the ID of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// One encryption or decryption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowCipher {
    /// Whether this is a decryption.
    pub is_decryption: bool,
    /// The ARN of the KMS key.
    pub key_arn: String,
    /// The encryption context of the caller.
    pub encryption_context: EncryptionContext,
    /// The length of the plaintext, in bytes. `None` if the decryption failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plaintext_length: Option<usize>,
    /// The first layer, by AWS KMS. `None` if it was never reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_layer: Option<FirstLayer>,
    /// The second layer, by the external key manager. `None` if the KMS key isn't in an external key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_layer: Option<SecondLayer>,
    /// The ciphertext blob that the caller got or sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<Blob>,
}

/// The first layer of encryption: by AWS KMS, with the key material of the KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FirstLayer {
    /// The ID of the key material.
    pub material_id: String,
    /// The salt that the key of this message is derived from.
    pub salt: Blob,
    /// The initialization vector.
    pub iv: Blob,
    /// The additional authenticated data.
    pub aad: Blob,
    /// The authentication tag. Empty if the second layer wasn't removed.
    pub tag: Blob,
    /// The length of the ciphertext without the tag, in bytes. `None` if the second layer wasn't removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_length: Option<usize>,
    /// Whether the layer was added or removed.
    pub is_complete: bool,
}

/// The second layer of encryption: by the external key manager, with the external key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecondLayer {
    /// The external key.
    pub external_key_id: String,
    /// The additional authenticated data that the proxy gets: the digest of that of the first layer.
    pub aad: Blob,
    /// The initialization vector. Empty if the proxy returned none.
    pub iv: Blob,
    /// The authentication tag. Empty if the proxy returned none.
    pub tag: Blob,
    /// The metadata of the external key manager.
    pub metadata: Blob,
    /// The version of the external key, if the metadata is that of the bundled external key manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_version: Option<u32>,
    /// The length of the ciphertext, in bytes.
    pub ciphertext_length: usize,
    /// Whether the layer was added or removed.
    pub is_complete: bool,
}

/// A header of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowHeader {
    /// The name, in lowercase.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A signed request to an external key store proxy, and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowExchange {
    /// The operation of the proxy: `GetHealthStatus`, `GetKeyMetadata`, `Encrypt`, or `Decrypt`.
    pub operation: String,
    /// The KMS operation that the proxy is told.
    pub kms_operation: String,
    /// The HTTP method.
    pub method: String,
    /// The URI.
    pub uri: String,
    /// The headers, including the signature.
    pub headers: Vec<FlowHeader>,
    /// The body.
    pub body: String,
    /// How many times the request was sent. A request is sent once more if it isn't answered in time.
    pub attempts: u32,
    /// How long the last attempt took, in microseconds. `None` without a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microseconds: Option<u64>,
    /// The HTTP status of the answer. `None` without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of the answer, at most 16 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why AWS KMS didn't accept the answer, or got none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether the answer is from the bundled proxy, whose request log has more about it.
    pub is_bundled: bool,
}

/// A field of a ciphertext.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlowField {
    /// The name.
    pub name: String,
    /// The heading of the layer that the field belongs to.
    pub layer: String,
    /// The offset in the ciphertext, in bytes.
    pub offset: usize,
    /// The length, in bytes.
    pub length: usize,
    /// The value: text as it is, and other bytes as hexadecimal digits.
    pub value: String,
    /// What the field means.
    pub meaning: String,
}
