//! A compact form of a KMS key, because an account can have 100,000 of them.

use std::borrow::Cow;

use crate::aws::kms::{KeyManagerType, KeyMetadata, KeyState, Origin};
use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;

/// The properties of a KMS key that lists and pages show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// The key ARN, which ends in the key ID.
    pub arn: Box<str>,
    /// The description; empty if the key has none.
    pub description: Box<str>,
    /// The ID of the key's custom key store.
    pub custom_key_store_id: Option<Box<str>>,
    /// The external key ID.
    pub xks_key_id: Option<Box<str>>,
    /// When the key was created.
    pub creation_date: EpochSeconds,
    /// When the key is deleted, while its deletion is pending.
    pub deletion_date: Option<EpochSeconds>,
    /// The key spec, such as `SYMMETRIC_DEFAULT`.
    pub key_spec: Cow<'static, str>,
    /// The key usage, such as `ENCRYPT_DECRYPT`.
    pub key_usage: Cow<'static, str>,
    /// The key state.
    pub key_state: KeyState,
    /// Where the key material comes from.
    pub origin: Origin,
    /// Whether the key is customer managed or AWS managed.
    pub key_manager: KeyManagerType,
    /// Whether the key is a multi-Region key.
    pub is_multi_region: bool,
    /// The part of the response that this version can't read.
    pub problem: Option<Box<str>>,
}

impl KeySummary {
    /// Returns the key ID, which is the last segment of the ARN.
    pub fn key_id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

/// Returns a static string for the most common values, so that they need no memory per key.
fn interned(word: String) -> Cow<'static, str> {
    let known = ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"].into_iter().find(|known| *known == word);
    known.map_or(Cow::Owned(word), Cow::Borrowed)
}

impl From<KeyMetadata> for KeySummary {
    fn from(key: KeyMetadata) -> Self {
        // If the ARN is unreadable, the key ID identifies the key.
        let arn = if key.arn == UNREADABLE { key.key_id } else { key.arn };
        Self {
            arn: arn.into(),
            description: key.description.into(),
            custom_key_store_id: key.custom_key_store_id.map(Box::from),
            xks_key_id: key.xks_key_configuration.map(|external| external.id.into()),
            creation_date: key.creation_date,
            deletion_date: key.deletion_date,
            key_spec: interned(key.key_spec),
            key_usage: interned(key.key_usage),
            key_state: key.key_state,
            origin: key.origin,
            key_manager: key.key_manager,
            is_multi_region: key.multi_region == Some(true),
            problem: key.problem.map(Box::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_id_is_the_last_segment_of_the_arn() {
        for id in ["1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"] {
            let key = crate::create_key::testing::key(id, "payments");
            assert_eq!(KeySummary::from(key.clone()).key_id(), key.key_id);
        }
    }
}
