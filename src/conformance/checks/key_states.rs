//! Keys that are disabled or don't allow every usage.

use futures_util::FutureExt as _;

use super::section::{CDIV, ERRORS, METADATA};
use crate::conformance::probe::{Probe, ProbedKey};
use crate::conformance::response::CheckError;
use crate::conformance::{Check, CheckResult, must};
use crate::xks::wire::ErrorName::{InvalidCiphertextException, InvalidKeyUsageException, InvalidStateException};

const CDIV_ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

pub const CHECKS: &[Check] = &[
    must(
        "key-enabled",
        METADATA,
        "The proxy accepts Encrypt for each key with keyStatus ENABLED and keyUsage ENCRYPT.",
        |probe| enabled(probe).boxed(),
    ),
    must(
        "key-disabled",
        ERRORS,
        "The proxy rejects Encrypt and Decrypt for a disabled key with 400 InvalidStateException.",
        |probe| disabled(probe).boxed(),
    ),
    must(
        "key-encrypt-only",
        ERRORS,
        "The proxy accepts Encrypt for an encrypt-only key and rejects Decrypt with InvalidKeyUsageException.",
        |probe| encrypt_only(probe).boxed(),
    ),
    must(
        "key-encrypt-only-cdiv",
        CDIV,
        "The proxy rejects Encrypt with an integrity value for an encrypt-only key, because it requires DECRYPT.",
        |probe| encrypt_only_cdiv(probe).boxed(),
    ),
    must(
        "key-decrypt-only",
        ERRORS,
        "The proxy rejects Encrypt for a decrypt-only key with InvalidKeyUsageException.",
        |probe| decrypt_only(probe).boxed(),
    ),
];

fn key_with_only_usage(probe: &Probe, usage: &str, excluded_usage: &str) -> Result<String, CheckError> {
    let description = format!("an enabled AES_256 key that allows {usage} but not {excluded_usage}");
    probe.find_key(&description, |key| key.is_enabled() && key.has_usage(usage) && !key.has_usage(excluded_usage))
}

async fn enabled(probe: &mut Probe) -> CheckResult {
    let keys: Vec<_> = probe.keys.iter().filter(|key| key.is_enabled() && key.has_usage("ENCRYPT")).cloned().collect();
    for key in keys {
        let request = probe.encrypt_request(&key.id).without_member(CDIV_ALGORITHM);
        probe.send(&request).await?.success_body().map_err(|error| error.with_context(&key.id))?;
    }
    probe
        .find_key("an enabled AES_256 key that allows ENCRYPT", |key| key.is_enabled() && key.has_usage("ENCRYPT"))
        .map(drop)
}

async fn disabled(probe: &mut Probe) -> CheckResult {
    let key = probe.find_key("a disabled AES_256 key", ProbedKey::is_disabled)?;
    let request = probe.encrypt_request(&key);
    probe.send(&request).await?.ensure_error(&[InvalidStateException])?;
    // The ciphertext is from another key, but the proxy must check the key state first.
    let (_, encrypted) = probe.encrypt_sample().await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidStateException])
}

async fn encrypt_only(probe: &mut Probe) -> CheckResult {
    let key = key_with_only_usage(probe, "ENCRYPT", "DECRYPT")?;
    let request = probe.encrypt_request(&key).without_member(CDIV_ALGORITHM);
    let encrypted = probe.send_encrypt(&request).await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidKeyUsageException])
}

async fn encrypt_only_cdiv(probe: &mut Probe) -> CheckResult {
    let key = key_with_only_usage(probe, "ENCRYPT", "DECRYPT")?;
    let request = probe.encrypt_request(&key);
    probe.send(&request).await?.ensure_error(&[InvalidKeyUsageException])
}

async fn decrypt_only(probe: &mut Probe) -> CheckResult {
    let key = key_with_only_usage(probe, "DECRYPT", "ENCRYPT")?;
    let request = probe.encrypt_request(&key);
    probe.send(&request).await?.ensure_error(&[InvalidKeyUsageException])?;
    // The key allows DECRYPT, so the proxy rejects the ciphertext of another key as invalid.
    let (_, encrypted) = probe.encrypt_sample().await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidCiphertextException])
}
