//! Decrypt.

use futures_util::FutureExt as _;
use serde_json::json;

use super::encrypt::MAX_PLAINTEXT_AND_AAD;
use super::section::{DECRYPT, ENCRYPT, ERRORS, FIELDS};
use crate::conformance::probe::{EncryptedData, PLAINTEXT, Probe, ProbedKey};
use crate::conformance::response::skip;
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::{
    InvalidCiphertextException, KeyNotFoundException, UnsupportedOperationException, ValidationException,
};
use crate::xks::wire::MAX_CIPHERTEXT_METADATA;

pub const CHECKS: &[Check] = &[
    must("decrypt-round-trip", DECRYPT, "What Encrypt gave is decrypted to the plaintext it was made of.", |probe| {
        round_trip(probe).boxed()
    }),
    must("decrypt-without-aad", DECRYPT, "What was encrypted without AAD is decrypted without it.", |probe| {
        without_aad(probe).boxed()
    }),
    must(
        "decrypt-largest",
        DECRYPT,
        "4,300 bytes come back, with 8,192 bytes of additional authenticated data.",
        |probe| largest(probe).boxed(),
    ),
    should("decrypt-empty-aad", DECRYPT, "What was encrypted with empty AAD is decrypted with empty AAD.", |probe| {
        empty_aad(probe).boxed()
    }),
    must(
        "decrypt-ciphertext-changed",
        DECRYPT,
        "A changed ciphertext is refused with 400 InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.ciphertext)).boxed(),
    ),
    must(
        "decrypt-iv-changed",
        DECRYPT,
        "A changed initialization vector is refused with InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.iv)).boxed(),
    ),
    must(
        "decrypt-tag-changed",
        DECRYPT,
        "A changed authentication tag is refused with InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.tag)).boxed(),
    ),
    must(
        "decrypt-aad-changed",
        DECRYPT,
        "Changed additional authenticated data is refused with InvalidCiphertextException.",
        |probe| {
            ensure_tampering_rejected(probe, |encrypted| encrypted.aad.as_mut().is_some_and(|bytes| flip_bit(bytes)))
                .boxed()
        },
    ),
    must(
        "decrypt-aad-lost",
        DECRYPT,
        "Lost additional authenticated data is refused with InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| encrypted.aad.take().is_some()).boxed(),
    ),
    must(
        "decrypt-metadata-changed",
        DECRYPT,
        "Changed ciphertextMetadata is refused: it is bound to the ciphertext.",
        |probe| {
            ensure_tampering_rejected(probe, |encrypted| {
                encrypted.metadata.as_mut().is_some_and(|bytes| flip_bit(bytes))
            })
            .boxed()
        },
    ),
    must(
        "decrypt-metadata-lost",
        DECRYPT,
        "Lost ciphertextMetadata is refused: it is bound to the ciphertext.",
        |probe| {
            ensure_tampering_rejected(probe, |encrypted| {
                encrypted.metadata.take().is_some_and(|metadata| !metadata.is_empty())
            })
            .boxed()
        },
    ),
    must(
        "decrypt-metadata-added",
        DECRYPT,
        "Bytes added to ciphertextMetadata are refused: its length is bound, too.",
        |probe| {
            ensure_tampering_rejected(probe, |encrypted| match &mut encrypted.metadata {
                Some(metadata) if metadata.len() < MAX_CIPHERTEXT_METADATA => {
                    metadata.push(0);
                    true
                }
                _ => false,
            })
            .boxed()
        },
    ),
    must("decrypt-metadata-long", DECRYPT, "More than 20 bytes of ciphertextMetadata are refused.", |probe| {
        ensure_tampering_rejected(probe, |encrypted| {
            encrypted.metadata.get_or_insert_default().resize(MAX_CIPHERTEXT_METADATA + 1, 0);
            true
        })
        .boxed()
    }),
    must(
        "decrypt-boundary",
        ENCRYPT,
        "Bytes moved between AAD and ciphertextMetadata are refused: their lengths are bound.",
        |probe| aad_metadata_boundary(probe).boxed(),
    ),
    must(
        "decrypt-tag-length",
        DECRYPT,
        "A tag of other than 16 bytes is refused, also when ciphertext and tag together are right.",
        |probe| tag_length(probe).boxed(),
    ),
    must(
        "decrypt-iv-length",
        DECRYPT,
        "An IV of neither 12 nor 16 bytes is refused; a wrong one of 16 bytes is no server error.",
        |probe| iv_length(probe).boxed(),
    ),
    must("decrypt-other-key", DECRYPT, "What another key has encrypted is refused.", |probe| other_key(probe).boxed()),
    must("decrypt-missing-fields", ERRORS, "What lacks a required field is refused with 400.", |probe| {
        missing_fields(probe).boxed()
    }),
    must("decrypt-operations", DECRYPT, "Decrypt, ReEncrypt and operations that there aren't yet may ask.", |probe| {
        operations(probe).boxed()
    }),
    must("decrypt-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        extra_fields(probe).boxed()
    }),
    must("decrypt-unknown-key", ERRORS, "An unknown key is refused with 404 KeyNotFoundException.", |probe| {
        unknown_key(probe).boxed()
    }),
];

