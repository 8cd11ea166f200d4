//! GetHealthStatus.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::section::{FIELDS, HEALTH};
use crate::conformance::probe::Probe;
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::{CheckError, fail};
use crate::conformance::{Check, CheckResult, must, should};

pub const CHECKS: &[Check] = &[
    must(
        "health-fields",
        HEALTH,
        "The proxy returns xksProxyFleetSize, xksProxyVendor, xksProxyModel, ekmVendor, and ekmFleetDetails.",
        |probe| fields(probe).boxed(),
    ),
    must("health-fleet-size", HEALTH, "The proxy returns xksProxyFleetSize as an integer greater than 0.", |probe| {
        fleet_size(probe).boxed()
    }),
    must(
        "health-fleet",
        HEALTH,
        "The proxy returns 1 to 10 members in ekmFleetDetails, each with id, model, and healthStatus.",
        |probe| fleet(probe).boxed(),
    ),
    must("health-fleet-ids", HEALTH, "The proxy returns a unique id for each external key manager.", |probe| {
        fleet_ids(probe).boxed()
    }),
    must("health-status", HEALTH, "The proxy returns healthStatus as ACTIVE, DEGRADED, or UNAVAILABLE.", |probe| {
        status(probe).boxed()
    }),
    should(
        "health-serving",
        HEALTH,
        "The proxy returns at least one external key manager that isn't UNAVAILABLE.",
        |probe| available_key_manager(probe).boxed(),
    ),
    should("health-model", HEALTH, "The proxy returns models that include the product name and version.", |probe| {
        model_versions(probe).boxed()
    }),
    must(
        "health-operations",
        HEALTH,
        "The proxy accepts each kmsOperation that AWS KMS sends with GetHealthStatus, without secondary authorization.",
        |probe| {
            operations(
                probe,
                &["CreateCustomKeyStore", "ConnectCustomKeyStore", "UpdateCustomKeyStore", "KmsHealthCheck"],
            )
            .boxed()
        },
    ),
    must("health-unknown-operation", HEALTH, "The proxy accepts an unknown kmsOperation.", |probe| {
        operations(probe, &["RotateEverything"]).boxed()
    }),
    must(
        "health-request-id",
        HEALTH,
        "The proxy treats kmsRequestId as opaque and accepts a value that isn't a UUID.",
        |probe| {
            ensure_accepted(probe, |request| request.with_member("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
        },
    ),
    must(
        "health-extra-fields",
        FIELDS,
        "The proxy ignores unknown fields, which later versions of the API can add.",
        |probe| {
            ensure_accepted(probe, |request| {
                request.with_member("/requestMetadata/sourceIdentity", "x").with_member("/later", json!({ "a": [1] }))
            })
            .boxed()
        },
    ),
];

async fn health_status(probe: &mut Probe) -> Result<Value, CheckError> {
    let request = probe.health_request();
    probe.send(&request).await?.success_body()
}

async fn ensure_accepted(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let request = modify(probe.health_request());
    probe.send(&request).await?.success_body().map(drop)
}

async fn operations(probe: &mut Probe, names: &[&str]) -> CheckResult {
    for name in names {
        let request = probe.health_request().with_member("/requestMetadata/kmsOperation", *name);
        probe.send(&request).await?.success_body().map_err(|error| error.with_context(name))?;
    }
    Ok(())
}

async fn fields(probe: &mut Probe) -> CheckResult {
    let health = health_status(probe).await?;
    for name in ["xksProxyVendor", "xksProxyModel", "ekmVendor"] {
        if health[name].as_str().is_none_or(str::is_empty) {
            return fail(format!("{name} is missing, empty, or not a string"));
        }
    }
    for name in ["xksProxyFleetSize", "ekmFleetDetails"] {
        if health.get(name).is_none() {
            return fail(format!("{name} is missing"));
        }
    }
    Ok(())
}

async fn fleet_size(probe: &mut Probe) -> CheckResult {
    let size = &health_status(probe).await?["xksProxyFleetSize"];
    if size.as_u64().is_some_and(|size| size > 0) { Ok(()) } else { fail(format!("xksProxyFleetSize is {size}")) }
}

async fn fleet_members(probe: &mut Probe) -> Result<Vec<Value>, CheckError> {
    match health_status(probe).await?["ekmFleetDetails"].take() {
        Value::Array(members) => Ok(members),
        _ => fail("ekmFleetDetails isn't an array"),
    }
}

async fn fleet(probe: &mut Probe) -> CheckResult {
    let members = fleet_members(probe).await?;
    if !(1..=10).contains(&members.len()) {
        return fail(format!("the number of members is {}", members.len()));
    }
    for name in ["id", "model", "healthStatus"] {
        if members.iter().any(|member| !member[name].is_string()) {
            return fail(format!("the {name} of a member is missing or not a string"));
        }
    }
    Ok(())
}

async fn fleet_ids(probe: &mut Probe) -> CheckResult {
    let mut seen = BTreeSet::new();
    for member in fleet_members(probe).await? {
        let id = member["id"].to_string();
        if !seen.insert(id.clone()) {
            return fail(format!("the id {id} occurs more than once"));
        }
    }
    Ok(())
}

async fn status(probe: &mut Probe) -> CheckResult {
    for member in fleet_members(probe).await? {
        if !matches!(member["healthStatus"].as_str(), Some("ACTIVE" | "DEGRADED" | "UNAVAILABLE")) {
            return fail(format!("the healthStatus of a member is {}", member["healthStatus"]));
        }
    }
    Ok(())
}

async fn available_key_manager(probe: &mut Probe) -> CheckResult {
    let is_available = fleet_members(probe).await?.iter().any(|member| member["healthStatus"] != "UNAVAILABLE");
    if is_available {
        Ok(())
    } else {
        fail("no external key manager is available, so AWS KMS doesn't connect the key store")
    }
}

async fn model_versions(probe: &mut Probe) -> CheckResult {
    let health = health_status(probe).await?;
    let fleet = health["ekmFleetDetails"].as_array().map(Vec::as_slice).unwrap_or_default();
    for model in std::iter::once(&health["xksProxyModel"]).chain(fleet.iter().map(|member| &member["model"])) {
        let text = model.as_str().unwrap_or_default();
        if !(text.chars().any(char::is_alphabetic) && text.chars().any(|it| it.is_ascii_digit())) {
            return fail(format!("the model {model} has no product name or no version"));
        }
    }
    Ok(())
}
