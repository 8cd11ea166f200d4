//! Writes an account as a scenario, without its secrets.

mod keys;
mod principals;

use rusqlite::{OptionalExtension as _, Transaction};
use toml::Spanned;

use super::definition::{ExternalKey, Partition, Scenario};
use super::text;
use crate::bundled::BundledAws;
use crate::bundled::account_region;
use crate::bundled::iam::principals::console_user;
use crate::bundled::store::{OpenError, Store};
use crate::text::plural;
use crate::xks::key_manager::{ExternalKey as StoredExternalKey, ExternalKeyManager};

/// An account as a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioExport {
    /// The scenario in TOML. It contains no secrets.
    pub text: String,
    /// What the account has and the scenario doesn't, such as `3 grants`.
    pub left_out: Vec<String>,
}

/// Writes the console's account and Region as a scenario.
pub fn export(store: &Store, manager: &ExternalKeyManager) -> Result<ScenarioExport, OpenError> {
    let console_user = console_user(store)?;
    let mut left_out = LeftOut::default();
    let (account, mut scenario) = store.read(|tx| {
        let region = find_region(tx, &console_user.account)?;
        let exporter = Exporter {
            tx,
            store,
            manager,
            account: &console_user.account,
            region: &region,
            account_region: &account_region(&console_user.account, &region),
        };
        let mut scenario = Scenario::default();
        let account = exporter.principals(&console_user, &mut scenario, &mut left_out)?;
        exporter.vpc_endpoint_services(&mut scenario)?;
        let stores = exporter.key_stores(&mut scenario, &mut left_out)?;
        exporter.keys(&stores, &mut scenario, &mut left_out)?;
        exporter.workloads(&mut scenario)?;
        exporter.count_other_records(&mut left_out)?;
        Ok::<_, OpenError>((account, scenario))
    })?;
    scenario.partition = partitions(manager, &mut left_out)?;
    left_out.0.push(
        "IDs, access keys, MFA devices, proxy credentials, and key material: each account gets its own".to_owned(),
    );
    let heading = "# An account of the bundled AWS, without its secrets. To create one like it:\n\
                   # xks-console --data-dir DIR --scenario FILE\n\n";
    Ok(ScenarioExport { text: heading.to_owned() + &text::write(&account, &scenario), left_out: left_out.0 })
}

/// Returns the Region in which the account has the most resources, because a scenario has only one.
fn find_region(tx: &Transaction, account: &str) -> Result<String, rusqlite::Error> {
    let query = "SELECT substr(world, 14) FROM (SELECT world FROM keys UNION ALL SELECT world FROM key_stores
                 UNION ALL SELECT world FROM vpc_endpoint_services)
                 WHERE substr(world, 1, 13) = ?1 || '/' GROUP BY world ORDER BY count(*) DESC, world LIMIT 1";
    let found = tx.query_row(query, [account], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_else(|| BundledAws::REGION.to_owned()))
}

fn partitions(manager: &ExternalKeyManager, left_out: &mut LeftOut) -> Result<Vec<Partition>, OpenError> {
    let (mut rotated, mut restricted) = (0, 0);
    let mut partitions = Vec::new();
    for name in manager.partitions()? {
        let stored = manager.keys(&name)?;
        rotated += stored.iter().filter(|key| key.version > 1).count();
        restricted += stored.iter().filter(|key| !key.callers.is_empty()).count();
        partitions.push(Partition { name, keys: stored.into_iter().map(external_key).collect() });
    }
    let external_keys = |count| plural(count, "external key", "external keys");
    left_out.add(rotated, || format!("the older versions of {}", external_keys(rotated)));
    left_out.add(restricted, || format!("the callers of {}, which all callers can use", external_keys(restricted)));
    Ok(partitions)
}

fn external_key(key: StoredExternalKey) -> ExternalKey {
    ExternalKey {
        manager_id: (key.manager_id != key.id).then_some(key.manager_id),
        spec: (key.spec != "AES_256").then_some(key.spec),
        usage: (key.usage != ["ENCRYPT", "DECRYPT"]).then_some(key.usage),
        enabled: (!key.enabled).then_some(false),
        id: key.id,
        count: 1,
    }
}

/// What a scenario can't hold.
#[derive(Default)]
struct LeftOut(Vec<String>);

impl LeftOut {
    /// Adds what `count` things don't have in the scenario, unless there are none.
    fn add(&mut self, count: usize, description: impl FnOnce() -> String) {
        if count > 0 {
            self.0.push(description());
        }
    }
}

/// Reads the records of an account for its scenario.
struct Exporter<'a> {
    tx: &'a Transaction<'a>,
    store: &'a Store,
    manager: &'a ExternalKeyManager,
    account: &'a str,
    region: &'a str,
    account_region: &'a str,
}

impl Exporter<'_> {
    /// Reads one column of JSON documents in this account and Region.
    fn documents<T: serde::de::DeserializeOwned>(&self, table: &str, column: &str) -> Result<Vec<T>, OpenError> {
        let mut query = self.tx.prepare(&format!("SELECT {column} FROM {table} WHERE world = ?1 ORDER BY name"))?;
        let rows = query.query_map([self.account_region], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    fn vpc_endpoint_services(&self, scenario: &mut Scenario) -> Result<(), OpenError> {
        scenario.vpc_endpoint_service = self.documents("vpc_endpoint_services", "document")?;
        Ok(())
    }

    fn workloads(&self, scenario: &mut Scenario) -> Result<(), OpenError> {
        let definitions = self.documents("workloads", "definition")?;
        scenario.workload = definitions.into_iter().map(|one| Spanned::new(0..0, one)).collect();
        Ok(())
    }

    fn count_other_records(&self, left_out: &mut LeftOut) -> Result<(), OpenError> {
        let count = |query: &str| -> Result<usize, OpenError> {
            let count: i64 = self.tx.query_row(query, [], |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or(0))
        };
        for (table, one, many) in [
            ("SELECT count(*) FROM grants", "grant", "grants"),
            ("SELECT coalesce(sum(count), 0) FROM events", "event", "events"),
            ("SELECT count(*) FROM metrics", "metric", "metrics"),
            ("SELECT count(*) FROM proxy_faults", "proxy fault", "proxy faults"),
            ("SELECT count(*) FROM proxy_routes", "route to a proxy", "routes to proxies"),
        ] {
            let count = count(table)?;
            left_out.add(count, || plural(count, one, many));
        }
        let rotated = count(
            "SELECT count(DISTINCT world || '/' || key_id) FROM (SELECT world, key_id FROM rotation_schedules
             UNION ALL SELECT world, key_id FROM key_materials WHERE kind IS NOT NULL)",
        )?;
        left_out.add(rotated, || format!("the rotation of {}", plural(rotated, "key", "keys")));
        if count("SELECT ahead > 0 FROM account_clock")? > 0 {
            left_out.0.push("how far the time of the account is ahead of this computer".to_owned());
        }
        Ok(())
    }
}
