//! Data keys, which are encrypted as [`Encrypt`](crate::aws::kms::Encrypt) does.

use zeroize::Zeroizing;

use super::cryptography::{check_dry_run, check_recipient};
use crate::aws::error::ServiceError;
use crate::aws::kms::{
    GenerateDataKey, GenerateDataKeyOutput, GenerateDataKeyWithoutPlaintext, GenerateDataKeyWithoutPlaintextOutput,
};
use crate::aws::scalar::SecretBlob;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::{ApiResult, Call};

impl Call<'_> {
    pub async fn generate_data_key(&self, request: &GenerateDataKey) -> ApiResult<GenerateDataKeyOutput> {
        check_recipient(request.recipient.as_ref())?;
        self.create_data_key("GenerateDataKey", "kms:GenerateDataKey", request).await
    }

    pub async fn generate_data_key_without_plaintext(
        &self,
        request: &GenerateDataKeyWithoutPlaintext,
    ) -> ApiResult<GenerateDataKeyWithoutPlaintextOutput> {
        let operation = "GenerateDataKeyWithoutPlaintext";
        let output = self.create_data_key(operation, "kms:GenerateDataKeyWithoutPlaintext", &request.0).await?;
        Ok(GenerateDataKeyWithoutPlaintextOutput {
            ciphertext_blob: output.ciphertext_blob,
            key_id: output.key_id,
            key_material_id: output.key_material_id,
        })
    }

    async fn create_data_key(
        &self,
        operation: &str,
        action: &'static str,
        request: &GenerateDataKey,
    ) -> ApiResult<GenerateDataKeyOutput> {
        let length = match (request.number_of_bytes, request.key_spec.as_deref()) {
            (Some(number), None) => number as usize,
            (None, Some("AES_256")) => 32,
            (None, Some("AES_128")) => 16,
            _ => return Err(ServiceError::validation("Please specify either number of bytes or key spec.").into()),
        };
        let context = request.encryption_context.clone().unwrap_or_default();
        let authorization =
            AuthorizationRequest::from(action).with_encryption_context(&context, request.grant_tokens.as_ref());
        let key = self.find_usable_key(&request.key_id, authorization)?;
        check_dry_run(request.dry_run)?;
        let mut data_key = Zeroizing::new(vec![0; length]);
        self.store().environment().random.fill(&mut data_key)?;
        let blob = self.encrypt_with_key(operation, &key, &data_key, &context).await?;
        Ok(GenerateDataKeyOutput {
            ciphertext_blob: blob,
            plaintext: SecretBlob::new(data_key.to_vec()),
            key_id: key.metadata.arn.clone(),
            key_material_id: key.metadata.current_key_material_id.clone(),
        })
    }
}
