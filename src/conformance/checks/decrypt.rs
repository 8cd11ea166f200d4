//! Decrypt.

use futures_util::FutureExt as _;
use serde_json::json;

use super::encrypt::LARGEST;
use super::section::{DECRYPT, ENCRYPT, ERRORS, FIELDS};
use crate::conformance::answer::skip;
use crate::conformance::probe::{ExternalKey, PLAINTEXT, Probe, Sealed};
use crate::conformance::{Check, Verdict, must, should};
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
        |probe| changed(probe, |sealed| flip(&mut sealed.ciphertext)).boxed(),
    ),
    must(
        "decrypt-iv-changed",
        DECRYPT,
        "A changed initialization vector is refused with InvalidCiphertextException.",
        |probe| changed(probe, |sealed| flip(&mut sealed.iv)).boxed(),
    ),
    must(
        "decrypt-tag-changed",
        DECRYPT,
        "A changed authentication tag is refused with InvalidCiphertextException.",
        |probe| changed(probe, |sealed| flip(&mut sealed.tag)).boxed(),
    ),
    must(
        "decrypt-aad-changed",
        DECRYPT,
        "Changed additional authenticated data is refused with InvalidCiphertextException.",
        |probe| changed(probe, |sealed| sealed.aad.as_mut().is_some_and(|bytes| flip(bytes))).boxed(),
    ),
    must(
        "decrypt-aad-lost",
        DECRYPT,
        "Lost additional authenticated data is refused with InvalidCiphertextException.",
        |probe| changed(probe, |sealed| sealed.aad.take().is_some()).boxed(),
    ),
    must(
        "decrypt-metadata-changed",
        DECRYPT,
        "Changed ciphertextMetadata is refused: it is bound to the ciphertext.",
        |probe| changed(probe, |sealed| sealed.metadata.as_mut().is_some_and(|bytes| flip(bytes))).boxed(),
    ),
    must(
        "decrypt-metadata-lost",
        DECRYPT,
        "Lost ciphertextMetadata is refused: it is bound to the ciphertext.",
        |probe| changed(probe, |sealed| sealed.metadata.take().is_some_and(|metadata| !metadata.is_empty())).boxed(),
    ),
    must(
        "decrypt-metadata-added",
        DECRYPT,
        "Bytes added to ciphertextMetadata are refused: its length is bound, too.",
        |probe| {
            changed(probe, |sealed| match &mut sealed.metadata {
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
        changed(probe, |sealed| {
            sealed.metadata.get_or_insert_default().resize(MAX_CIPHERTEXT_METADATA + 1, 0);
            true
        })
        .boxed()
    }),
    must(
        "decrypt-boundary",
        ENCRYPT,
        "Bytes moved between AAD and ciphertextMetadata are refused: their lengths are bound.",
        |probe| boundary(probe).boxed(),
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
        missing(probe).boxed()
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
fn flip(bytes: &mut [u8]) -> bool {
    bytes.first_mut().map(|byte| *byte ^= 1).is_some()
}

async fn round_trip(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.opens(&ask, PLAINTEXT).await
}

async fn without_aad(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    let ask = probe.encrypt(&key).without("/additionalAuthenticatedData");
    let sealed = probe.sealed(&ask).await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.opens(&ask, PLAINTEXT).await
}

async fn largest(probe: &mut Probe) -> Verdict {
    let (plaintext, aad) = ([7; LARGEST.0], [8; LARGEST.1]);
    let key = probe.usable_key()?;
    let ask = probe.encrypt(&key).with_bytes("/plaintext", &plaintext);
    let sealed = probe.sealed(&ask.with_bytes("/additionalAuthenticatedData", &aad)).await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.opens(&ask, &plaintext).await
}

async fn empty_aad(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    let ask = probe.encrypt(&key).with("/additionalAuthenticatedData", "");
    let sealed = probe.sealed(&ask).await?;
    let ask = probe.decrypt(&key, &sealed);
    probe.opens(&ask, PLAINTEXT).await?;
    let absent = probe.decrypt(&key, &Sealed { aad: None, ..sealed });
    let answer = probe.send(&absent).await?;
    probe.note(format!("with absent AAD in place of the empty one: {}", answer.outcome()));
    Ok(())
}

async fn is_refused(probe: &mut Probe, key: &str, sealed: &Sealed) -> Verdict {
    let ask = probe.decrypt(key, sealed);
    probe.send(&ask).await?.refused(&[InvalidCiphertextException])
}

/// Refused because of its form, which a proxy may call by either name.
async fn is_malformed(probe: &mut Probe, key: &str, sealed: &Sealed) -> Verdict {
    let ask = probe.decrypt(key, sealed);
    let names = [InvalidCiphertextException, ValidationException, UnsupportedOperationException];
    probe.send(&ask).await?.refused(&names)
}

async fn changed(probe: &mut Probe, change: fn(&mut Sealed) -> bool) -> Verdict {
    let (key, mut sealed) = probe.seal().await?;
    if !change(&mut sealed) {
        return skip("Encrypt gives no ciphertextMetadata, or none with room for it");
    }
    if sealed.metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_CIPHERTEXT_METADATA) {
        return is_malformed(probe, &key, &sealed).await;
    }
    is_refused(probe, &key, &sealed).await
}

async fn boundary(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    // What was metadata is shown as AAD.
    let ask = probe.encrypt(&key).without("/additionalAuthenticatedData");
    let sealed = probe.sealed(&ask).await?;
    let Some(metadata) = sealed.metadata.clone().filter(|metadata| !metadata.is_empty()) else {
        return skip("Encrypt gives no ciphertextMetadata");
    };
    is_refused(probe, &key, &Sealed { aad: Some(metadata), metadata: None, ..sealed }).await?;
    // AAD and metadata are the same bytes in a row, parted elsewhere.
    let (_, sealed) = probe.seal().await?;
    let (aad, metadata) = (sealed.aad.clone().unwrap_or_default(), sealed.metadata.clone().unwrap_or_default());
    let row = [aad.as_slice(), &metadata].concat();
    for at in [aad.len().saturating_sub(1), aad.len() + 1, row.len()] {
        let Some((aad, metadata)) = row.split_at_checked(at) else { continue };
        if metadata.len() <= MAX_CIPHERTEXT_METADATA {
            let metadata = (!metadata.is_empty()).then(|| metadata.to_vec());
            is_refused(probe, &key, &Sealed { aad: Some(aad.to_vec()), metadata, ..sealed.clone() }).await?;
        }
    }
    Ok(())
}

async fn tag_length(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    let row = [sealed.ciphertext.as_slice(), &sealed.tag].concat();
    let length = sealed.ciphertext.len();
    for at in [length + 4, length.saturating_sub(4), row.len()] {
        let Some((ciphertext, tag)) = row.split_at_checked(at) else { continue };
        let moved = Sealed { ciphertext: ciphertext.to_vec(), tag: tag.to_vec(), ..sealed.clone() };
        let refused = is_malformed(probe, &key, &moved).await;
        refused.map_err(|stop| stop.at(&format!("a tag of {} bytes", moved.tag.len())))?;
    }
    for size in [4, 12, 15] {
        let cut = Sealed { tag: sealed.tag.iter().copied().take(size).collect(), ..sealed.clone() };
        let refused = is_malformed(probe, &key, &cut).await;
        refused.map_err(|stop| stop.at(&format!("a tag cut to {size} bytes")))?;
    }
    Ok(())
}

async fn iv_length(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    for size in [16, 13, 0] {
        let mut iv = sealed.iv.clone();
        flip(&mut iv);
        iv.resize(size, 0);
        let refused = is_malformed(probe, &key, &Sealed { iv, ..sealed.clone() }).await;
        refused.map_err(|stop| stop.at(&format!("an IV of {size} bytes")))?;
    }
    Ok(())
}

async fn other_key(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    let other = probe.key_that("another one for DECRYPT", |other| {
        other.id != key && other.is_enabled() && ExternalKey::has_usage(other, "DECRYPT")
    })?;
    is_refused(probe, &other, &sealed).await
}

async fn missing(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    for name in ["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"] {
        let ask = probe.decrypt(&key, &sealed).without(&format!("/{name}"));
        let refused = probe.send(&ask).await?.refused(&[ValidationException, InvalidCiphertextException]);
        refused.map_err(|stop| stop.at(&format!("without {name}")))?;
    }
    Ok(())
}

async fn operations(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    for name in ["Decrypt", "ReEncrypt", "BulkDecrypt"] {
        let ask = probe.decrypt(&key, &sealed).with("/requestMetadata/kmsOperation", name);
        probe.send(&ask).await?.allowed().map_err(|stop| stop.at(name))?;
    }
    Ok(())
}

async fn extra_fields(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    let ask = probe.decrypt(&key, &sealed).with("/requestMetadata/sourceIdentity", "x");
    probe.opens(&ask.with("/later", json!({ "a": [1] })), PLAINTEXT).await
}

async fn unknown_key(probe: &mut Probe) -> Verdict {
    let (_, sealed) = probe.seal().await?;
    let id = format!("none-{}", probe.run_id());
    let ask = probe.decrypt(&id, &sealed);
    probe.send(&ask).await?.refused(&[KeyNotFoundException])
}
