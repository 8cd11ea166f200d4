//! Encrypt.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::section::{CDIV, ENCRYPT, ERRORS, FIELDS, OPERATIONS};
use crate::conformance::probe::{EncryptedData, PLAINTEXT, Probe};
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::fail;
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::{self, KeyNotFoundException, UnsupportedOperationException, ValidationException};
use crate::xks::wire::{MAX_CIPHERTEXT_METADATA, TAG_LENGTH, ciphertext_data_integrity_value};

/// The most bytes of plaintext and of additional authenticated data that each proxy takes.
pub const MAX_PLAINTEXT_AND_AAD: (usize, usize) = (4300, 8192);
const CDIV_ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

pub const CHECKS: &[Check] = &[
    must("encrypt-ciphertext", ENCRYPT, "The ciphertext is as long as the plaintext: the tag stands apart.", |probe| {
        ensure_size(probe, |encrypted| (encrypted.ciphertext.len(), encrypted.ciphertext.len() == PLAINTEXT.len()))
            .boxed()
    }),
    must("encrypt-iv", ENCRYPT, "The initialization vector has 12 or 16 bytes.", |probe| {
        ensure_size(probe, |encrypted| (encrypted.iv.len(), matches!(encrypted.iv.len(), 12 | 16))).boxed()
    }),
    must("encrypt-tag", ENCRYPT, "The authentication tag has 16 bytes.", |probe| {
        ensure_size(probe, |encrypted| (encrypted.tag.len(), encrypted.tag.len() == TAG_LENGTH)).boxed()
    }),
    must("encrypt-metadata", ENCRYPT, "`ciphertextMetadata` has 20 bytes at most.", |probe| {
        ensure_size(probe, |encrypted| {
            let size = encrypted.metadata.as_ref().map_or(0, Vec::len);
            (size, size <= MAX_CIPHERTEXT_METADATA)
        })
        .boxed()
    }),
    must(
        "encrypt-iv-fresh",
        ENCRYPT,
        "No initialization vector is used twice, also for the same plaintext.",
        |probe| unique_ivs(probe).boxed(),
    ),
    must("encrypt-cdiv", CDIV, "The integrity value is SHA-256 over AAD, metadata, IV, ciphertext and tag.", |probe| {
        cdiv(probe, |request| request).boxed()
    }),
    must("encrypt-cdiv-without-aad", CDIV, "Without AAD the integrity value is over the rest.", |probe| {
        cdiv(probe, |request| request.without_member("/additionalAuthenticatedData")).boxed()
    }),
    should(
        "encrypt-cdiv-unasked",
        ENCRYPT,
        "There is no integrity value where none was asked for, not even null.",
        |probe| cdiv_not_requested(probe).boxed(),
    ),
    should(
        "encrypt-cdiv-algorithm",
        ENCRYPT,
        "Another algorithm than SHA_256 for the integrity value is refused.",
        |probe| {
            ensure_rejected(
                probe,
                |request| request.with_member(CDIV_ALGORITHM, "SHA_1"),
                &[ValidationException, UnsupportedOperationException],
            )
            .boxed()
        },
    ),
    must("encrypt-plaintext-4300", ENCRYPT, "4,300 bytes of plaintext are encrypted.", |probe| {
        ensure_encrypts(probe, |request| request.with_bytes("/plaintext", &[7; MAX_PLAINTEXT_AND_AAD.0])).boxed()
    }),
    must("encrypt-aad-8192", ENCRYPT, "8,192 bytes of additional authenticated data are taken.", |probe| {
        ensure_encrypts(probe, |request| {
            request.with_bytes("/additionalAuthenticatedData", &[7; MAX_PLAINTEXT_AND_AAD.1])
        })
        .boxed()
    }),
    should(
        "encrypt-too-long",
        ERRORS,
        "A plaintext of 65,536 bytes is encrypted, or refused by name as too long.",
        |probe| oversized_plaintext(probe).boxed(),
    ),
    should("encrypt-empty-plaintext", ENCRYPT, "An empty plaintext is one.", |probe| {
        ensure_encrypts(probe, |request| request.with_member("/plaintext", "")).boxed()
    }),
    should("encrypt-null", ENCRYPT, "An optional field that is null is as good as absent.", |probe| {
        null_fields(probe).boxed()
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
        ensure_allowed(probe, |request| {
            let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{}", "k".repeat(2009));
            request
                .with_member("/requestMetadata/kmsKeyArn", arn)
                .with_member("/requestMetadata/awsPrincipalArn", "a".repeat(2048))
        })
        .boxed()
    }),
    must("encrypt-request-id", ENCRYPT, "`kmsRequestId` is opaque: one that is no UUID is as good.", |probe| {
        ensure_encrypts(probe, |request| request.with_member("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
    }),
    must("encrypt-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        ensure_encrypts(probe, |request| {
            request.with_member("/requestMetadata/sourceIdentity", "x").with_member("/later", json!({ "a": [1] }))
        })
        .boxed()
    }),
    must(
        "encrypt-missing-fields",
        ERRORS,
        "What lacks a plaintext or an algorithm is refused with ValidationException.",
        |probe| missing_fields(probe).boxed(),
    ),
    must("encrypt-algorithm", ENCRYPT, "Another encryptionAlgorithm than AES_GCM is refused.", |probe| {
        let names = &[ValidationException, UnsupportedOperationException];
        ensure_rejected(probe, |request| request.with_member("/encryptionAlgorithm", "AES_CBC"), names).boxed()
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

async fn ensure_encrypts(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let key = probe.usable_key()?;
    let request = modify(probe.encrypt_request(&key));
    probe.send_encrypt(&request).await.map(drop)
}

async fn ensure_allowed(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let key = probe.usable_key()?;
    let request = modify(probe.encrypt_request(&key));
    probe.send(&request).await?.allowed_body().map(drop)
}

async fn ensure_rejected(
    probe: &mut Probe,
    modify: fn(ProbeRequest) -> ProbeRequest,
    names: &[ErrorName],
) -> CheckResult {
    let key = probe.usable_key()?;
    let request = modify(probe.encrypt_request(&key));
    probe.send(&request).await?.ensure_error(names)
}

async fn ensure_size(probe: &mut Probe, measure: fn(&EncryptedData) -> (usize, bool)) -> CheckResult {
    let (_, encrypted) = probe.encrypt_sample().await?;
    let (size, is_right) = measure(&encrypted);
    if is_right { Ok(()) } else { fail(format!("it has {size} bytes")) }
}

async fn unique_ivs(probe: &mut Probe) -> CheckResult {
    let mut seen = BTreeSet::new();
    for _ in 0..16 {
        if !seen.insert(probe.encrypt_sample().await?.1.iv) {
            return fail("two encryptions have the same: whoever sees both can read and forge");
        }
    }
    Ok(())
}

async fn cdiv(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let key = probe.usable_key()?;
    let request = modify(probe.encrypt_request(&key));
    let encrypted = probe.send_encrypt(&request).await?;
    let Some(value) = &encrypted.cdiv else { return fail("ciphertextDataIntegrityValue is missing") };
    let or_nothing = |bytes: &Option<Vec<u8>>| bytes.clone().unwrap_or_default();
    let (aad, metadata) = (or_nothing(&encrypted.aad), or_nothing(&encrypted.metadata));
    let expected =
        ciphertext_data_integrity_value(&aad, &metadata, &encrypted.iv, &encrypted.ciphertext, &encrypted.tag);
    if value[..] == expected { Ok(()) } else { fail("it is another value: KMS would take the ciphertext for damaged") }
}

async fn cdiv_not_requested(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe.encrypt_request(&key).without_member(CDIV_ALGORITHM);
    let body = probe.send(&request).await?.success_body()?;
    match body.get("ciphertextDataIntegrityValue") {
        None => Ok(()),
        Some(value) => fail(format!("it is {value}")),
    }
}

async fn oversized_plaintext(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe
        .encrypt_request(&key)
        .with_bytes("/plaintext", &vec![7; 65_536])
        .modify(|request| request.is_valid_for_kms = false);
    // Who refuses early may close while the rest is on its way.
    let Ok(response) = probe.send(&request).await else { return Ok(()) };
    if response.status == http::StatusCode::OK || response.status == http::StatusCode::PAYLOAD_TOO_LARGE {
        return Ok(());
    }
    response.ensure_error(&[UnsupportedOperationException, ValidationException])
}

async fn null_fields(probe: &mut Probe) -> CheckResult {
    for pointer in [
        "/requestMetadata/awsSourceVpc",
        "/requestMetadata/kmsViaService",
        "/additionalAuthenticatedData",
        CDIV_ALGORITHM,
    ] {
        let key = probe.usable_key()?;
        let request = probe.encrypt_request(&key).with_member(pointer, Value::Null);
        probe
            .send(&request)
            .await?
            .success_body()
            .map_err(|error| error.with_context(pointer.trim_start_matches('/')))?;
    }
    Ok(())
}

async fn operations(probe: &mut Probe, names: &[&str]) -> CheckResult {
    let key = probe.usable_key()?;
    for name in names {
        let request = probe.encrypt_request(&key).with_member("/requestMetadata/kmsOperation", *name);
        probe.send(&request).await?.allowed_body().map_err(|error| error.with_context(name))?;
    }
    Ok(())
}

async fn missing_fields(probe: &mut Probe) -> CheckResult {
    for name in ["plaintext", "encryptionAlgorithm"] {
        let key = probe.usable_key()?;
        let request = probe.encrypt_request(&key).without_member(&format!("/{name}"));
        let response = probe.send(&request).await?;
        response
            .ensure_error(&[ValidationException])
            .map_err(|error| error.with_context(&format!("without {name}")))?;
    }
    Ok(())
}

async fn strict_base64(probe: &mut Probe) -> CheckResult {
    for text in ["QQ", "-_8=", "QR==", "QQ==\n", "Q*=="] {
        let key = probe.usable_key()?;
        let request = probe.encrypt_request(&key).with_member("/plaintext", text);
        let response = probe.send(&request).await?;
        response
            .ensure_error(&[ValidationException])
            .map_err(|error| error.with_context(&format!("plaintext {text:?}")))?;
    }
    Ok(())
}

async fn unknown_key(probe: &mut Probe) -> CheckResult {
    let id = format!("none-{}", probe.run_id());
    let request = probe.encrypt_request(&id);
    probe.send(&request).await?.ensure_error(&[KeyNotFoundException])
}
