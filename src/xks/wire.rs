//! Requests, responses and errors of the External Key Store Proxy API, version 1 (specification 1.0.3).
//!
//! Fields nobody knows are passed over, because the specification announces more of them; an optional field that is
//! `null` counts as absent.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::aws::scalar::{Blob, SecretBlob};

/// The service in the SigV4 credential scope of every call.
pub const SERVICE: &str = "kms-xks-proxy";
/// What stands between a partition's path prefix and the API in each URI path.
pub const API_PATH: &str = "/kms/xks/v1";
/// The one `encryptionAlgorithm`.
pub const AES_GCM: &str = "AES_GCM";
/// The one `ciphertextDataIntegrityValueAlgorithm`.
pub const SHA_256: &str = "SHA_256";
/// The key spec KMS asks of an external key.
pub const AES_256: &str = "AES_256";
/// The most bytes `ciphertextMetadata` may have.
pub const MAX_CIPHERTEXT_METADATA: usize = 20;
/// The bytes of an `authenticationTag`.
pub const TAG_LENGTH: usize = 16;
/// The most characters of an ARN in the request metadata.
pub const MAX_ARN_LENGTH: usize = 2048;
/// The most bytes a request or response may have here. The longest legal ones stay under 32 KiB.
pub const MAX_BODY: usize = 64 * 1024;

/// What KMS tells the proxy about the call to KMS behind this one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestMetadata {
    /// The caller of KMS: an ARN, a service principal or `AWS Internal`. Not to be parsed as an ARN.
    pub aws_principal_arn: String,
    /// The VPC of the caller, if the call to KMS came through a VPC endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_source_vpc: Option<String>,
    /// The VPC endpoint of the caller, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_source_vpce: Option<String>,
    /// The KMS key: required with Encrypt and Decrypt, not sent with GetKeyMetadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The operation of KMS, such as `GenerateDataKey`. Unknown values are valid.
    pub kms_operation: String,
    /// The request ID of the call to KMS, opaque.
    pub kms_request_id: String,
    /// The AWS service that called KMS for the caller, such as `ebs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
}

impl RequestMetadata {
    /// The part that goes with GetHealthStatus.
    pub fn for_health(&self) -> HealthRequestMetadata {
        HealthRequestMetadata { kms_operation: self.kms_operation.clone(), kms_request_id: self.kms_request_id.clone() }
    }

    /// The part that goes with GetKeyMetadata, which has no KMS key yet.
    #[must_use]
    pub fn for_key_metadata(&self) -> Self {
        Self { kms_key_arn: None, kms_via_service: None, ..self.clone() }
    }
}

/// The request metadata of GetHealthStatus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthRequestMetadata {
    /// The operation of KMS, such as `ConnectCustomKeyStore` or `KmsHealthCheck`.
    pub kms_operation: String,
    /// The request ID, opaque.
    pub kms_request_id: String,
}

/// The body of GetHealthStatus.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHealthStatusRequest {
    /// Who asks.
    pub request_metadata: HealthRequestMetadata,
}

/// How the proxy and the external key managers behind it are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHealthStatusResponse {
    /// The number of proxies, above zero.
    pub xks_proxy_fleet_size: u32,
    /// Who makes the proxy.
    pub xks_proxy_vendor: String,
    /// The proxy's product name and version.
    pub xks_proxy_model: String,
    /// Who makes the external key manager.
    pub ekm_vendor: String,
    /// One to ten external key managers.
    pub ekm_fleet_details: Vec<EkmFleetMember>,
}

/// One external key manager of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EkmFleetMember {
    /// What tells it from the others.
    pub id: String,
    /// Its product name and version.
    pub model: String,
    /// `ACTIVE`, `DEGRADED` (unhealthy, still serving) or `UNAVAILABLE`.
    pub health_status: String,
}

/// The body of GetKeyMetadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKeyMetadataRequest {
    /// Who asks.
    pub request_metadata: RequestMetadata,
}

/// What the external key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKeyMetadataResponse {
    /// `AES_256` for a key that KMS can use.
    pub key_spec: String,
    /// Up to ten uses; KMS asks for `ENCRYPT` and `DECRYPT`.
    pub key_usage: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub key_status: String,
}

/// The body of Encrypt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptRequest {
    /// Who asks.
    pub request_metadata: RequestMetadata,
    /// Authenticated with the ciphertext, not part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// What to encrypt; wiped when dropped.
    pub plaintext: SecretBlob,
    /// `AES_GCM`.
    pub encryption_algorithm: String,
    /// `SHA_256` when the ciphertext data integrity value is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value_algorithm: Option<String>,
}

