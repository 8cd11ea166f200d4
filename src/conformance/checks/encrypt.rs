//! Encrypt.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::section::{CDIV, ENCRYPT, ERRORS, FIELDS, OPERATIONS};
use crate::conformance::answer::fail;
use crate::conformance::ask::Ask;
use crate::conformance::probe::{PLAINTEXT, Probe, Sealed};
use crate::conformance::{Check, Verdict, must, should};
use crate::xks::wire::ErrorName::{self, KeyNotFoundException, UnsupportedOperationException, ValidationException};
use crate::xks::wire::{MAX_CIPHERTEXT_METADATA, TAG_LENGTH, ciphertext_data_integrity_value};

/// The most bytes of plaintext and of additional authenticated data that each proxy takes.
pub const LARGEST: (usize, usize) = (4300, 8192);
const ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

pub const CHECKS: &[Check] = &[
    must("encrypt-ciphertext", ENCRYPT, "The ciphertext is as long as the plaintext: the tag stands apart.", |probe| {
        sized(probe, |sealed| (sealed.ciphertext.len(), sealed.ciphertext.len() == PLAINTEXT.len())).boxed()
    }),
    must("encrypt-iv", ENCRYPT, "The initialization vector has 12 or 16 bytes.", |probe| {
        sized(probe, |sealed| (sealed.iv.len(), matches!(sealed.iv.len(), 12 | 16))).boxed()
    }),
    must("encrypt-tag", ENCRYPT, "The authentication tag has 16 bytes.", |probe| {
        sized(probe, |sealed| (sealed.tag.len(), sealed.tag.len() == TAG_LENGTH)).boxed()
    }),
    must("encrypt-metadata", ENCRYPT, "`ciphertextMetadata` has 20 bytes at most.", |probe| {
        sized(probe, |sealed| {
            let size = sealed.metadata.as_ref().map_or(0, Vec::len);
            (size, size <= MAX_CIPHERTEXT_METADATA)
        })
        .boxed()
    }),
    must(
        "encrypt-iv-fresh",
        ENCRYPT,
        "No initialization vector is used twice, also for the same plaintext.",
        |probe| fresh(probe).boxed(),
    ),
    must("encrypt-cdiv", CDIV, "The integrity value is SHA-256 over AAD, metadata, IV, ciphertext and tag.", |probe| {
        cdiv(probe, |ask| ask).boxed()
    }),
    must("encrypt-cdiv-without-aad", CDIV, "Without AAD the integrity value is over the rest.", |probe| {
        cdiv(probe, |ask| ask.without("/additionalAuthenticatedData")).boxed()
    }),
    should(
        "encrypt-cdiv-unasked",
        ENCRYPT,
        "There is no integrity value where none was asked for, not even null.",
        |probe| unasked(probe).boxed(),
    ),
    should(
        "encrypt-cdiv-algorithm",
        ENCRYPT,
        "Another algorithm than SHA_256 for the integrity value is refused.",
        |probe| {
            refused(probe, |ask| ask.with(ALGORITHM, "SHA_1"), &[ValidationException, UnsupportedOperationException])
                .boxed()
        },
    ),
    must("encrypt-plaintext-4300", ENCRYPT, "4,300 bytes of plaintext are encrypted.", |probe| {
        sealed_as(probe, |ask| ask.with_bytes("/plaintext", &[7; LARGEST.0])).boxed()
    }),
    must("encrypt-aad-8192", ENCRYPT, "8,192 bytes of additional authenticated data are taken.", |probe| {
        sealed_as(probe, |ask| ask.with_bytes("/additionalAuthenticatedData", &[7; LARGEST.1])).boxed()
    }),
    should(
        "encrypt-too-long",
        ERRORS,
        "A plaintext of 65,536 bytes is encrypted, or refused by name as too long.",
        |probe| too_long(probe).boxed(),
    ),
    should("encrypt-empty-plaintext", ENCRYPT, "An empty plaintext is one.", |probe| {
        sealed_as(probe, |ask| ask.with("/plaintext", "")).boxed()
    }),
    should("encrypt-null", ENCRYPT, "An optional field that is null is as good as absent.", |probe| {
        null(probe).boxed()
    }),
    must("encrypt-operations", ENCRYPT, "Each operation of KMS that encrypts may ask.", |probe| {
        operations(probe, &["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"]).boxed()
    }),
    must(
        "encrypt-unknown-operation",
        ENCRYPT,
        "A kmsOperation that there isn't yet is not refused as invalid.",
        |probe| operations(probe, &["BulkEncrypt"]).boxed(),
    ),
    must("encrypt-long-arns", OPERATIONS, "ARNs may have 2,048 characters.", |probe| {
        allowed_as(probe, |ask| {
            let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{}", "k".repeat(2009));
            ask.with("/requestMetadata/kmsKeyArn", arn).with("/requestMetadata/awsPrincipalArn", "a".repeat(2048))
        })
        .boxed()
    }),
    must("encrypt-request-id", ENCRYPT, "`kmsRequestId` is opaque: one that is no UUID is as good.", |probe| {
        sealed_as(probe, |ask| ask.with("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
    }),
    must("encrypt-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        sealed_as(probe, |ask| ask.with("/requestMetadata/sourceIdentity", "x").with("/later", json!({ "a": [1] })))
            .boxed()
    }),
    must(
        "encrypt-missing-fields",
        ERRORS,
        "What lacks a plaintext or an algorithm is refused with ValidationException.",
        |probe| missing(probe).boxed(),
    ),
    must("encrypt-algorithm", ENCRYPT, "Another encryptionAlgorithm than AES_GCM is refused.", |probe| {
        let names = &[ValidationException, UnsupportedOperationException];
        refused(probe, |ask| ask.with("/encryptionAlgorithm", "AES_CBC"), names).boxed()
    }),
    should(
        "encrypt-base64",
        ENCRYPT,
        "Base64 is the standard one with padding; URL-safe, unpadded or broken text is refused.",
        |probe| strict_base64(probe).boxed(),
    ),
    must("encrypt-unknown-key", ERRORS, "An unknown key is refused with 404 KeyNotFoundException.", |probe| {
        unknown_key(probe).boxed()
    }),
];

async fn sealed_as(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let key = probe.usable_key()?;
    let ask = how(probe.encrypt(&key));
    probe.sealed(&ask).await.map(drop)
}

async fn allowed_as(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let key = probe.usable_key()?;
    let ask = how(probe.encrypt(&key));
    probe.send(&ask).await?.allowed().map(drop)
}

async fn refused(probe: &mut Probe, how: fn(Ask) -> Ask, names: &[ErrorName]) -> Verdict {
    let key = probe.usable_key()?;
    let ask = how(probe.encrypt(&key));
    probe.send(&ask).await?.refused(names)
}

async fn sized(probe: &mut Probe, measure: fn(&Sealed) -> (usize, bool)) -> Verdict {
    let (_, sealed) = probe.seal().await?;
    let (size, is_right) = measure(&sealed);
    if is_right { Ok(()) } else { fail(format!("it has {size} bytes")) }
}

async fn fresh(probe: &mut Probe) -> Verdict {
    let mut seen = BTreeSet::new();
    for _ in 0..16 {
        if !seen.insert(probe.seal().await?.1.iv) {
            return fail("two encryptions have the same: whoever sees both can read and forge");
        }
    }
    Ok(())
}

async fn cdiv(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let key = probe.usable_key()?;
    let ask = how(probe.encrypt(&key));
    let sealed = probe.sealed(&ask).await?;
    let Some(value) = &sealed.cdiv else { return fail("ciphertextDataIntegrityValue is missing") };
    let or_nothing = |bytes: &Option<Vec<u8>>| bytes.clone().unwrap_or_default();
    let (aad, metadata) = (or_nothing(&sealed.aad), or_nothing(&sealed.metadata));
    let expected = ciphertext_data_integrity_value(&aad, &metadata, &sealed.iv, &sealed.ciphertext, &sealed.tag);
    if value[..] == expected { Ok(()) } else { fail("it is another value: KMS would take the ciphertext for damaged") }
}

async fn unasked(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    let ask = probe.encrypt(&key).without(ALGORITHM);
    let body = probe.send(&ask).await?.success()?;
    match body.get("ciphertextDataIntegrityValue") {
        None => Ok(()),
        Some(value) => fail(format!("it is {value}")),
    }
}

async fn too_long(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    let ask = probe.encrypt(&key).with_bytes("/plaintext", &vec![7; 65_536]).but(|ask| ask.is_of_kms = false);
    // Who refuses early may close while the rest is on its way.
    let Ok(answer) = probe.send(&ask).await else { return Ok(()) };
    if answer.status == http::StatusCode::OK || answer.status == http::StatusCode::PAYLOAD_TOO_LARGE {
        return Ok(());
    }
    answer.refused(&[UnsupportedOperationException, ValidationException])
}

async fn null(probe: &mut Probe) -> Verdict {
    for pointer in
        ["/requestMetadata/awsSourceVpc", "/requestMetadata/kmsViaService", "/additionalAuthenticatedData", ALGORITHM]
    {
        let key = probe.usable_key()?;
        let ask = probe.encrypt(&key).with(pointer, Value::Null);
        probe.send(&ask).await?.success().map_err(|stop| stop.at(pointer.trim_start_matches('/')))?;
    }
    Ok(())
}

async fn operations(probe: &mut Probe, names: &[&str]) -> Verdict {
    let key = probe.usable_key()?;
    for name in names {
        let ask = probe.encrypt(&key).with("/requestMetadata/kmsOperation", *name);
        probe.send(&ask).await?.allowed().map_err(|stop| stop.at(name))?;
    }
    Ok(())
}

async fn missing(probe: &mut Probe) -> Verdict {
    for name in ["plaintext", "encryptionAlgorithm"] {
        let key = probe.usable_key()?;
        let ask = probe.encrypt(&key).without(&format!("/{name}"));
        let answer = probe.send(&ask).await?;
        answer.refused(&[ValidationException]).map_err(|stop| stop.at(&format!("without {name}")))?;
    }
    Ok(())
}

async fn strict_base64(probe: &mut Probe) -> Verdict {
    for text in ["QQ", "-_8=", "QR==", "QQ==\n", "Q*=="] {
        let key = probe.usable_key()?;
        let ask = probe.encrypt(&key).with("/plaintext", text);
        let answer = probe.send(&ask).await?;
        answer.refused(&[ValidationException]).map_err(|stop| stop.at(&format!("plaintext {text:?}")))?;
    }
    Ok(())
}

async fn unknown_key(probe: &mut Probe) -> Verdict {
    let id = format!("none-{}", probe.run_id());
    let ask = probe.encrypt(&id);
    probe.send(&ask).await?.refused(&[KeyNotFoundException])
}
