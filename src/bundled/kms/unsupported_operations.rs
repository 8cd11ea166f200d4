//! Operations of KMS that no key of this world has: refused as AWS refuses them for a key in an external key store.

use serde::Deserialize;

use super::key_states::unsupported_origin;
use crate::aws::error::ServiceError;
use crate::aws::kms::{Origin, request_members};
use crate::aws::shape;
use crate::bundled::{ApiResult, Call};

/// What an operation would need that a symmetric encryption key has not.
enum UnsupportedReason {
    /// A pair of keys, imported material, another Region.
    KeyOrigin,
    /// Another key usage.
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

/// The action that an operation needs.
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
    /// The refusal of an operation that is not in the table, after the key was looked at as for any other.
    pub fn reject_unsupported_operation(&self, operation: &str, body: &[u8]) -> ApiResult<()> {
        let (Some(reason), Some(members)) = (unsupported_reason(operation), request_members(operation)) else {
            let message = format!("There is no operation {operation}.");
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
                let message = format!("The bundled AWS has no {operation} for keys of its own.");
                ServiceError::new("UnsupportedOperationException", message)
            }
            (UnsupportedReason::KeyOrigin, origin) => unsupported_origin(&key.arn, origin),
        };
        Err(error.into())
    }
}
