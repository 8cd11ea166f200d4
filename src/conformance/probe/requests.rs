//! The valid requests of a probe, which checks send as they are or change.

use serde_json::{Value, json};

use super::{AAD, EncryptedData, PLAINTEXT, Probe};
use crate::conformance::request::ProbeRequest;
use crate::xks::wire::{AES_GCM, SHA_256};

impl Probe {
    /// Returns the proxy URI path followed by `rest`.
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.target.uri_path)
    }

    /// Returns a valid GetHealthStatus request.
    pub fn health_request(&mut self) -> ProbeRequest {
        let metadata = self.request_metadata("KmsHealthCheck");
        ProbeRequest::new(self.path("/health"), json!({ "requestMetadata": metadata }))
            .without_member("/requestMetadata/awsPrincipalArn")
    }

    /// Returns a valid GetKeyMetadata request.
    pub fn key_metadata_request(&mut self, key: &str) -> ProbeRequest {
        let metadata = self.request_metadata("CreateKey");
        ProbeRequest::new(self.path(&format!("/keys/{key}/metadata")), json!({ "requestMetadata": metadata }))
    }

    /// Returns a valid Encrypt request with [`PLAINTEXT`], [`AAD`], and a ciphertext data integrity value algorithm.
    pub fn encrypt_request(&mut self, key: &str) -> ProbeRequest {
        let metadata = self.request_metadata("Encrypt");
        let body = json!({
            "requestMetadata": metadata,
            "encryptionAlgorithm": AES_GCM,
            "ciphertextDataIntegrityValueAlgorithm": SHA_256,
        });
        ProbeRequest::new(self.path(&format!("/keys/{key}/encrypt")), body)
            .with_member("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/plaintext", PLAINTEXT)
            .with_bytes("/additionalAuthenticatedData", AAD)
    }

    /// Returns a valid Decrypt request.
    pub fn decrypt_request(&mut self, key: &str, encrypted: &EncryptedData) -> ProbeRequest {
        let metadata = self.request_metadata("Decrypt");
        let body = json!({ "requestMetadata": metadata, "encryptionAlgorithm": AES_GCM });
        let mut request = ProbeRequest::new(self.path(&format!("/keys/{key}/decrypt")), body)
            .with_member("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/ciphertext", &encrypted.ciphertext)
            .with_bytes("/initializationVector", &encrypted.iv)
            .with_bytes("/authenticationTag", &encrypted.tag);
        for (pointer, bytes) in
            [("/ciphertextMetadata", &encrypted.metadata), ("/additionalAuthenticatedData", &encrypted.aad)]
        {
            if let Some(bytes) = bytes {
                request = request.with_bytes(pointer, bytes);
            }
        }
        request
    }

    fn request_metadata(&mut self, operation: &str) -> Value {
        self.request_count += 1;
        let start = self.base_request_id.get(..24).unwrap_or_default();
        json!({
            "awsPrincipalArn": self.target.principal,
            "kmsOperation": operation,
            "kmsRequestId": format!("{start}{:012x}", self.request_count),
        })
    }
}
