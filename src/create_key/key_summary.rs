//! A KMS key in few bytes: an account can have 100,000 of them.

use std::borrow::Cow;

use crate::aws::kms::{KeyManagerType, KeyMetadata, KeyState, Origin};
use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;

/// What lists and pages show of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// The key ARN, which ends in the key ID.
    pub arn: Box<str>,
    /// Empty when it has none.
    pub description: Box<str>,
    /// The custom key store it lives in.
    pub custom_key_store_id: Option<Box<str>>,
    /// The external key behind it.
    pub xks_key_id: Option<Box<str>>,
    /// When it was made.
    pub creation_date: EpochSeconds,
    /// When it will be gone, while its deletion is pending.
    pub deletion_date: Option<EpochSeconds>,
    /// `SYMMETRIC_DEFAULT` ...
    pub key_spec: Cow<'static, str>,
    /// `ENCRYPT_DECRYPT` ...
    pub key_usage: Cow<'static, str>,
    /// What can be done with it now.
    pub key_state: KeyState,
    /// Where the key material comes from.
    pub origin: Origin,
    /// Customer or AWS managed.
    pub key_manager: KeyManagerType,
    /// Whether it is a multi-Region key.
    pub is_multi_region: bool,
    /// What of it this version can't read.
    pub problem: Option<Box<str>>,
}

impl KeySummary {
    /// The key ID: what stands in the ARN after `key/`.
    pub fn key_id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

/// Most keys say the same words: those take no memory of their own.
fn interned(word: String) -> Cow<'static, str> {
    let known = ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"].into_iter().find(|known| *known == word);
    known.map_or(Cow::Owned(word), Cow::Borrowed)
}

impl From<KeyMetadata> for KeySummary {
    fn from(key: KeyMetadata) -> Self {
        // The key ID names a key as well as its ARN does.
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
