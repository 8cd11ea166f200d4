//! Keys that are disabled, or not for everything.

use futures_util::FutureExt as _;

use super::section::{CDIV, ERRORS, METADATA};
use crate::conformance::answer::Stop;
use crate::conformance::probe::{ExternalKey, Probe};
use crate::conformance::{Check, Verdict, must};
use crate::xks::wire::ErrorName::{InvalidCiphertextException, InvalidKeyUsageException, InvalidStateException};

const ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

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

fn only(probe: &Probe, usage: &str, not: &str) -> Result<String, Stop> {
    let how = format!("ENABLED, AES_256 and for {usage} but not {not}");
    probe.key_that(&how, |key| key.is_enabled() && key.has_usage(usage) && !key.has_usage(not))
}

async fn enabled(probe: &mut Probe) -> Verdict {
    let keys: Vec<_> = probe.keys.iter().filter(|key| key.is_enabled() && key.has_usage("ENCRYPT")).cloned().collect();
    for key in keys {
        let ask = probe.encrypt(&key.id).without(ALGORITHM);
        probe.send(&ask).await?.success().map_err(|stop| stop.at(&key.id))?;
    }
    probe.key_that("ENABLED, AES_256 and for ENCRYPT", |key| key.is_enabled() && key.has_usage("ENCRYPT")).map(drop)
}

async fn disabled(probe: &mut Probe) -> Verdict {
    let key = probe.key_that("DISABLED", ExternalKey::is_disabled)?;
    let ask = probe.encrypt(&key);
    probe.send(&ask).await?.refused(&[InvalidStateException])?;
    // It is no ciphertext of the disabled key, which nobody is to find out.
    let (_, sealed) = probe.seal().await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.send(&ask).await?.refused(&[InvalidStateException])
}

async fn encrypt_only(probe: &mut Probe) -> Verdict {
    let key = only(probe, "ENCRYPT", "DECRYPT")?;
    let ask = probe.encrypt(&key).without(ALGORITHM);
    let sealed = probe.sealed(&ask).await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.send(&ask).await?.refused(&[InvalidKeyUsageException])
}

async fn encrypt_only_cdiv(probe: &mut Probe) -> Verdict {
    let key = only(probe, "ENCRYPT", "DECRYPT")?;
    let ask = probe.encrypt(&key);
    probe.send(&ask).await?.refused(&[InvalidKeyUsageException])
}

async fn decrypt_only(probe: &mut Probe) -> Verdict {
    let key = only(probe, "DECRYPT", "ENCRYPT")?;
    let ask = probe.encrypt(&key);
    probe.send(&ask).await?.refused(&[InvalidKeyUsageException])?;
    // Decrypting is allowed, so another key's ciphertext is refused as a ciphertext.
    let (_, sealed) = probe.seal().await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.send(&ask).await?.refused(&[InvalidCiphertextException])
}
