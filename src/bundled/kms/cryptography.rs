//! Encrypt, Decrypt, ReEncrypt, and random bytes.
//!
//! The first layer of encryption is added here, the second one behind the external key store proxy.

use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::ciphertext::{self, Body, Header, IV_LENGTH, SALT_LENGTH};
use super::dry_run::dry_run_error;
use super::grants::check_grant_tokens;
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    Decrypt, DecryptOutput, Encrypt, EncryptOutput, EncryptionContext, GenerateRandom, GenerateRandomOutput,
    KeyMetadata, KeyState, ReEncrypt, ReEncryptOutput, Recipient,
};
use crate::aws::scalar::{Blob, SecretBlob};
use crate::aws::xray::FlowStage;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::{ApiResult, Call, account_region};

const ALGORITHM: &str = "SYMMETRIC_DEFAULT";
/// Binds the derived keys to this purpose and format.
const KEY_DERIVATION_INFO: &[u8] = b"xks-console ciphertext 1\0";

/// Returns the error of a failed decryption. It has no message, so that it doesn't reveal the cause.
fn invalid_ciphertext() -> ServiceError {
    ServiceError::new("InvalidCiphertextException", "")
}

fn check_algorithm(algorithm: Option<&str>) -> Result<(), ServiceError> {
    match algorithm {
        None | Some(ALGORITHM) => Ok(()),
        Some(other) => Err(ServiceError::new(
            "InvalidKeyUsageException",
            format!("The encryption algorithm {other} is not valid for this key. Use {ALGORITHM}."),
        )),
    }
}

/// Returns whether a dry run only checks permissions, without a ciphertext.
fn ignores_ciphertext(is_dry: Option<bool>, modifiers: Option<&Vec<String>>) -> bool {
    is_dry == Some(true) && modifiers.is_some_and(|modifiers| modifiers.iter().any(|one| one == "IGNORE_CIPHERTEXT"))
}

/// Rejects every attestation document, because AWS Nitro signs none for the bundled AWS.
pub(super) fn check_recipient(recipient: Option<&Recipient>) -> Result<(), ServiceError> {
    if recipient.is_some() {
        return Err(ServiceError::validation("The attestation document of Recipient is not valid."));
    }
    Ok(())
}

