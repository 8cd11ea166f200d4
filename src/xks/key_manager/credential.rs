//! The credential of the proxy: an access key ID and a secret access key.

use zeroize::Zeroizing;

use super::error::KeyManagerError;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::environment::{Random, RandomError};

/// The credential that KMS signs its requests to the proxy with.
#[derive(Clone, Debug)]
pub struct ProxyCredential {
    /// The access key ID: 20 to 30 characters of `A-Z2-7`, unrelated to the secret access key.
    pub access_key_id: String,
    /// The secret access key: 43 to 64 Base64 characters.
    pub secret_access_key: SecretString,
}

impl ProxyCredential {
    /// Generates a credential: 100 random bits for the access key ID, and 256 independent random bits for the secret.
    ///
    /// # Errors
    /// [`RandomError`] if the random number generator fails.
    pub fn generate(random: &Random) -> Result<Self, RandomError> {
        use base64::Engine as _;
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let id: [u8; 20] = random.bytes()?;
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice())?;
        Ok(Self {
            access_key_id: id.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect(),
            secret_access_key: SecretString::new(base64::engine::general_purpose::STANDARD.encode(*secret)),
        })
    }

    pub(super) fn check(&self) -> Result<(), KeyManagerError> {
        let value = self.access_key_id.clone();
        let invalid = |what, rule| KeyManagerError::Invalid { what, value: value.clone(), rule };
        limits::xks_proxy_access_key_id(&self.access_key_id).map_err(|_| {
            invalid("the access key ID", "an access key ID must have 20 to 30 characters from A-Z and 2-7")
        })?;
        limits::xks_proxy_secret_access_key(self.secret_access_key.expose()).map_err(|_| {
            let rule = "a secret access key must have 43 to 64 characters from A-Z, a-z, 0-9, +, /, and =";
            invalid("the secret access key of", rule)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::manager;
    use super::*;

    #[test]
    fn generated_credentials_meet_kms_requirements() {
        let first = ProxyCredential::generate(&Random::system()).unwrap();
        first.check().unwrap();
        assert_ne!(first.access_key_id, ProxyCredential::generate(&Random::system()).unwrap().access_key_id);
        let shown = format!("{first:?}");
        assert!(!shown.contains(first.secret_access_key.expose()), "{shown}");
        for (id, secret) in [("SHORT", first.secret_access_key.expose()), (&first.access_key_id, "short"), ("", "")] {
            let credential = ProxyCredential {
                access_key_id: id.to_owned(),
                secret_access_key: SecretString::new(secret.to_owned()),
            };
            let error = manager().create_partition("other", &credential).unwrap_err();
            assert!(matches!(error, KeyManagerError::Invalid { .. }), "{error}");
            assert!(secret.is_empty() || !error.to_string().contains(secret), "{error}");
        }
    }
}