/// Flips a bit; whether there was one.
fn flip_bit(bytes: &mut [u8]) -> bool {
    bytes.first_mut().map(|byte| *byte ^= 1).is_some()
}

async fn round_trip(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.ensure_decrypts_to(&request, PLAINTEXT).await
}

async fn without_aad(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe.encrypt_request(&key).without_member("/additionalAuthenticatedData");
    let encrypted = probe.send_encrypt(&request).await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.ensure_decrypts_to(&request, PLAINTEXT).await
}

async fn largest(probe: &mut Probe) -> CheckResult {
    let (plaintext, aad) = ([7; MAX_PLAINTEXT_AND_AAD.0], [8; MAX_PLAINTEXT_AND_AAD.1]);
    let key = probe.usable_key()?;
    let request = probe.encrypt_request(&key).with_bytes("/plaintext", &plaintext);
    let encrypted = probe.send_encrypt(&request.with_bytes("/additionalAuthenticatedData", &aad)).await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.ensure_decrypts_to(&request, &plaintext).await
}

async fn empty_aad(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe.encrypt_request(&key).with_member("/additionalAuthenticatedData", "");
    let encrypted = probe.send_encrypt(&request).await?;
    let request = probe.decrypt_request(&key, &encrypted);
    probe.ensure_decrypts_to(&request, PLAINTEXT).await?;
    let absent = probe.decrypt_request(&key, &EncryptedData { aad: None, ..encrypted });
    let response = probe.send(&absent).await?;
    probe.note(format!("with absent AAD in place of the empty one: {}", response.outcome()));
    Ok(())
}

async fn ensure_rejected(probe: &mut Probe, key: &str, encrypted: &EncryptedData) -> CheckResult {
    let request = probe.decrypt_request(key, encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidCiphertextException])
}

/// Refused because of its form, which a proxy may call by either name.
async fn ensure_rejected_as_malformed(probe: &mut Probe, key: &str, encrypted: &EncryptedData) -> CheckResult {
    let request = probe.decrypt_request(key, encrypted);
    let names = [InvalidCiphertextException, ValidationException, UnsupportedOperationException];
    probe.send(&request).await?.ensure_error(&names)
}

async fn ensure_tampering_rejected(probe: &mut Probe, change: fn(&mut EncryptedData) -> bool) -> CheckResult {
    let (key, mut encrypted) = probe.encrypt_sample().await?;
    if !change(&mut encrypted) {
        return skip("Encrypt gives no ciphertextMetadata, or none with room for it");
    }
    if encrypted.metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_CIPHERTEXT_METADATA) {
        return ensure_rejected_as_malformed(probe, &key, &encrypted).await;
    }
    ensure_rejected(probe, &key, &encrypted).await
}