fn missing_member(member: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

pub(super) fn check_dry_run(is_dry: Option<bool>) -> Result<(), ServiceError> {
    if is_dry == Some(true) { Err(dry_run_error()) } else { Ok(()) }
}

/// Derives the key of one message from the key material.
///
/// With a separate key for each message, no key material reaches the usage limits of AES-GCM.
fn derive_message_key(material: &[u8], header: &Header) -> Result<Aes256Gcm, ServiceError> {
    let mut key = Zeroizing::new([0; 32]);
    let info = [KEY_DERIVATION_INFO, header.key_arn.as_bytes()].concat();
    Hkdf::<Sha256>::new(Some(&header.salt), material)
        .expand(&info, key.as_mut_slice())
        .map_err(|_| ServiceError::new("KMSInternalException", "Couldn't derive the message key."))?;
    Ok(Aes256Gcm::new(&(*key).into()))
}

/// A decoded ciphertext blob, and the KMS key that encrypted it.
struct SourceCiphertext {
    header: Header,
    body: Body,
    key: Arc<KeyRecord>,
}

impl SourceCiphertext {
    /// Returns the ID of the key material that encrypted the blob, for keys whose key material KMS generates.
    fn material_id(&self) -> Option<String> {
        self.key.metadata.current_key_material_id.as_ref().map(|_| self.header.material_id.clone())
    }
}

impl Call<'_> {
    /// Finds a key, and checks that its key state allows cryptographic operations.
    pub(super) fn find_usable_key(&self, id: &str, authorization: AuthorizationRequest) -> ApiResult<Arc<KeyRecord>> {
        if !authorization.grant_tokens.is_empty() {
            self.store().read(|tx| check_grant_tokens(tx, &authorization.grant_tokens))?;
        }
        let key = self.find_cached_key(id, authorization)?;
        self.draft.flow.enter(FlowStage::Key);
        let arn = &key.metadata.arn;
        let (code, state) = match key.metadata.key_state {
            KeyState::Enabled => return Ok(key),
            KeyState::Disabled => ("DisabledException", "disabled"),
            KeyState::PendingDeletion => ("KMSInvalidStateException", "pending deletion"),
            KeyState::Unavailable => ("KMSInvalidStateException", "unavailable"),
            _ => ("KMSInvalidStateException", "not ready"),
        };
        Err(ServiceError::new(code, format!("{arn} is {state}.")).into())
    }

    fn key_material(&self, key: &KeyRecord, material_id: &str) -> ApiResult<Arc<Zeroizing<Vec<u8>>>> {
        let KeyMetadata { aws_account_id, key_id, .. } = &key.metadata;
        let name = [aws_account_id, &self.region, key_id, material_id].join("/");
        self.store().get_or_load(&name, |tx, sources| {
            let account_region = account_region(aws_account_id, &self.region);
            for table in ["keys", "key_materials"] {
                sources.add_row(table, &[&account_region, key_id]);
            }
            let sealed = self.sealed_key_material(tx, key, material_id)?.ok_or_else(invalid_ciphertext)?;
            let record = ["key_material", aws_account_id, &self.region, key_id, material_id];
            Ok(self.store().unseal(&record, &sealed)?)
        })
    }

    /// Encrypts a plaintext: in two layers for a key in an external key store, otherwise in one.
    pub(super) async fn encrypt_with_key(
        &self,
        operation: &str,
        key: &KeyRecord,
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> ApiResult<Blob> {
        // Get the bytes of the salt and the IV with one call to the operating system.
        let random_bytes: [u8; SALT_LENGTH + IV_LENGTH] = self.store().environment().random.bytes()?;
        let header = Header {
            is_external: key.metadata.xks_key_configuration.is_some(),
            key_arn: key.metadata.arn.clone(),
            material_id: key.material_id.clone(),
            salt: std::array::from_fn(|at| random_bytes[at]),
            iv: std::array::from_fn(|at| random_bytes[SALT_LENGTH + at]),
        };
        let aad = header.inner_aad(context);
        let inner = derive_message_key(&self.key_material(key, &key.material_id)?, &header)?
            .encrypt(&Nonce::from(header.iv), Payload { msg: plaintext, aad: &aad })
            .map_err(|_| ServiceError::new("KMSInternalException", "Couldn't encrypt the first layer."))?;
        self.record_inner_encryption(&header, context, &aad, &inner);
        let body = match (&key.metadata.custom_key_store_id, &key.metadata.xks_key_configuration) {
            (Some(store), Some(external)) => {
                let owner_call = self.for_account(&key.metadata.aws_account_id);
                let target = owner_call.find_cached_proxy_target(store)?;
                let metadata = self.request_metadata(operation, Some(key.metadata.arn.clone()));
                let aad = ciphertext::outer_aad(&aad);
                self.record_proxy_call(&external.id, &aad, inner.len());
                let outer = self.xks_client().encrypt(&target, &metadata, &external.id, &inner, &aad).await;
                let outer = outer.map_err(|failure| failure.cryptographic_error())?;
                self.record_outer_layer(&outer, true);
                Body::Double(outer)
            }
            _ => Body::Single(inner),
        };
        let blob = ciphertext::encode(&header, &body);
        self.record_blob(&blob);
        Ok(Blob(blob))
    }

    pub async fn encrypt(&self, request: &Encrypt) -> ApiResult<EncryptOutput> {
        let context = request.encryption_context.clone().unwrap_or_default();
        let authorization =
            AuthorizationRequest::from("kms:Encrypt").with_encryption_context(&context, request.grant_tokens.as_ref());
        let key = self.find_usable_key(&request.key_id, authorization)?;
        check_algorithm(request.encryption_algorithm.as_deref())?;
        check_dry_run(request.dry_run)?;
        let blob = self.encrypt_with_key("Encrypt", &key, request.plaintext.expose(), &context).await?;
        Ok(EncryptOutput {
            ciphertext_blob: blob,
            key_id: key.metadata.arn.clone(),
            encryption_algorithm: ALGORITHM.to_owned(),
        })
    }

    pub fn generate_random(&self, request: &GenerateRandom) -> ApiResult<GenerateRandomOutput> {
        let length = request.number_of_bytes.ok_or_else(|| missing_member("numberOfBytes"))? as usize;
        check_recipient(request.recipient.as_ref())?;
        self.authorize("kms:GenerateRandom", "*")?;
        if let Some(id) = &request.custom_key_store_id {
            let store = self.store().read(|tx| self.find_key_store(tx, id))?.entry.custom_key_store_name;
            let message = format!("The external key store {store} can't generate random bytes. Omit CustomKeyStoreId.");
            return Err(ServiceError::new("UnsupportedOperationException", message).into());
        }
        let mut bytes = vec![0; length];
        self.store().environment().random.fill(&mut bytes)?;
        Ok(GenerateRandomOutput { plaintext: SecretBlob::new(bytes) })
    }

    pub async fn decrypt(&self, request: &Decrypt) -> ApiResult<DecryptOutput> {
        let context = request.encryption_context.clone().unwrap_or_default();
        let algorithm = request.encryption_algorithm.as_deref();
        let authorization =
            AuthorizationRequest::from("kms:Decrypt").with_encryption_context(&context, request.grant_tokens.as_ref());
        check_recipient(request.recipient.as_ref())?;
        if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref()) {
            self.check_source_key(
                request.key_id.as_deref().ok_or_else(|| missing_member("keyId"))?,
                algorithm,
                authorization,
            )?;
            return Err(dry_run_error().into());
        }
        let blob = &request.ciphertext_blob;
        let source = self.resolve_ciphertext(blob, &context, request.key_id.as_deref(), algorithm, authorization)?;
        check_dry_run(request.dry_run)?;
        let plaintext = self.decrypt_with_key("Decrypt", &source, &context).await?;
        Ok(DecryptOutput {
            key_id: source.key.metadata.arn.clone(),
            plaintext: SecretBlob::new(plaintext),
            encryption_algorithm: ALGORITHM.to_owned(),
            key_material_id: source.material_id(),
        })
    }

    pub async fn re_encrypt(&self, request: &ReEncrypt) -> ApiResult<ReEncryptOutput> {
        let algorithm = request.source_encryption_algorithm.as_deref();
        let from = request.source_encryption_context.clone().unwrap_or_default();
        let to = request.destination_encryption_context.clone().unwrap_or_default();
        let tokens = request.grant_tokens.as_ref();
        let requested_key_id = request.source_key_id.as_deref();
        let is_same_key = self.is_re_encrypt_on_same_key(request);
        let authorization = |action, context| {
            let authorization = AuthorizationRequest::from(action).with_encryption_context(context, tokens);
            authorization.with_optional_condition_key(
                "kms:ReEncryptOnSameKey",
                is_same_key.map(|is_same| if is_same { "true" } else { "false" }),
            )
        };
        let source = if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref()) {
            self.check_source_key(
                requested_key_id.ok_or_else(|| missing_member("sourceKeyId"))?,
                algorithm,
                authorization("kms:ReEncryptFrom", &from),
            )?;
            None
        } else {
            Some(self.resolve_ciphertext(
                &request.ciphertext_blob,
                &from,
                requested_key_id,
                algorithm,
                authorization("kms:ReEncryptFrom", &from),
            )?)
        };
        let destination = self.find_usable_key(&request.destination_key_id, authorization("kms:ReEncryptTo", &to))?;
        check_algorithm(request.destination_encryption_algorithm.as_deref())?;
        check_dry_run(request.dry_run)?;
        let source = source.ok_or_else(dry_run_error)?;
        let plaintext = Zeroizing::new(self.decrypt_with_key("ReEncrypt", &source, &from).await?);
        let ciphertext_blob = self.encrypt_with_key("ReEncrypt", &destination, &plaintext, &to).await?;
        Ok(ReEncryptOutput {
            ciphertext_blob,
            source_key_id: source.key.metadata.arn.clone(),
            key_id: destination.metadata.arn.clone(),
            source_encryption_algorithm: ALGORITHM.to_owned(),
            destination_encryption_algorithm: ALGORITHM.to_owned(),
            source_key_material_id: source.material_id(),
            destination_key_material_id: destination.metadata.current_key_material_id.clone(),
        })
    }

    /// Returns whether the destination key is the key that encrypted the ciphertext, or `None` if either is unknown.
    ///
    /// This is the value of the condition key `kms:ReEncryptOnSameKey`.
    fn is_re_encrypt_on_same_key(&self, request: &ReEncrypt) -> Option<bool> {
        let source_key_id = request.source_key_id.as_deref();
        let source = match ciphertext::decode(&request.ciphertext_blob.0) {
            Ok((header, _)) => self.resolve_key_id(&header.key_arn).ok()?,
            Err(_) => self.resolve_key_id(source_key_id?).ok()?,
        };
        Some(self.resolve_key_id(&request.destination_key_id).ok()? == source)
    }

    /// Returns the key ID of a key, without checking permissions.
    fn resolve_key_id(&self, id: &str) -> ApiResult<String> {
        let account = id.parse::<Arn>().map_or_else(|_| self.account.clone(), |arn| arn.account);
        Ok(self.for_account(&account).load_cached_key(id)?.metadata.key_id.clone())
    }

    /// Checks whether the caller could decrypt a ciphertext with a key, without the ciphertext.
    fn check_source_key(
        &self,
        id: &str,
        algorithm: Option<&str>,
        authorization: AuthorizationRequest,
    ) -> ApiResult<()> {
        self.find_usable_key(id, authorization)?;
        Ok(check_algorithm(algorithm)?)
    }

    /// Decodes a blob and finds the key that it names.
    fn resolve_ciphertext(
        &self,
        blob: &Blob,
        context: &EncryptionContext,
        requested_key_id: Option<&str>,
        algorithm: Option<&str>,
        authorization: AuthorizationRequest,
    ) -> ApiResult<SourceCiphertext> {
        if blob.is_empty() {
            return Err(missing_member("ciphertextBlob").into());
        }
        self.draft.flow.enter(FlowStage::Ciphertext);
        self.record_received_blob(blob, context);
        let (header, body) = ciphertext::decode(&blob.0).map_err(|_| invalid_ciphertext())?;
        // A blob that names an unknown key gets the same error as any other invalid ciphertext.
        let key = match self.find_usable_key(&header.key_arn, authorization) {
            Err(error)
                if error.0.has_code("NotFound") || error.0.has_code("InvalidArn") || error.0.has_code("Validation") =>
            {
                return Err(invalid_ciphertext().into());
            }
            other => other?,
        };
        if let Some(requested_key_id) = requested_key_id
            && self.resolve_key_id(requested_key_id)? != key.metadata.key_id
        {
            let message = "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(ServiceError::new("IncorrectKeyException", message).into());
        }
        check_algorithm(algorithm)?;
        if header.key_arn != key.metadata.arn {
            return Err(invalid_ciphertext().into());
        }
        Ok(SourceCiphertext { header, body, key })
    }

    async fn decrypt_with_key(
        &self,
        operation: &str,
        source: &SourceCiphertext,
        context: &EncryptionContext,
    ) -> ApiResult<Vec<u8>> {
        let SourceCiphertext { header, body, key } = source;
        let inner_aad = header.inner_aad(context);
        self.record_outer_ciphertext(header, body, &inner_aad);
        let inner = match (body, &key.metadata.custom_key_store_id, &key.metadata.xks_key_configuration) {
            (Body::Single(inner), None, None) => Zeroizing::new(inner.clone()),
            (Body::Double(outer), Some(store), Some(external)) => {
                let owner_call = self.for_account(&key.metadata.aws_account_id);
                let target = owner_call.find_cached_proxy_target(store)?;
                let metadata = self.request_metadata(operation, Some(key.metadata.arn.clone()));
                let aad = ciphertext::outer_aad(&inner_aad);
                self.record_proxy_call(&external.id, &aad, outer.ciphertext.len());
                self.record_outer_layer(outer, false);
                let response = self.xks_client().decrypt(&target, &metadata, &external.id, outer, &aad).await;
                let inner = response.map_err(|failure| failure.cryptographic_error())?;
                Zeroizing::new(inner.expose().to_vec())
            }
            _ => return Err(invalid_ciphertext().into()),
        };
        self.record_inner_ciphertext(&inner);
        let plaintext = derive_message_key(&self.key_material(key, &header.material_id)?, header)?
            .decrypt(&Nonce::from(header.iv), Payload { msg: &inner, aad: &inner_aad })
            .map_err(|_| invalid_ciphertext())?;
        self.record_decryption(plaintext.len());
        Ok(plaintext)
    }
}
