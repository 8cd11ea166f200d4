//! The operations of the API: GetHealthStatus, GetKeyMetadata, Encrypt, and Decrypt.

use bytes::Bytes;
use http::Response;
use serde::de::DeserializeOwned;

use super::Proxy;
use super::responses::{ProxyError, ok};
use super::uri_path::ProxyOperation;
use crate::aws::scalar::Blob;
use crate::aws::xks_console::ProxyRequest;
use crate::xks::key_manager::{CiphertextParts, KeyManagerError};
use crate::xks::log::truncate_text;
use crate::xks::wire::{
    AES_GCM, DecryptRequest, DecryptResponse, EkmFleetMember, EncryptRequest, EncryptResponse, ErrorName,
    GetHealthStatusRequest, GetHealthStatusResponse, GetKeyMetadataRequest, GetKeyMetadataResponse, MAX_ARN_LENGTH,
    RequestMetadata, SHA_256, ciphertext_data_integrity_value,
};

impl Proxy {
    pub(super) fn dispatch(
        &self,
        partition: &str,
        api: &ProxyOperation<'_>,
        body: &[u8],
        entry: &mut ProxyRequest,
    ) -> Result<Response<Bytes>, ProxyError> {
        match api {
            ProxyOperation::Health => {
                let request: GetHealthStatusRequest = parse(body)?;
                entry.kms_operation = Some(truncate_text(&request.request_metadata.kms_operation));
                entry.kms_request_id = Some(truncate_text(&request.request_metadata.kms_request_id));
                self.health()
            }
            ProxyOperation::Metadata(id) => {
                let request: GetKeyMetadataRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                check_metadata(&request.request_metadata, false)?;
                self.authorize_caller(partition, id, &request.request_metadata, entry)?;
                let key = self.manager.key(partition, id)?;
                let key_status = if key.enabled { "ENABLED" } else { "DISABLED" }.to_owned();
                Ok(ok(&GetKeyMetadataResponse { key_spec: key.spec.clone(), key_usage: key.usage.clone(), key_status }))
            }
            ProxyOperation::Encrypt(id) => {
                let request: EncryptRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                self.encrypt(partition, id, request, entry)
            }
            ProxyOperation::Decrypt(id) => {
                let request: DecryptRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                self.decrypt(partition, id, request, entry)
            }
        }
    }

    fn health(&self) -> Result<Response<Bytes>, ProxyError> {
        self.manager.check_health()?;
        let version = env!("CARGO_PKG_VERSION");
        Ok(ok(&GetHealthStatusResponse {
            xks_proxy_fleet_size: 1,
            xks_proxy_vendor: "xks-console".to_owned(),
            xks_proxy_model: format!("xks-console external key store proxy {version}"),
            ekm_vendor: "xks-console".to_owned(),
            ekm_fleet_details: vec![EkmFleetMember {
                id: "external-key-manager-1".to_owned(),
                model: format!("xks-console external key manager {version}"),
                health_status: "ACTIVE".to_owned(),
            }],
        }))
    }

    /// Rejects a caller that can't use the external key, regardless of the key's state, and logs the rule that denied
    /// it. The principal isn't parsed.
    fn authorize_caller(
        &self,
        partition: &str,
        id: &str,
        metadata: &RequestMetadata,
        entry: &mut ProxyRequest,
    ) -> Result<(), ProxyError> {
        self.manager.check_caller(partition, id, &metadata.aws_principal_arn).map_err(|error| {
            if let KeyManagerError::CallerDenied(callers) = &error {
                entry.denied_by = Some(truncate_text(&format!("callers: {}", callers.join(", "))));
            }
            error.into()
        })
    }

