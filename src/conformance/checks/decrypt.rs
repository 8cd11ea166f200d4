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
    must(
        "decrypt-round-trip",
        DECRYPT,
        "The proxy decrypts a ciphertext from Encrypt to the original plaintext.",
        |probe| round_trip(probe).boxed(),
    ),
    must("decrypt-without-aad", DECRYPT, "The proxy decrypts a ciphertext that was encrypted without AAD.", |probe| {
        without_aad(probe).boxed()
    }),
    must(
        "decrypt-largest",
        DECRYPT,
        "The proxy decrypts 4,300 bytes with 8,192 bytes of additional authenticated data (AAD).",
        |probe| largest(probe).boxed(),
    ),
    should(
        "decrypt-empty-aad",
        DECRYPT,
        "The proxy decrypts a ciphertext that was encrypted with empty AAD.",
        |probe| empty_aad(probe).boxed(),
    ),
    must(
        "decrypt-ciphertext-changed",
        DECRYPT,
        "The proxy rejects a changed ciphertext with 400 InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.ciphertext)).boxed(),
    ),
    must(
        "decrypt-iv-changed",
        DECRYPT,
        "The proxy rejects a changed initialization vector with InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.iv)).boxed(),
    ),
    must(
        "decrypt-tag-changed",
        DECRYPT,
        "The proxy rejects a changed authentication tag with InvalidCiphertextException.",
        |probe| ensure_tampering_rejected(probe, |encrypted| flip_bit(&mut encrypted.tag)).boxed(),
    ),
    must("decrypt-aad-changed", DECRYPT, "The proxy rejects changed AAD with InvalidCiphertextException.", |probe| {
        ensure_tampering_rejected(probe, |encrypted| encrypted.aad.as_mut().is_some_and(|bytes| flip_bit(bytes)))
            .boxed()
    }),
    must("decrypt-aad-lost", DECRYPT, "The proxy rejects missing AAD with InvalidCiphertextException.", |probe| {
        ensure_tampering_rejected(probe, |encrypted| encrypted.aad.take().is_some()).boxed()
    }),
    must(
        "decrypt-metadata-changed",
        DECRYPT,
        "The proxy rejects changed ciphertextMetadata, because it is bound to the ciphertext.",
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
        "The proxy rejects missing ciphertextMetadata, because it is bound to the ciphertext.",
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
        "The proxy rejects bytes added to ciphertextMetadata, because its length is authenticated.",
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
    must("decrypt-metadata-long", DECRYPT, "The proxy rejects more than 20 bytes of ciphertextMetadata.", |probe| {
        ensure_tampering_rejected(probe, |encrypted| {
            encrypted.metadata.get_or_insert_default().resize(MAX_CIPHERTEXT_METADATA + 1, 0);
            true
        })
        .boxed()
    }),
    must(
        "decrypt-boundary",
        ENCRYPT,
        "The proxy rejects bytes moved between AAD and ciphertextMetadata, because their lengths are authenticated.",
        |probe| aad_metadata_boundary(probe).boxed(),
    ),
    must(
        "decrypt-tag-length",
        DECRYPT,
        "The proxy rejects a tag that isn't 16 bytes long, even if the ciphertext and tag are correct when joined.",
        |probe| tag_length(probe).boxed(),
    ),
    must(
        "decrypt-iv-length",
        DECRYPT,
        "The proxy rejects an IV that isn't 12 or 16 bytes long, and a wrong 16-byte IV doesn't cause a server error.",
        |probe| iv_length(probe).boxed(),
    ),
    must("decrypt-other-key", DECRYPT, "The proxy rejects a ciphertext from another key.", |probe| {
        other_key(probe).boxed()
    }),
    must("decrypt-missing-fields", ERRORS, "The proxy returns 400 for a request without a required field.", |probe| {
        missing_fields(probe).boxed()
    }),
    must(
        "decrypt-operations",
        DECRYPT,
        "The proxy accepts Decrypt, ReEncrypt, and unknown values as kmsOperation.",
        |probe| operations(probe).boxed(),
    ),
    must(
        "decrypt-extra-fields",
        FIELDS,
        "The proxy ignores unknown fields, which later versions of the API can add.",
        |probe| extra_fields(probe).boxed(),
    ),
    must(
        "decrypt-unknown-key",
        ERRORS,
        "The proxy rejects an unknown external key ID with 404 KeyNotFoundException.",
        |probe| unknown_key(probe).boxed(),
    ),
];

