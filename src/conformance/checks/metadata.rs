//! GetKeyMetadata.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::ready;
use super::section::{ERRORS, FIELDS, METADATA, OPERATIONS};
use crate::conformance::probe::{Probe, ProbedKey};
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::{CheckError, fail, skip};
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::{KeyNotFoundException, ValidationException};

pub const CHECKS: &[Check] = &[
    must(
        "metadata-fields",
        METADATA,
        "The proxy returns keySpec, keyUsage with up to 10 strings, and keyStatus as ENABLED or DISABLED.",
        |probe| fields(probe).boxed(),
    ),
    must(
        "metadata-usable-key",
        METADATA,
        "The proxy has an AES_256 key for AWS KMS that is ENABLED and allows ENCRYPT and DECRYPT.",
        |probe| ready(usable_key(probe)),
    ),
    must(
        "metadata-unknown-key",
        ERRORS,
        "The proxy rejects an unknown external key ID with 404 KeyNotFoundException and doesn't create the key.",
        |probe| unknown_key(probe).boxed(),
    ),
    must(
        "metadata-operations",
        METADATA,
        "The proxy accepts CreateKey as kmsOperation, and DescribeKey from older versions of the API.",
        |probe| operations(probe, &["CreateKey", "DescribeKey"]).boxed(),
    ),
    must(
        "metadata-unknown-operation",
        METADATA,
        "The proxy doesn't reject an unknown kmsOperation as invalid.",
        |probe| operations(probe, &["BulkDescribeKey"]).boxed(),
    ),
    must(
        "metadata-principal",
        METADATA,
        "The proxy accepts a service principal or AWS Internal as awsPrincipalArn.",
        |probe| principals(probe).boxed(),
    ),
    must("metadata-long-arn", OPERATIONS, "The proxy accepts ARNs of up to 2,048 characters.", |probe| {
        ensure_allowed(probe, |request| request.with_member("/requestMetadata/awsPrincipalArn", "a".repeat(2048)))
            .boxed()
    }),
    must(
        "metadata-request-id",
        METADATA,
        "The proxy treats kmsRequestId as opaque and accepts a value that isn't a UUID.",
        |probe| {
            ensure_allowed(probe, |request| request.with_member("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
        },
    ),
    must(
        "metadata-optional-fields",
        METADATA,
        "The proxy accepts awsSourceVpc, awsSourceVpce, and kmsViaService.",
        |probe| {
            ensure_allowed(probe, |request| {
                request
                    .with_member("/requestMetadata/awsSourceVpc", "vpc-1a2b3c4d")
                    .with_member("/requestMetadata/awsSourceVpce", "vpce-1a2b3c4d")
                    .with_member("/requestMetadata/kmsViaService", "ebs")
            })
            .boxed()
        },
    ),
    must(
        "metadata-extra-fields",
        FIELDS,
        "The proxy ignores unknown fields, which later versions of the API can add.",
        |probe| {
            ensure_allowed(probe, |request| {
                request.with_member("/requestMetadata/sourceIdentity", "x").with_member("/later", json!({ "a": [1] }))
            })
            .boxed()
        },
    ),
    should("metadata-null", METADATA, "The proxy treats an optional field that is null as absent.", |probe| {
        ensure_allowed(probe, |request| request.with_member("/requestMetadata/awsSourceVpc", Value::Null)).boxed()
    }),
    should(
        "metadata-invalid-body",
        ERRORS,
        "The proxy rejects an invalid request body with 400 ValidationException.",
        |probe| invalid_body(probe).boxed(),
    ),
];

async fn fields(probe: &mut Probe) -> CheckResult {
    let ids: Vec<String> = probe.keys.iter().map(|key| key.id.clone()).collect();
    for id in ids {
        let request = probe.key_metadata_request(&id);
        let body = probe.send(&request).await?.success_body().map_err(|error| error.with_context(&id))?;
        let is_usage = |all: &Vec<Value>| all.len() <= 10 && all.iter().all(Value::is_string);
        let invalid_field = if !body["keySpec"].is_string() {
            "keySpec"
        } else if !body["keyUsage"].as_array().is_some_and(is_usage) {
            "keyUsage"
        } else if !matches!(body["keyStatus"].as_str(), Some("ENABLED" | "DISABLED")) {
            "keyStatus"
        } else {
            continue;
        };
        return fail(format!("{id}: {invalid_field} is {}", body[invalid_field]));
    }
    Ok(())
}

fn usable_key(probe: &mut Probe) -> CheckResult {
    for key in probe.keys.clone() {
        let ProbedKey { id, metadata } = &key;
        let usage: Vec<&str> =
            metadata["keyUsage"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (spec, status) = (metadata["keySpec"].as_str(), metadata["keyStatus"].as_str());
        probe.note(match spec.zip(status) {
            Some((spec, status)) => format!("{id}: {spec}, {status}, {}", usage.join(" ")),
            None => format!("{id}: no metadata"),
        });
    }
    if probe.usable_key().is_ok() {
        return Ok(());
    }
    fail("no --key option names such a key, so the checks that need one are skipped")
}

async fn unknown_key(probe: &mut Probe) -> CheckResult {
    // The ID is unique to this run, so no earlier run can have created the key.
    let id = format!("none-{}", probe.run_id());
    for _ in 0..2 {
        let request = probe.key_metadata_request(&id);
        probe.send(&request).await?.ensure_error(&[KeyNotFoundException])?;
    }
    Ok(())
}

/// Returns the ID of the first key that has metadata, even if AWS KMS can't use the key.
///
/// # Errors
/// [`CheckError::Skipped`] if there is none.
fn any_key(probe: &Probe) -> Result<String, CheckError> {
    match probe.keys.iter().find(|key| key.metadata.is_object()) {
        Some(key) => Ok(key.id.clone()),
        None => skip("the proxy returned no metadata for any --key option"),
    }
}

async fn ensure_allowed(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let key = any_key(probe)?;
    let request = modify(probe.key_metadata_request(&key));
    probe.send(&request).await?.allowed_body().map(drop)
}

async fn operations(probe: &mut Probe, names: &[&str]) -> CheckResult {
    let key = any_key(probe)?;
    for name in names {
        let request = probe.key_metadata_request(&key).with_member("/requestMetadata/kmsOperation", *name);
        probe.send(&request).await?.allowed_body().map_err(|error| error.with_context(name))?;
    }
    Ok(())
}

async fn principals(probe: &mut Probe) -> CheckResult {
    let key = any_key(probe)?;
    for principal in ["AWS Internal", "ec2.amazonaws.com"] {
        let request = probe.key_metadata_request(&key).with_member("/requestMetadata/awsPrincipalArn", principal);
        probe.send(&request).await?.allowed_body().map_err(|error| error.with_context(principal))?;
    }
    Ok(())
}

async fn invalid_body(probe: &mut Probe) -> CheckResult {
    let key = any_key(probe)?;
    for text in ["", "{", "null", "{\"requestMetadata\":1}"] {
        let request =
            probe.key_metadata_request(&key).modify(|request| request.raw_body = Some(text.as_bytes().to_vec()));
        probe.send(&request).await?.ensure_error(&[ValidationException])?;
    }
    Ok(())
}
