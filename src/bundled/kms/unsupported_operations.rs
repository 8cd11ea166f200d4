//! KMS operations that no key of the bundled AWS supports. They fail as they do on AWS for a key in an external key
//! store.

use serde::Deserialize;

use super::key_states::unsupported_origin;
use crate::aws::error::ServiceError;
use crate::aws::kms::{Origin, request_members};
use crate::aws::shape;
use crate::bundled::{ApiResult, Call};

/// Why a symmetric encryption key doesn't support an operation.
enum UnsupportedReason {
    /// The operation needs a key pair, imported key material, or another Region.
    KeyOrigin,
    /// The operation needs another key usage.
    KeyUsage,
}

fn unsupported_reason(operation: &str) -> Option<UnsupportedReason> {
    match operation {
        "GenerateDataKeyPair"
        | "GenerateDataKeyPairWithoutPlaintext"
        | "GetParametersForImport"
        | "ImportKeyMaterial"
        | "DeleteImportedKeyMaterial"
        | "ReplicateKey"
        | "UpdatePrimaryRegion"
        | "GetPublicKey" => Some(UnsupportedReason::KeyOrigin),
        "Sign" | "Verify" | "GenerateMac" | "VerifyMac" | "DeriveSharedSecret" | "Encapsulate" | "Decapsulate" => {
            Some(UnsupportedReason::KeyUsage)
        }
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyIdRequest {
    key_id: String,
}

/// Returns the IAM action that an operation requires.
fn action_of(operation: &str) -> &'static str {
    const ACTIONS: [&str; 15] = [
        "kms:GenerateDataKeyPair",
        "kms:GenerateDataKeyPairWithoutPlaintext",
        "kms:GetParametersForImport",
        "kms:ImportKeyMaterial",
        "kms:DeleteImportedKeyMaterial",
        "kms:ReplicateKey",
        "kms:UpdatePrimaryRegion",
        "kms:GetPublicKey",
        "kms:Sign",
        "kms:Verify",
        "kms:GenerateMac",
        "kms:VerifyMac",
        "kms:DeriveSharedSecret",
        "kms:Encapsulate",
        "kms:Decapsulate",
    ];
    ACTIONS.into_iter().find(|action| action.ends_with(&format!(":{operation}"))).unwrap_or("kms:DescribeKey")
}

impl Call<'_> {
    /// Rejects an operation that isn't in the operation table, after checking its key as for any other operation.
    pub fn reject_unsupported_operation(&self, operation: &str, body: &[u8]) -> ApiResult<()> {
        let (Some(reason), Some(members)) = (unsupported_reason(operation), request_members(operation)) else {
            let message = format!("The bundled AWS doesn't support the operation {operation}.");
            return Err(ServiceError::new("UnknownOperationException", message).into());
        };
        shape::validate(members, body)?;
        let request: KeyIdRequest = serde_json::from_slice(body)
            .map_err(|error| ServiceError::new("SerializationException", error.to_string()))?;
        let key = self.store().read(|tx| self.find_key(tx, &request.key_id, action_of(operation)))?.metadata;
        let error = match (reason, key.origin) {
            (UnsupportedReason::KeyUsage, _) => {
                let (arn, usage) = (key.arn, key.key_usage);
                let message = format!("{arn} key usage is {usage} which is not valid for {operation}.");
                ServiceError::new("InvalidKeyUsageException", message)
            }
            (UnsupportedReason::KeyOrigin, Origin::AwsKms) => {
                let message = format!("The bundled AWS doesn't support {operation} for KMS keys with origin AWS_KMS.");
                ServiceError::new("UnsupportedOperationException", message)
            }
            (UnsupportedReason::KeyOrigin, origin) => unsupported_origin(&key.arn, origin),
        };
        Err(error.into())
    }
}