    fn encrypt(
        &self,
        partition: &str,
        id: &str,
        request: EncryptRequest,
        entry: &mut ProxyRequest,
    ) -> Result<Response<Bytes>, ProxyError> {
        check_metadata(&request.request_metadata, true)?;
        check_algorithm(&request.encryption_algorithm)?;
        let integrity = match request.ciphertext_data_integrity_value_algorithm.as_deref() {
            None => false,
            Some(SHA_256) => true,
            Some(_) => return Err(ProxyError::validation("ciphertextDataIntegrityValueAlgorithm must be SHA_256")),
        };
        self.authorize_caller(partition, id, &request.request_metadata, entry)?;
        let aad = request.additional_authenticated_data.unwrap_or_default().0;
        let value = integrity.then_some(|parts: &CiphertextParts| {
            ciphertext_data_integrity_value(
                &aad,
                &parts.ciphertext_metadata,
                &parts.initialization_vector,
                &parts.ciphertext,
                &parts.authentication_tag,
            )
        });
        let result = self.manager.encrypt(partition, id, request.plaintext.expose(), &aad, value);
        let (parts, value) = result.map_err(|error| match error {
            // The input of Encrypt contains no ciphertext: the new ciphertext couldn't be decrypted.
            KeyManagerError::InvalidCiphertext => ProxyError::new(
                ErrorName::InternalException,
                "verification of the new ciphertext failed. Retry the request",
            ),
            error => error.into(),
        })?;
        Ok(ok(&EncryptResponse {
            ciphertext: Blob(parts.ciphertext),
            initialization_vector: Blob(parts.initialization_vector),
            authentication_tag: Blob(parts.authentication_tag),
            ciphertext_metadata: Some(Blob(parts.ciphertext_metadata)),
            ciphertext_data_integrity_value: value.map(|value| Blob(value.to_vec())),
        }))
    }

    fn decrypt(
        &self,
        partition: &str,
        id: &str,
        request: DecryptRequest,
        entry: &mut ProxyRequest,
    ) -> Result<Response<Bytes>, ProxyError> {
        check_metadata(&request.request_metadata, true)?;
        check_algorithm(&request.encryption_algorithm)?;
        self.authorize_caller(partition, id, &request.request_metadata, entry)?;
        let parts = CiphertextParts {
            ciphertext: request.ciphertext.0,
            initialization_vector: request.initialization_vector.0,
            authentication_tag: request.authentication_tag.0,
            ciphertext_metadata: request.ciphertext_metadata.unwrap_or_default().0,
        };
        let aad = request.additional_authenticated_data.unwrap_or_default().0;
        let plaintext = self.manager.decrypt(partition, id, &parts, &aad)?;
        Ok(ok(&DecryptResponse { plaintext }))
    }
}

/// Copies the fields of the request metadata that are logged.
fn record_request_metadata(metadata: &RequestMetadata, entry: &mut ProxyRequest) {
    entry.aws_principal_arn = Some(truncate_text(&metadata.aws_principal_arn));
    entry.kms_key_arn = metadata.kms_key_arn.as_deref().map(truncate_text);
    entry.kms_via_service = metadata.kms_via_service.as_deref().map(truncate_text);
    entry.aws_source_vpc = metadata.aws_source_vpc.as_deref().map(truncate_text);
    entry.aws_source_vpce = metadata.aws_source_vpce.as_deref().map(truncate_text);
    entry.kms_operation = Some(truncate_text(&metadata.kms_operation));
    entry.kms_request_id = Some(truncate_text(&metadata.kms_request_id));
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProxyError> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser's error message may quote the plaintext.
        let (line, column) = (error.line(), error.column());
        ProxyError::validation(format!(
            "the body isn't valid: a field is missing or invalid before line {line}, column {column}"
        ))
    })
}

fn check_metadata(metadata: &RequestMetadata, requires_key_arn: bool) -> Result<(), ProxyError> {
    let arns = [Some(&metadata.aws_principal_arn), metadata.kms_key_arn.as_ref()];
    if arns.into_iter().flatten().any(|arn| arn.len() > MAX_ARN_LENGTH) {
        return Err(ProxyError::validation("awsPrincipalArn and kmsKeyArn can have up to 2,048 characters"));
    }
    if requires_key_arn && metadata.kms_key_arn.is_none() {
        return Err(ProxyError::validation("requestMetadata has no kmsKeyArn"));
    }
    Ok(())
}

fn check_algorithm(algorithm: &str) -> Result<(), ProxyError> {
    if algorithm == AES_GCM { Ok(()) } else { Err(ProxyError::validation("encryptionAlgorithm must be AES_GCM")) }
}