async fn aad_metadata_boundary(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    // What was metadata is shown as AAD.
    let request = probe.encrypt_request(&key).without_member("/additionalAuthenticatedData");
    let encrypted = probe.send_encrypt(&request).await?;
    let Some(metadata) = encrypted.metadata.clone().filter(|metadata| !metadata.is_empty()) else {
        return skip("Encrypt gives no ciphertextMetadata");
    };
    ensure_rejected(probe, &key, &EncryptedData { aad: Some(metadata), metadata: None, ..encrypted }).await?;
    // AAD and metadata are the same bytes in a row, parted elsewhere.
    let (_, encrypted) = probe.encrypt_sample().await?;
    let (aad, metadata) = (encrypted.aad.clone().unwrap_or_default(), encrypted.metadata.clone().unwrap_or_default());
    let joined = [aad.as_slice(), &metadata].concat();
    for at in [aad.len().saturating_sub(1), aad.len() + 1, joined.len()] {
        let Some((aad, metadata)) = joined.split_at_checked(at) else { continue };
        if metadata.len() <= MAX_CIPHERTEXT_METADATA {
            let metadata = (!metadata.is_empty()).then(|| metadata.to_vec());
            ensure_rejected(probe, &key, &EncryptedData { aad: Some(aad.to_vec()), metadata, ..encrypted.clone() })
                .await?;
        }
    }
    Ok(())
}

async fn tag_length(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let joined = [encrypted.ciphertext.as_slice(), &encrypted.tag].concat();
    let length = encrypted.ciphertext.len();
    for at in [length + 4, length.saturating_sub(4), joined.len()] {
        let Some((ciphertext, tag)) = joined.split_at_checked(at) else { continue };
        let moved = EncryptedData { ciphertext: ciphertext.to_vec(), tag: tag.to_vec(), ..encrypted.clone() };
        let refused = ensure_rejected_as_malformed(probe, &key, &moved).await;
        refused.map_err(|error| error.with_context(&format!("a tag of {} bytes", moved.tag.len())))?;
    }
    for size in [4, 12, 15] {
        let cut = EncryptedData { tag: encrypted.tag.iter().copied().take(size).collect(), ..encrypted.clone() };
        let refused = ensure_rejected_as_malformed(probe, &key, &cut).await;
        refused.map_err(|error| error.with_context(&format!("a tag cut to {size} bytes")))?;
    }
    Ok(())
}

async fn iv_length(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for size in [16, 13, 0] {
        let mut iv = encrypted.iv.clone();
        flip_bit(&mut iv);
        iv.resize(size, 0);
        let refused = ensure_rejected_as_malformed(probe, &key, &EncryptedData { iv, ..encrypted.clone() }).await;
        refused.map_err(|error| error.with_context(&format!("an IV of {size} bytes")))?;
    }
    Ok(())
}

async fn other_key(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let other = probe.find_key("another one for DECRYPT", |other| {
        other.id != key && other.is_enabled() && ProbedKey::has_usage(other, "DECRYPT")
    })?;
    ensure_rejected(probe, &other, &encrypted).await
}

async fn missing_fields(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for name in ["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"] {
        let request = probe.decrypt_request(&key, &encrypted).without_member(&format!("/{name}"));
        let refused = probe.send(&request).await?.ensure_error(&[ValidationException, InvalidCiphertextException]);
        refused.map_err(|error| error.with_context(&format!("without {name}")))?;
    }
    Ok(())
}

async fn operations(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for name in ["Decrypt", "ReEncrypt", "BulkDecrypt"] {
        let request = probe.decrypt_request(&key, &encrypted).with_member("/requestMetadata/kmsOperation", name);
        probe.send(&request).await?.allowed_body().map_err(|error| error.with_context(name))?;
    }
    Ok(())
}

async fn extra_fields(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let request = probe.decrypt_request(&key, &encrypted).with_member("/requestMetadata/sourceIdentity", "x");
    probe.ensure_decrypts_to(&request.with_member("/later", json!({ "a": [1] })), PLAINTEXT).await
}

async fn unknown_key(probe: &mut Probe) -> CheckResult {
    let (_, encrypted) = probe.encrypt_sample().await?;
    let id = format!("none-{}", probe.run_id());
    let request = probe.decrypt_request(&id, &encrypted);
    probe.send(&request).await?.ensure_error(&[KeyNotFoundException])
}
