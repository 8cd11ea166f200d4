//! GetKeyMetadata.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::section::{ERRORS, FIELDS, METADATA, OPERATIONS};
use super::told;
use crate::conformance::answer::{Stop, fail, skip};
use crate::conformance::ask::Ask;
use crate::conformance::probe::{ExternalKey, Probe};
use crate::conformance::{Check, Verdict, must, should};
use crate::xks::wire::ErrorName::{KeyNotFoundException, ValidationException};

pub const CHECKS: &[Check] = &[
    must(
        "metadata-fields",
        METADATA,
        "The answer tells keySpec, up to ten strings of keyUsage, and ENABLED or DISABLED as keyStatus.",
        |probe| fields(probe).boxed(),
    ),
    must("metadata-usable-key", METADATA, "A key for KMS is AES_256, ENABLED and for ENCRYPT and DECRYPT.", |probe| {
        told(usable(probe))
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
        accepted(probe, |ask| ask.with("/requestMetadata/awsPrincipalArn", "a".repeat(2048))).boxed()
    }),
    must("metadata-request-id", METADATA, "`kmsRequestId` is opaque: one that is no UUID is as good.", |probe| {
        accepted(probe, |ask| ask.with("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
    }),
    must("metadata-optional-fields", METADATA, "VPC, VPC endpoint and service of the caller may be told.", |probe| {
        accepted(probe, |ask| {
            ask.with("/requestMetadata/awsSourceVpc", "vpc-1a2b3c4d")
                .with("/requestMetadata/awsSourceVpce", "vpce-1a2b3c4d")
                .with("/requestMetadata/kmsViaService", "ebs")
        })
        .boxed()
    }),
    must("metadata-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        accepted(probe, |ask| ask.with("/requestMetadata/sourceIdentity", "x").with("/later", json!({ "a": [1] })))
            .boxed()
    }),
    should("metadata-null", METADATA, "An optional field that is null is as good as absent.", |probe| {
        accepted(probe, |ask| ask.with("/requestMetadata/awsSourceVpc", Value::Null)).boxed()
    }),
    should(
        "metadata-invalid-body",
        ERRORS,
        "A body that isn't the JSON of the operation is refused with 400 ValidationException.",
        |probe| invalid_body(probe).boxed(),
    ),
];

async fn fields(probe: &mut Probe) -> Verdict {
    let ids: Vec<String> = probe.keys.iter().map(|key| key.id.clone()).collect();
    for id in ids {
        let ask = probe.metadata(&id);
        let body = probe.send(&ask).await?.success().map_err(|stop| stop.at(&id))?;
        let is_usage = |all: &Vec<Value>| all.len() <= 10 && all.iter().all(Value::is_string);
        let wrong = if !body["keySpec"].is_string() {
            "keySpec"
        } else if !body["keyUsage"].as_array().is_some_and(is_usage) {
            "keyUsage"
        } else if !matches!(body["keyStatus"].as_str(), Some("ENABLED" | "DISABLED")) {
            "keyStatus"
        } else {
            continue;
        };
        return fail(format!("{id}: {wrong} is {}", body[wrong]));
    }
    Ok(())
}

fn usable(probe: &mut Probe) -> Verdict {
    for key in probe.keys.clone() {
        let ExternalKey { id, metadata } = &key;
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

async fn unknown_key(probe: &mut Probe) -> Verdict {
    // A name that no earlier run has asked for.
    let id = format!("none-{}", probe.run_id());
    for _ in 0..2 {
        let ask = probe.metadata(&id);
        probe.send(&ask).await?.refused(&[KeyNotFoundException])?;
    }
    Ok(())
}

/// The first key, of whatever kind: metadata is told of each.
fn any_key(probe: &Probe) -> Result<String, Stop> {
    match probe.keys.iter().find(|key| key.metadata.is_object()) {
        Some(key) => Ok(key.id.clone()),
        None => skip("the proxy tells nothing of any --key"),
    }
}

async fn accepted(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let key = any_key(probe)?;
    let ask = how(probe.metadata(&key));
    probe.send(&ask).await?.allowed().map(drop)
}

async fn operations(probe: &mut Probe, names: &[&str]) -> Verdict {
    let key = any_key(probe)?;
    for name in names {
        let ask = probe.metadata(&key).with("/requestMetadata/kmsOperation", *name);
        probe.send(&ask).await?.allowed().map_err(|stop| stop.at(name))?;
    }
    Ok(())
}

async fn principals(probe: &mut Probe) -> Verdict {
    let key = any_key(probe)?;
    for principal in ["AWS Internal", "ec2.amazonaws.com"] {
        let ask = probe.metadata(&key).with("/requestMetadata/awsPrincipalArn", principal);
        probe.send(&ask).await?.allowed().map_err(|stop| stop.at(principal))?;
    }
    Ok(())
}

async fn invalid_body(probe: &mut Probe) -> Verdict {
    let key = any_key(probe)?;
    for text in ["", "{", "null", "{\"requestMetadata\":1}"] {
        let ask = probe.metadata(&key).but(|ask| ask.raw = Some(text.as_bytes().to_vec()));
        probe.send(&ask).await?.refused(&[ValidationException])?;
    }
    Ok(())
}
