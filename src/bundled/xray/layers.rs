//! Records the layers of an encryption or decryption in the flow of its request.
//!
//! Of a plaintext, only the length is recorded. Key material and derived keys are never recorded.

use crate::aws::kms::EncryptionContext;
use crate::aws::scalar::Blob;
use crate::aws::xray::{FirstLayer, FlowCipher, FlowStage, SecondLayer};
use crate::bundled::Call;
use crate::bundled::kms::ciphertext::{Body, Header, TAG_LENGTH};
use crate::xks::client::ExternalCiphertext;
use crate::xks::key_manager::version_from_metadata;

fn first_layer(header: &Header, aad: &[u8]) -> FirstLayer {
    FirstLayer {
        material_id: header.material_id.clone(),
        salt: Blob(header.salt.to_vec()),
        iv: Blob(header.iv.to_vec()),
        aad: Blob(aad.to_vec()),
        ..FirstLayer::default()
    }
}

impl FirstLayer {
    /// Sets the tag and the length of the ciphertext before it.
    fn set_ciphertext(&mut self, ciphertext_and_tag: &[u8]) {
        let length = ciphertext_and_tag.len().saturating_sub(TAG_LENGTH);
        self.tag = Blob(ciphertext_and_tag[length..].to_vec());
        self.ciphertext_length = Some(length);
    }
}

impl Call<'_> {
    fn update_cipher(&self, update: impl FnOnce(&mut FlowCipher)) {
        if self.draft.flow.records_details() {
            self.draft.flow.update_cipher(update);
        }
    }

    /// Records that AWS KMS added the first layer. `inner` is its ciphertext and tag.
    pub fn record_inner_encryption(&self, header: &Header, context: &EncryptionContext, aad: &[u8], inner: &[u8]) {
        if !self.draft.flow.records_details() {
            return;
        }
        let mut layer = first_layer(header, aad);
        layer.set_ciphertext(inner);
        layer.is_complete = true;
        self.draft.flow.enter(FlowStage::FirstLayer);
        self.draft.flow.start_cipher(FlowCipher {
            key_arn: header.key_arn.clone(),
            encryption_context: context.clone(),
            plaintext_length: layer.ciphertext_length,
            first_layer: Some(layer),
            ..FlowCipher::default()
        });
    }

    /// Records the ciphertext that the caller sent, before it is parsed.
    pub fn record_received_blob(&self, blob: &Blob, context: &EncryptionContext) {
        if self.draft.flow.records_details() {
            self.draft.flow.start_cipher(FlowCipher {
                is_decryption: true,
                encryption_context: context.clone(),
                blob: Some(blob.clone()),
                ..FlowCipher::default()
            });
        }
    }

    /// Records the fields of a ciphertext that is about to be decrypted.
    pub fn record_outer_ciphertext(&self, header: &Header, body: &Body, aad: &[u8]) {
        self.draft.flow.enter(FlowStage::FirstLayer);
        self.update_cipher(|cipher| {
            cipher.key_arn.clone_from(&header.key_arn);
            let mut layer = first_layer(header, aad);
            if let Body::Single(inner) = body {
                layer.set_ciphertext(inner);
            }
            cipher.first_layer = Some(layer);
        });
    }

    /// Records that the proxy is called, with the length of what it encrypts or decrypts.
    pub fn record_proxy_call(&self, external_key_id: &str, aad: &[u8], length: usize) {
        self.draft.flow.enter(FlowStage::Proxy);
        self.update_cipher(|cipher| {
            cipher.second_layer = Some(SecondLayer {
                external_key_id: external_key_id.to_owned(),
                aad: Blob(aad.to_vec()),
                ciphertext_length: length,
                ..SecondLayer::default()
            });
        });
    }

    /// Records the second layer, which the proxy has added (`is_complete`) or is about to remove.
    pub fn record_outer_layer(&self, external: &ExternalCiphertext, is_complete: bool) {
        self.update_cipher(|cipher| {
            if let Some(layer) = &mut cipher.second_layer {
                layer.iv = Blob(external.initialization_vector.clone());
                layer.tag = Blob(external.authentication_tag.clone());
                layer.metadata = Blob(external.ciphertext_metadata.clone());
                layer.key_version = version_from_metadata(&external.ciphertext_metadata);
                layer.is_complete = is_complete;
            }
        });
    }

    /// Records the ciphertext and tag of the first layer, after the second layer was removed.
    pub fn record_inner_ciphertext(&self, inner: &[u8]) {
        self.draft.flow.enter(FlowStage::FirstLayer);
        self.update_cipher(|cipher| {
            if let Some(layer) = &mut cipher.second_layer {
                layer.is_complete = true;
            }
            if let Some(layer) = &mut cipher.first_layer {
                layer.set_ciphertext(inner);
            }
        });
    }

    /// Records that AWS KMS removed the first layer, with the length of the plaintext.
    pub fn record_decryption(&self, plaintext_length: usize) {
        self.draft.flow.enter(FlowStage::Request);
        self.update_cipher(|cipher| {
            cipher.plaintext_length = Some(plaintext_length);
            if let Some(layer) = &mut cipher.first_layer {
                layer.is_complete = true;
            }
        });
    }

    /// Records the ciphertext that the caller gets.
    pub fn record_blob(&self, blob: &[u8]) {
        self.draft.flow.enter(FlowStage::Request);
        self.update_cipher(|cipher| cipher.blob = Some(Blob(blob.to_vec())));
    }
}
