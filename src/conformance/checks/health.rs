//! GetHealthStatus.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::section::{FIELDS, HEALTH};
use crate::conformance::answer::{Stop, fail};
use crate::conformance::ask::Ask;
use crate::conformance::probe::Probe;
use crate::conformance::{Check, Verdict, must, should};

pub const CHECKS: &[Check] = &[
    must(
        "health-fields",
        HEALTH,
        "The answer names fleet size, vendor and model of the proxy, vendor and fleet of the key managers.",
        |probe| fields(probe).boxed(),
    ),
    must("health-fleet-size", HEALTH, "`xksProxyFleetSize` is an integer above zero.", |probe| {
        fleet_size(probe).boxed()
    }),
    must(
        "health-fleet",
        HEALTH,
        "`ekmFleetDetails` has one to ten members, each with id, model and healthStatus.",
        |probe| fleet(probe).boxed(),
    ),
    must("health-fleet-ids", HEALTH, "Each external key manager has an id of its own.", |probe| {
        fleet_ids(probe).boxed()
    }),
    must("health-status", HEALTH, "`healthStatus` is ACTIVE, DEGRADED or UNAVAILABLE.", |probe| status(probe).boxed()),
    should("health-serving", HEALTH, "One external key manager at least can serve.", |probe| serving(probe).boxed()),
    should("health-model", HEALTH, "Models have the name of the product and its version.", |probe| {
        model(probe).boxed()
    }),
    must(
        "health-operations",
        HEALTH,
        "Each operation of KMS that asks for health is answered; no policy stands before it.",
        |probe| {
            operations(
                probe,
                &["CreateCustomKeyStore", "ConnectCustomKeyStore", "UpdateCustomKeyStore", "KmsHealthCheck"],
            )
            .boxed()
        },
    ),
    must("health-unknown-operation", HEALTH, "A kmsOperation that there isn't yet is not refused.", |probe| {
        operations(probe, &["RotateEverything"]).boxed()
    }),
    must("health-request-id", HEALTH, "`kmsRequestId` is opaque: one that is no UUID is as good.", |probe| {
        accepted(probe, |ask| ask.with("/requestMetadata/kmsRequestId", "not a UUID")).boxed()
    }),
    must("health-extra-fields", FIELDS, "Fields that are announced for later are passed over.", |probe| {
        accepted(probe, |ask| ask.with("/requestMetadata/sourceIdentity", "x").with("/later", json!({ "a": [1] })))
            .boxed()
    }),
];

async fn health(probe: &mut Probe) -> Result<Value, Stop> {
    let ask = probe.health();
    probe.send(&ask).await?.success()
}

async fn accepted(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let ask = how(probe.health());
    probe.send(&ask).await?.success().map(drop)
}

async fn operations(probe: &mut Probe, names: &[&str]) -> Verdict {
    for name in names {
        let ask = probe.health().with("/requestMetadata/kmsOperation", *name);
        probe.send(&ask).await?.success().map_err(|stop| stop.at(name))?;
    }
    Ok(())
}

async fn fields(probe: &mut Probe) -> Verdict {
    let health = health(probe).await?;
    for name in ["xksProxyVendor", "xksProxyModel", "ekmVendor"] {
        if health[name].as_str().is_none_or(str::is_empty) {
            return fail(format!("{name} is missing, empty or no string"));
        }
    }
    for name in ["xksProxyFleetSize", "ekmFleetDetails"] {
        if health.get(name).is_none() {
            return fail(format!("{name} is missing"));
        }
    }
    Ok(())
}

async fn fleet_size(probe: &mut Probe) -> Verdict {
    let size = &health(probe).await?["xksProxyFleetSize"];
    if size.as_u64().is_some_and(|size| size > 0) { Ok(()) } else { fail(format!("it is {size}")) }
}

async fn members(probe: &mut Probe) -> Result<Vec<Value>, Stop> {
    match health(probe).await?["ekmFleetDetails"].take() {
        Value::Array(members) => Ok(members),
        _ => fail("ekmFleetDetails is no array"),
    }
}

async fn fleet(probe: &mut Probe) -> Verdict {
    let members = members(probe).await?;
    if !(1..=10).contains(&members.len()) {
        return fail(format!("there are {}", members.len()));
    }
    for name in ["id", "model", "healthStatus"] {
        if members.iter().any(|member| !member[name].is_string()) {
            return fail(format!("a member's {name} is missing or no string"));
        }
    }
    Ok(())
}

async fn fleet_ids(probe: &mut Probe) -> Verdict {
    let mut seen = BTreeSet::new();
    for member in members(probe).await? {
        let id = member["id"].to_string();
        if !seen.insert(id.clone()) {
            return fail(format!("{id} is there twice"));
        }
    }
    Ok(())
}

async fn status(probe: &mut Probe) -> Verdict {
    for member in members(probe).await? {
        if !matches!(member["healthStatus"].as_str(), Some("ACTIVE" | "DEGRADED" | "UNAVAILABLE")) {
            return fail(format!("a member's healthStatus is {}", member["healthStatus"]));
        }
    }
    Ok(())
}

async fn serving(probe: &mut Probe) -> Verdict {
    let is_up = members(probe).await?.iter().any(|member| member["healthStatus"] != "UNAVAILABLE");
    if is_up { Ok(()) } else { fail("all are UNAVAILABLE, so KMS doesn't connect the key store") }
}

async fn model(probe: &mut Probe) -> Verdict {
    let health = health(probe).await?;
    let fleet = health["ekmFleetDetails"].as_array().map(Vec::as_slice).unwrap_or_default();
    for model in std::iter::once(&health["xksProxyModel"]).chain(fleet.iter().map(|member| &member["model"])) {
        let text = model.as_str().unwrap_or_default();
        if !(text.chars().any(char::is_alphabetic) && text.chars().any(|it| it.is_ascii_digit())) {
            return fail(format!("{model} has no name, or no version"));
        }
    }
    Ok(())
}