/// The answer of Encrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptResponse {
    /// As long as the plaintext.
    pub ciphertext: Blob,
    /// 12 or 16 bytes.
    pub initialization_vector: Blob,
    /// 16 bytes.
    pub authentication_tag: Blob,
    /// The proxy's own note, up to 20 bytes, handed back to it with Decrypt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
    /// The [`ciphertext_data_integrity_value`], if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value: Option<Blob>,
}

/// The body of Decrypt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptRequest {
    /// Who asks.
    pub request_metadata: RequestMetadata,
    /// As with Encrypt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// What to decrypt.
    pub ciphertext: Blob,
    /// `AES_GCM`.
    pub encryption_algorithm: String,
    /// As Encrypt gave it.
    pub initialization_vector: Blob,
    /// As Encrypt gave it.
    pub authentication_tag: Blob,
    /// As Encrypt gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
}

/// The answer of Decrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptResponse {
    /// As long as the ciphertext; wiped when dropped.
    pub plaintext: SecretBlob,
}

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// An [`ErrorName`].
    pub error_name: String,
    /// For the log of KMS: under 512 printable ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// The errors of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::enum_variant_names)]
pub enum ErrorName {
    /// An input parameter isn't valid.
    ValidationException,
    /// The key or the key store is disabled, deactivated or blocked.
    InvalidStateException,
    /// Ciphertext, IV, tag, metadata or additional authenticated data is corrupt, missing or not valid.
    InvalidCiphertextException,
    /// The key doesn't allow this operation.
    InvalidKeyUsageException,
    /// The SigV4 signature isn't valid.
    AuthenticationFailedException,
    /// A policy on the request metadata says no.
    AccessDeniedException,
    /// There is no such external key.
    KeyNotFoundException,
    /// The URI path isn't valid.
    InvalidUriPathException,
    /// Too many requests.
    ThrottlingException,
    /// The operation isn't there, or a value is above the size that this proxy supports.
    UnsupportedOperationException,
    /// Something the proxy needs didn't answer in time.
    DependencyTimeoutException,
    /// Anything else, such as a failing key manager.
    InternalException,
}

impl ErrorName {
    /// Every error, in the order of the specification's table.
    pub const ALL: [Self; 12] = [
        Self::ValidationException,
        Self::InvalidStateException,
        Self::InvalidCiphertextException,
        Self::InvalidKeyUsageException,
        Self::AuthenticationFailedException,
        Self::AccessDeniedException,
        Self::KeyNotFoundException,
        Self::InvalidUriPathException,
        Self::ThrottlingException,
        Self::UnsupportedOperationException,
        Self::DependencyTimeoutException,
        Self::InternalException,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationException => "ValidationException",
            Self::InvalidStateException => "InvalidStateException",
            Self::InvalidCiphertextException => "InvalidCiphertextException",
            Self::InvalidKeyUsageException => "InvalidKeyUsageException",
            Self::AuthenticationFailedException => "AuthenticationFailedException",
            Self::AccessDeniedException => "AccessDeniedException",
            Self::KeyNotFoundException => "KeyNotFoundException",
            Self::InvalidUriPathException => "InvalidUriPathException",
            Self::ThrottlingException => "ThrottlingException",
            Self::UnsupportedOperationException => "UnsupportedOperationException",
            Self::DependencyTimeoutException => "DependencyTimeoutException",
            Self::InternalException => "InternalException",
        }
    }

    /// The error of this name, if the API has it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.as_str() == name)
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::ValidationException
            | Self::InvalidStateException
            | Self::InvalidCiphertextException
            | Self::InvalidKeyUsageException => 400,
            Self::AuthenticationFailedException => 401,
            Self::AccessDeniedException => 403,
            Self::KeyNotFoundException | Self::InvalidUriPathException => 404,
            Self::ThrottlingException => 429,
            Self::UnsupportedOperationException => 501,
            Self::DependencyTimeoutException => 503,
            Self::InternalException => 500,
        }
    }
}

