//! Requests, responses, and errors of the External Key Store Proxy API, version 1 (specification 1.0.3).
//!
//! Unknown fields are ignored, because the specification announces additional ones. An optional field that is `null`
//! counts as absent.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::aws::scalar::{Blob, SecretBlob};

/// The service name in the SigV4 credential scope of every request.
pub const SERVICE: &str = "kms-xks-proxy";
/// The part of a URI path between a partition's path prefix and the operation.
pub const API_PATH: &str = "/kms/xks/v1";
/// The only valid `encryptionAlgorithm`.
pub const AES_GCM: &str = "AES_GCM";
/// The only valid `ciphertextDataIntegrityValueAlgorithm`.
pub const SHA_256: &str = "SHA_256";
/// The key spec that KMS requires of an external key.
pub const AES_256: &str = "AES_256";
/// The maximum size of `ciphertextMetadata` in bytes.
pub const MAX_CIPHERTEXT_METADATA: usize = 20;
/// The size of an `authenticationTag` in bytes.
pub const TAG_LENGTH: usize = 16;
/// The maximum length of an ARN in the request metadata, in characters.
pub const MAX_ARN_LENGTH: usize = 2048;
/// The maximum size of a request or response in bytes. The largest valid ones are smaller than 32 KiB.
pub const MAX_BODY: usize = 64 * 1024;

/// Information about the KMS request that caused a request to the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestMetadata {
    /// The principal that called KMS: an ARN, a service principal, or `AWS Internal`. It must not be parsed as an ARN.
    pub aws_principal_arn: String,
    /// The VPC of the KMS request. Present only if the request came through a VPC endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_source_vpc: Option<String>,
    /// The VPC endpoint of the KMS request. Present only if the request came through a VPC endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_source_vpce: Option<String>,
    /// The ARN of the KMS key. Required for Encrypt and Decrypt, absent for GetKeyMetadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The KMS operation, such as `GenerateDataKey`. Unknown values are valid.
    pub kms_operation: String,
    /// The KMS request ID, an opaque string.
    pub kms_request_id: String,
    /// The AWS service that called KMS on behalf of the principal, such as `ebs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
}

impl RequestMetadata {
    /// Returns the metadata for GetHealthStatus.
    pub fn for_health(&self) -> HealthRequestMetadata {
        HealthRequestMetadata { kms_operation: self.kms_operation.clone(), kms_request_id: self.kms_request_id.clone() }
    }

    /// Returns the metadata for GetKeyMetadata, which doesn't include a KMS key.
    #[must_use]
    pub fn for_key_metadata(&self) -> Self {
        Self { kms_key_arn: None, kms_via_service: None, ..self.clone() }
    }
}

/// The request metadata of GetHealthStatus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthRequestMetadata {
    /// The KMS operation, such as `ConnectCustomKeyStore` or `KmsHealthCheck`.
    pub kms_operation: String,
    /// The KMS request ID, an opaque string.
    pub kms_request_id: String,
}

/// A `GetHealthStatus` request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHealthStatusRequest {
    /// The request metadata.
    pub request_metadata: HealthRequestMetadata,
}

/// A `GetHealthStatus` response: the health of the proxy and the external key managers behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetHealthStatusResponse {
    /// The number of proxy instances, at least 1.
    pub xks_proxy_fleet_size: u32,
    /// The vendor of the proxy.
    pub xks_proxy_vendor: String,
    /// The product name and version of the proxy.
    pub xks_proxy_model: String,
    /// The vendor of the external key manager.
    pub ekm_vendor: String,
    /// The external key managers, 1 to 10.
    pub ekm_fleet_details: Vec<EkmFleetMember>,
}

/// An external key manager in the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EkmFleetMember {
    /// The unique ID.
    pub id: String,
    /// The product name and version.
    pub model: String,
    /// The health status: `ACTIVE`, `DEGRADED` (unhealthy but still serving), or `UNAVAILABLE`.
    pub health_status: String,
}

