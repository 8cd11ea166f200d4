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

/// The number of bytes of plaintext and of additional authenticated data (AAD) that every proxy must accept.
pub const MAX_PLAINTEXT_AND_AAD: (usize, usize) = (4300, 8192);
const CDIV_ALGORITHM: &str = "/ciphertextDataIntegrityValueAlgorithm";

pub const CHECKS: &[Check] = &[
    must(
        "encrypt-ciphertext",
        ENCRYPT,
        "The proxy returns a ciphertext that is as long as the plaintext, with the tag in its own field.",
        |probe| {
            ensure_size(probe, |encrypted| (encrypted.ciphertext.len(), encrypted.ciphertext.len() == PLAINTEXT.len()))
                .boxed()
        },
    ),
    must("encrypt-iv", ENCRYPT, "The proxy returns an initialization vector of 12 or 16 bytes.", |probe| {
        ensure_size(probe, |encrypted| (encrypted.iv.len(), matches!(encrypted.iv.len(), 12 | 16))).boxed()
    }),
    must("encrypt-tag", ENCRYPT, "The proxy returns an authentication tag of 16 bytes.", |probe| {
        ensure_size(probe, |encrypted| (encrypted.tag.len(), encrypted.tag.len() == TAG_LENGTH)).boxed()
    }),
    must("encrypt-metadata", ENCRYPT, "The proxy returns at most 20 bytes of ciphertextMetadata.", |probe| {
        ensure_size(probe, |encrypted| {
            let size = encrypted.metadata.as_ref().map_or(0, Vec::len);
            (size, size <= MAX_CIPHERTEXT_METADATA)
        })
        .boxed()
    }),
    must(
        "encrypt-iv-fresh",
        ENCRYPT,
        "The proxy never uses an initialization vector twice, even for the same plaintext.",
        |probe| unique_ivs(probe).boxed(),
    ),
    must(
        "encrypt-cdiv",
        CDIV,
        "The proxy returns ciphertextDataIntegrityValue as SHA-256 over AAD, metadata, IV, ciphertext, and tag.",
        |probe| cdiv(probe, |request| request).boxed(),
    ),
    must(
        "encrypt-cdiv-without-aad",
        CDIV,
        "The proxy returns a correct ciphertextDataIntegrityValue for a request without AAD.",
        |probe| cdiv(probe, |request| request.without_member("/additionalAuthenticatedData")).boxed(),
    ),
    should(
        "encrypt-cdiv-unasked",
        ENCRYPT,
        "The proxy doesn't return ciphertextDataIntegrityValue, not even as null, unless it is requested.",
        |probe| cdiv_not_requested(probe).boxed(),
    ),
    should(
        "encrypt-cdiv-algorithm",
        ENCRYPT,
        "The proxy rejects any ciphertextDataIntegrityValueAlgorithm other than SHA_256.",
        |probe| {
            ensure_rejected(
                probe,
                |request| request.with_member(CDIV_ALGORITHM, "SHA_1"),
                &[ValidationException, UnsupportedOperationException],
            )
            .boxed()
        },
    ),
    must("encrypt-plaintext-4300", ENCRYPT, "The proxy accepts 4,300 bytes of plaintext.", |probe| {
        ensure_encrypts(probe, |request| request.with_bytes("/plaintext", &[7; MAX_PLAINTEXT_AND_AAD.0])).boxed()
    }),
    must(
        "encrypt-aad-8192",
        ENCRYPT,
        "The proxy accepts 8,192 bytes of additional authenticated data (AAD).",
        |probe| {
            ensure_encrypts(probe, |request| {
                request.with_bytes("/additionalAuthenticatedData", &[7; MAX_PLAINTEXT_AND_AAD.1])
            })
            .boxed()
        },
    ),
    should(
        "encrypt-too-long",
        ERRORS,
        "The proxy accepts 65,536 bytes of plaintext or rejects them with an error that the specification defines.",
        |probe| oversized_plaintext(probe).boxed(),
    ),
    should("encrypt-empty-plaintext", ENCRYPT, "The proxy accepts an empty plaintext.", |probe| {
        ensure_encrypts(probe, |request| request.with_member("/plaintext", "")).boxed()
    }),
    should("encrypt-null", ENCRYPT, "The proxy treats an optional field that is null as absent.", |probe| {
        null_fields(probe).boxed()
    }),
    must(
        "encrypt-operations",
        ENCRYPT,
        "The proxy accepts each kmsOperation that AWS KMS sends with Encrypt.",
        |probe| {
            operations(probe, &["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"]).boxed()
        },
    ),
    must(
        "encrypt-unknown-operation",
        ENCRYPT,
        "The proxy doesn't reject an unknown kmsOperation as invalid.",
        |probe| operations(probe, &["BulkEncrypt"]).boxed(),
    ),
    must("encrypt-long-arns", OPERATIONS, "The proxy accepts ARNs of up to 2,048 characters.", |probe| {
        ensure_allowed(probe, |request| {
            let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{}", "k".repeat(2009));
            request
                .with_member("/requestMetadata/kmsKeyArn", arn)
                .with_member("/requestMetadata/awsPrincipalArn", "a".repeat(2048))
        })
        .boxed()
    }),
    must(
        "encrypt-request-id",
        ENCRYPT,
        "The proxy treats kmsRequestId as opaque and accepts a value that isn't a UUID.",
        |probe| {
            ensure_encrypts(probe, |request| request.with_member("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
        },
    ),
    must(
        "encrypt-extra-fields",
        FIELDS,
        "The proxy ignores unknown fields, which later versions of the API can add.",
        |probe| {
            ensure_encrypts(probe, |request| {
                request.with_member("/requestMetadata/sourceIdentity", "x").with_member("/later", json!({ "a": [1] }))
            })
            .boxed()
        },
    ),
    must(
        "encrypt-missing-fields",
        ERRORS,
        "The proxy returns ValidationException for a request without plaintext or encryptionAlgorithm.",
        |probe| missing_fields(probe).boxed(),
    ),
    must("encrypt-algorithm", ENCRYPT, "The proxy rejects any encryptionAlgorithm other than AES_GCM.", |probe| {
        let names = &[ValidationException, UnsupportedOperationException];
        ensure_rejected(probe, |request| request.with_member("/encryptionAlgorithm", "AES_CBC"), names).boxed()
    }),
    should(
        "encrypt-base64",
        ENCRYPT,
        "The proxy accepts only standard Base64 with padding. It rejects URL-safe, unpadded, and malformed Base64.",
        |probe| strict_base64(probe).boxed(),
    ),
    must(
        "encrypt-unknown-key",
        ERRORS,
        "The proxy rejects an unknown external key ID with 404 KeyNotFoundException.",
        |probe| unknown_key(probe).boxed(),
    ),
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
    let (size, is_valid) = measure(&encrypted);
    if is_valid { Ok(()) } else { fail(format!("the size is {size} bytes")) }
}

async fn unique_ivs(probe: &mut Probe) -> CheckResult {
    let mut seen = BTreeSet::new();
    for _ in 0..16 {
        if !seen.insert(probe.encrypt_sample().await?.1.iv) {
            return fail(
                "two encryptions use the same initialization vector, which reveals plaintext and allows forgery",
            );
        }
    }
    Ok(())
}

async fn cdiv(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let key = probe.usable_key()?;
    let request = modify(probe.encrypt_request(&key));
    let encrypted = probe.send_encrypt(&request).await?;
    let Some(value) = &encrypted.cdiv else { return fail("ciphertextDataIntegrityValue is missing") };
    let or_empty = |bytes: &Option<Vec<u8>>| bytes.clone().unwrap_or_default();
    let (aad, metadata) = (or_empty(&encrypted.aad), or_empty(&encrypted.metadata));
    let expected =
        ciphertext_data_integrity_value(&aad, &metadata, &encrypted.iv, &encrypted.ciphertext, &encrypted.tag);
    if value[..] == expected {
        Ok(())
    } else {
        fail("the value is incorrect, so AWS KMS would treat the ciphertext as corrupt")
    }
}

async fn cdiv_not_requested(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe.encrypt_request(&key).without_member(CDIV_ALGORITHM);
    let body = probe.send(&request).await?.success_body()?;
    match body.get("ciphertextDataIntegrityValue") {
        None => Ok(()),
        Some(value) => fail(format!("ciphertextDataIntegrityValue is {value}")),
    }
}

async fn oversized_plaintext(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    let request = probe
        .encrypt_request(&key)
        .with_bytes("/plaintext", &vec![7; 65_536])
        .modify(|request| request.is_valid_for_kms = false);
    // A proxy that rejects the request early can close the connection before it receives the whole body.
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
