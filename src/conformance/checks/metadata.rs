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
        "The answer tells keySpec, up to ten strings of keyUsage, and ENABLED or DISABLED as keyStatus.",
        |probe| fields(probe).boxed(),
    ),
    must("metadata-usable-key", METADATA, "A key for KMS is AES_256, ENABLED and for ENCRYPT and DECRYPT.", |probe| {
        ready(usable_key(probe))
    }),
    must(
        "metadata-unknown-key",
        ERRORS,
        "An unknown key is refused with 404 KeyNotFoundException, and not made by asking for it.",
        |probe| unknown_key(probe).boxed(),
    ),
    must("metadata-operations", METADATA, "CreateKey, and DescribeKey of older versions, may ask.", |probe| {
        operations(probe, &["CreateKey", "DescribeKey"]).boxed()
    }),
    must(
        "metadata-unknown-operation",
        METADATA,
        "A kmsOperation that there isn't yet is not refused as invalid.",
        |probe| operations(probe, &["BulkDescribeKey"]).boxed(),
    ),
    must("metadata-principal", METADATA, "`awsPrincipalArn` may be a service principal or AWS Internal.", |probe| {
        principals(probe).boxed()
    }),
    must("metadata-long-arn", OPERATIONS, "An ARN may have 2,048 characters.", |probe| {
        ensure_allowed(probe, |request| request.with_member("/requestMetadata/awsPrincipalArn", "a".repeat(2048)))
            .boxed()
    }),
    must("metadata-request-id", METADATA, "`kmsRequestId` is opaque: one that is no UUID is as good.", |probe| {
        ensure_allowed(probe, |request| request.with_member("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
    }),
    must("metadata-optional-fields", METADATA, "VPC, VPC endpoint and service of the caller may be told.", |probe| {
        ensure_allowed(probe, |request| {
            request
                .with_member("/requestMetadata/awsSourceVpc", "vpc-1a2b3c4d")
                .with_member("/requestMetadata/awsSourceVpce", "vpce-1a2b3c4d")
                .with_member("/requestMetadata/kmsViaService", "ebs")
        })
        .boxed()
    }),
    must("metadata-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        ensure_allowed(probe, |request| {
            request.with_member("/requestMetadata/sourceIdentity", "x").with_member("/later", json!({ "a": [1] }))
        })
        .boxed()
    }),
    should("metadata-null", METADATA, "An optional field that is null is as good as absent.", |probe| {
        ensure_allowed(probe, |request| request.with_member("/requestMetadata/awsSourceVpc", Value::Null)).boxed()
    }),
    should(
        "metadata-invalid-body",
        ERRORS,
        "A body that isn't the JSON of the operation is refused with 400 ValidationException.",
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
    fail("none of the keys named by --key is so; what needs one is not checked")
}

async fn unknown_key(probe: &mut Probe) -> CheckResult {
    // A name that no earlier run has asked for.
    let id = format!("none-{}", probe.run_id());
    for _ in 0..2 {
        let request = probe.key_metadata_request(&id);
        probe.send(&request).await?.ensure_error(&[KeyNotFoundException])?;
    }
    Ok(())
}

/// The first key, of whatever kind: metadata is told of each.
fn any_key(probe: &Probe) -> Result<String, CheckError> {
    match probe.keys.iter().find(|key| key.metadata.is_object()) {
        Some(key) => Ok(key.id.clone()),
        None => skip("the proxy tells nothing of any --key"),
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