/// A `GetKeyMetadata` request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKeyMetadataRequest {
    /// The request metadata.
    pub request_metadata: RequestMetadata,
}

/// A `GetKeyMetadata` response: the metadata of an external key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetKeyMetadataResponse {
    /// The key spec: `AES_256` for a key that KMS can use.
    pub key_spec: String,
    /// The key usage, up to ten values. KMS requires `ENCRYPT` and `DECRYPT`.
    pub key_usage: Vec<String>,
    /// The key status: `ENABLED` or `DISABLED`.
    pub key_status: String,
}

/// An `Encrypt` request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptRequest {
    /// The request metadata.
    pub request_metadata: RequestMetadata,
    /// The additional authenticated data (AAD), which is authenticated but not encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// The data to encrypt. It is zeroed when dropped.
    pub plaintext: SecretBlob,
    /// The encryption algorithm: `AES_GCM`.
    pub encryption_algorithm: String,
    /// `SHA_256` to request the ciphertext data integrity value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value_algorithm: Option<String>,
}

/// An `Encrypt` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptResponse {
    /// The ciphertext, which has the same length as the plaintext.
    pub ciphertext: Blob,
    /// The initialization vector: 12 or 16 bytes.
    pub initialization_vector: Blob,
    /// The authentication tag: 16 bytes.
    pub authentication_tag: Blob,
    /// The proxy's own metadata, up to 20 bytes, which KMS sends back with Decrypt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
    /// The [`ciphertext_data_integrity_value`], if it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value: Option<Blob>,
}

/// A `Decrypt` request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptRequest {
    /// The request metadata.
    pub request_metadata: RequestMetadata,
    /// The additional authenticated data of the encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// The ciphertext to decrypt.
    pub ciphertext: Blob,
    /// The encryption algorithm: `AES_GCM`.
    pub encryption_algorithm: String,
    /// The initialization vector from the Encrypt response.
    pub initialization_vector: Blob,
    /// The authentication tag from the Encrypt response.
    pub authentication_tag: Blob,
    /// The ciphertext metadata from the Encrypt response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
}

/// A `Decrypt` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptResponse {
    /// The plaintext, which has the same length as the ciphertext. It is zeroed when dropped.
    pub plaintext: SecretBlob,
}

/// The body of an error response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The name of the error, an [`ErrorName`].
    pub error_name: String,
    /// The error message for the KMS log: up to 511 printable ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// The error names of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::enum_variant_names)]
pub enum ErrorName {
    /// An input parameter is invalid.
    ValidationException,
    /// The key or the key store is disabled, deactivated, or blocked.
    InvalidStateException,
    /// The ciphertext, IV, tag, metadata, or additional authenticated data is corrupted, missing, or invalid.
    InvalidCiphertextException,
    /// The key doesn't allow this operation.
    InvalidKeyUsageException,
    /// The SigV4 signature is invalid.
    AuthenticationFailedException,
    /// A policy denies access, based on the request metadata.
    AccessDeniedException,
    /// The external key doesn't exist.
    KeyNotFoundException,
    /// The URI path is invalid.
    InvalidUriPathException,
    /// The request rate is too high.
    ThrottlingException,
    /// The operation isn't implemented, or a value exceeds the size that the proxy supports.
    UnsupportedOperationException,
    /// A dependency of the proxy didn't respond in time.
    DependencyTimeoutException,
    /// Any other error, such as a failure of the key manager.
    InternalException,
}

impl ErrorName {
    /// All error names, in the order of the specification's table.
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

    /// Returns the name on the wire.
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

    /// Parses an error name. Returns `None` if the API doesn't define it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.as_str() == name)
    }

    /// Returns the HTTP status of the error.
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

/// Converts `text` to a valid `errorMessage` of up to 511 printable ASCII characters. Other characters become `?`.
pub fn error_message(text: &str) -> String {
    text.chars().take(511).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// Returns the ciphertext data integrity value, which lets KMS detect bit flips: the SHA-256 hash of the request's AAD
/// and the output of Encrypt, all decoded and without lengths. Absent values are empty.
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
