//! Keys that are disabled, or not for everything.

use futures_util::FutureExt as _;

use super::section::{CDIV, ERRORS, METADATA};
use crate::conformance::probe::{Probe, ProbedKey};
use crate::conformance::response::CheckError;
use crate::conformance::{Check, CheckResult, must};
use crate::xks::wire::ErrorName::{InvalidCiphertextException, InvalidKeyUsageException, InvalidStateException};

const CDIV_ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

pub const CHECKS: &[Check] = &[
    must("key-enabled", METADATA, "A key that is told to be ENABLED and for ENCRYPT encrypts.", |probe| {
        enabled(probe).boxed()
    }),
    must("key-disabled", ERRORS, "A disabled key neither encrypts nor decrypts: 400 InvalidStateException.", |probe| {
        disabled(probe).boxed()
    }),
    must(
        "key-encrypt-only",
        ERRORS,
        "A key for ENCRYPT alone encrypts, and refuses to decrypt: InvalidKeyUsageException.",
        |probe| encrypt_only(probe).boxed(),
    ),
    must(
        "key-encrypt-only-cdiv",
        CDIV,
        "A key for ENCRYPT alone refuses to give an integrity value, for which it must decrypt.",
        |probe| encrypt_only_cdiv(probe).boxed(),
    ),
    must(
        "key-decrypt-only",
        ERRORS,
        "A key for DECRYPT alone refuses to encrypt: InvalidKeyUsageException.",
        |probe| decrypt_only(probe).boxed(),
    ),
];

fn key_with_only_usage(probe: &Probe, usage: &str, excluded_usage: &str) -> Result<String, CheckError> {
    let how = format!("ENABLED, AES_256 and for {usage} but not {excluded_usage}");
    probe.find_key(&how, |key| key.is_enabled() && key.has_usage(usage) && !key.has_usage(excluded_usage))
}

async fn enabled(probe: &mut Probe) -> CheckResult {
    let keys: Vec<_> = probe.keys.iter().filter(|key| key.is_enabled() && key.has_usage("ENCRYPT")).cloned().collect();
    for key in keys {
        let request = probe.encrypt_request(&key.id).without_member(CDIV_ALGORITHM);
        probe.send(&request).await?.success_body().map_err(|error| error.with_context(&key.id))?;
    }
    probe.find_key("ENABLED, AES_256 and for ENCRYPT", |key| key.is_enabled() && key.has_usage("ENCRYPT")).map(drop)
}

async fn disabled(probe: &mut Probe) -> CheckResult {
    let key = probe.find_key("DISABLED", ProbedKey::is_disabled)?;
    let request = probe.encrypt_request(&key);
    probe.send(&request).await?.ensure_error(&[InvalidStateException])?;
    // It is no ciphertext of the disabled key, which nobody is to find out.
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
    // Decrypting is allowed, so another key's ciphertext is refused as a ciphertext.
    let (_, encrypted) = probe.encrypt_sample().await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidCiphertextException])
}