/// `text` as an `errorMessage` may be: printable ASCII, 511 characters at most. Other characters become `?`.
pub fn error_message(text: &str) -> String {
    text.chars().take(511).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// The SHA-256 that lets KMS see a bit that flipped on the way: over the request's additional authenticated data and
/// the output of Encrypt, all decoded, without lengths; what is absent is empty.
pub fn ciphertext_data_integrity_value(
    aad: &[u8],
    ciphertext_metadata: &[u8],
    initialization_vector: &[u8],
    ciphertext: &[u8],
    authentication_tag: &[u8],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [aad, ciphertext_metadata, initialization_vector, ciphertext, authentication_tag] {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    fn metadata() -> serde_json::Value {
        json!({ "awsPrincipalArn": "arn:aws:iam::111122223333:user/Admin", "kmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/1",
            "kmsOperation": "Encrypt", "kmsRequestId": "1" })
    }

    #[test]
    fn integrity_value_matches_the_specification_example() {
        let decode = |text| STANDARD.decode(text).unwrap();
        let value = ciphertext_data_integrity_value(
            b"project=nile,department=marketing",
            b"key_version=1",
            &decode("HMrlRw85cAJUd5Ax"),
            &decode("ghxkK1txeDNn3q8Y"),
            &decode("vBxN2ncH1oEkR8WVXpmyYQ=="),
        );
        assert_eq!(STANDARD.encode(value), "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=");
    }

    #[test]
    fn null_equals_absent_and_unknown_fields_are_ignored() {
        let mut body = json!({ "requestMetadata": metadata(), "plaintext": "c2VjcmV0", "encryptionAlgorithm": "AES_GCM",
            "additionalAuthenticatedData": null, "ciphertextDataIntegrityValueAlgorithm": null, "later": { "a": 1 } });
        body["requestMetadata"]["awsSourceVpc"] = json!(null);
        body["requestMetadata"]["sourceIdentity"] = json!("x");
        let request: EncryptRequest = serde_json::from_value(body).unwrap();
        assert_eq!(request.additional_authenticated_data, None);
        assert_eq!(request.ciphertext_data_integrity_value_algorithm, None);
        assert_eq!(request.request_metadata.aws_source_vpc, None);
        let sent = serde_json::to_string(&request).unwrap();
        assert!(!sent.contains("null") && !sent.contains("awsSourceVpc"), "{sent}");
    }

    #[test]
    fn missing_required_field_is_rejected() {
        for field in ["requestMetadata", "plaintext", "encryptionAlgorithm"] {
            let mut body = json!({ "requestMetadata": metadata(), "plaintext": "", "encryptionAlgorithm": "AES_GCM" });
            assert!(serde_json::from_value::<EncryptRequest>(body.clone()).is_ok());
            body[field] = json!(null);
            assert!(serde_json::from_value::<EncryptRequest>(body.clone()).is_err(), "{field} null");
            body.as_object_mut().unwrap().remove(field);
            assert!(serde_json::from_value::<EncryptRequest>(body).is_err(), "{field} missing");
        }
    }

    #[test]
    fn base64_must_be_standard_and_padded() {
        for (text, good) in
            [("", true), ("QQ==", true), ("QQ", false), ("QR==", false), ("-_8=", false), ("+/8=", true)]
        {
            let body = json!({ "plaintext": text });
            assert_eq!(serde_json::from_value::<DecryptResponse>(body).is_ok(), good, "{text}");
        }
        assert!(serde_json::from_value::<DecryptResponse>(json!({ "plaintext": "QQ\n==" })).is_err());
    }

    #[test]
    fn debug_output_hides_the_plaintext() {
        let response = DecryptResponse { plaintext: SecretBlob::new(b"AAAA".to_vec()) };
        let shown = format!("{response:?}");
        assert!(!shown.contains("AAAA") && !shown.contains("65"), "{shown}");
    }

    #[test]
    fn error_names_round_trip() {
        for error in ErrorName::ALL {
            assert_eq!(ErrorName::parse(error.as_str()), Some(error));
        }
        assert_eq!(ErrorName::parse("Teapot"), None);
    }

    proptest! {
        #[test]
        fn responses_round_trip(ciphertext: Vec<u8>, iv: [u8; 12], tag: [u8; 16], note: Option<Vec<u8>>) {
            let response = EncryptResponse {
                ciphertext: Blob(ciphertext),
                initialization_vector: Blob(iv.to_vec()),
                authentication_tag: Blob(tag.to_vec()),
                ciphertext_metadata: note.map(Blob),
                ciphertext_data_integrity_value: None,
            };
            let text = serde_json::to_string(&response).unwrap();
            prop_assert!(!text.contains("null"));
            prop_assert_eq!(serde_json::from_str::<EncryptResponse>(&text).unwrap(), response);
        }

        #[test]
        fn error_messages_are_short_printable_ascii(text: String, more in 0usize..700) {
            let message = error_message(&(text + &"x".repeat(more)));
            prop_assert!(message.len() < 512);
            prop_assert!(message.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
        }
    }
}