/// Flips the lowest bit of the first byte. Returns whether there was a byte.
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
    probe.note(format!("response when AAD is omitted instead of empty: {}", response.outcome()));
    Ok(())
}

async fn ensure_rejected(probe: &mut Probe, key: &str, encrypted: &EncryptedData) -> CheckResult {
    let request = probe.decrypt_request(key, encrypted);
    probe.send(&request).await?.ensure_error(&[InvalidCiphertextException])
}

/// Checks that the proxy rejects a malformed request with any of the error names that fit.
async fn ensure_rejected_as_malformed(probe: &mut Probe, key: &str, encrypted: &EncryptedData) -> CheckResult {
    let request = probe.decrypt_request(key, encrypted);
    let names = [InvalidCiphertextException, ValidationException, UnsupportedOperationException];
    probe.send(&request).await?.ensure_error(&names)
}

async fn ensure_tampering_rejected(probe: &mut Probe, change: fn(&mut EncryptedData) -> bool) -> CheckResult {
    let (key, mut encrypted) = probe.encrypt_sample().await?;
    if !change(&mut encrypted) {
        return skip("Encrypt returns no ciphertextMetadata that this check can change");
    }
    if encrypted.metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_CIPHERTEXT_METADATA) {
        return ensure_rejected_as_malformed(probe, &key, &encrypted).await;
    }
    ensure_rejected(probe, &key, &encrypted).await
}

async fn aad_metadata_boundary(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    // Send the metadata as AAD.
    let request = probe.encrypt_request(&key).without_member("/additionalAuthenticatedData");
    let encrypted = probe.send_encrypt(&request).await?;
    let Some(metadata) = encrypted.metadata.clone().filter(|metadata| !metadata.is_empty()) else {
        return skip("Encrypt returns no ciphertextMetadata");
    };
    ensure_rejected(probe, &key, &EncryptedData { aad: Some(metadata), metadata: None, ..encrypted }).await?;
    // Move the boundary between AAD and metadata without changing the joined bytes.
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
        let result = ensure_rejected_as_malformed(probe, &key, &moved).await;
        result.map_err(|error| error.with_context(&format!("a tag of {} bytes", moved.tag.len())))?;
    }
    for size in [4, 12, 15] {
        let truncated = EncryptedData { tag: encrypted.tag.iter().copied().take(size).collect(), ..encrypted.clone() };
        let result = ensure_rejected_as_malformed(probe, &key, &truncated).await;
        result.map_err(|error| error.with_context(&format!("a tag truncated to {size} bytes")))?;
    }
    Ok(())
}

async fn iv_length(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for size in [16, 13, 0] {
        let mut iv = encrypted.iv.clone();
        flip_bit(&mut iv);
        iv.resize(size, 0);
        let result = ensure_rejected_as_malformed(probe, &key, &EncryptedData { iv, ..encrypted.clone() }).await;
        result.map_err(|error| error.with_context(&format!("an IV of {size} bytes")))?;
    }
    Ok(())
}

async fn other_key(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let other = probe.find_key("another enabled AES_256 key that allows DECRYPT", |other| {
        other.id != key && other.is_enabled() && ProbedKey::has_usage(other, "DECRYPT")
    })?;
    ensure_rejected(probe, &other, &encrypted).await
}

async fn missing_fields(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for name in ["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"] {
        let request = probe.decrypt_request(&key, &encrypted).without_member(&format!("/{name}"));
        let result = probe.send(&request).await?.ensure_error(&[ValidationException, InvalidCiphertextException]);
        result.map_err(|error| error.with_context(&format!("without {name}")))?;
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
