//! Fills a new account from a scenario in `assets/scenarios`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Deserialize;

use super::account_region;
use super::iam::principals;
use super::kms::vpc_endpoint_service::VpcEndpointService;
use super::store::{OpenError, Store, StoreError};
use crate::aws::arn::{Arn, partition_of};
use crate::aws::iam::{Role, User};
use crate::aws::kms::{
    ConnectionState, CustomKeyStore, CustomKeyStoreType, KeyManagerType, KeyMetadata, KeyState, Origin,
    XksKeyConfiguration, XksProxyConfiguration, XksProxyConnectivity,
};
use crate::aws::member_list::MemberList;
use crate::aws::policy;
use crate::aws::scalar::EpochSeconds;
use crate::environment::Environment;
use crate::xks::key_manager::{ExternalKeyManager, NewExternalKey, ProxyCredential};
use crate::xks::proxy::BUNDLED_HOST;

const SCENARIOS: [(&str, &str); 1] = [("default", include_str!("../../assets/scenarios/default.toml"))];
/// The creation date of the principals in a scenario.
const PRINCIPAL_CREATE_DATE: &str = "2024-01-15T09:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    account: Account,
    #[serde(default)]
    other_account: Vec<OtherAccount>,
    #[serde(default)]
    iam_policy: Vec<IamPolicy>,
    #[serde(default)]
    trust_policy: Vec<TrustPolicy>,
    #[serde(default)]
    partition: Vec<Partition>,
    #[serde(default)]
    vpc_endpoint_service: Vec<VpcEndpointService>,
    #[serde(default)]
    key_store: Vec<KeyStore>,
    #[serde(default)]
    key: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: String,
    alias: String,
    region: String,
    console_user: String,
    users: Vec<String>,
    roles: Vec<String>,
    /// The users that get an access key, in addition to the console's user.
    access_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherAccount {
    id: String,
    users: Vec<String>,
    roles: Vec<String>,
    access_keys: Vec<String>,
}

/// An IAM policy and the ARNs of the principals that it is attached to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IamPolicy {
    name: String,
    document: String,
    attached_to: Vec<String>,
}

/// A trust policy. It replaces the default one, which trusts the role's account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustPolicy {
    document: String,
    /// The ARNs of the roles that have this trust policy.
    roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Partition {
    name: String,
    keys: Vec<ExternalKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalKey {
    id: String,
    manager_id: Option<String>,
    spec: Option<String>,
    usage: Option<Vec<String>>,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyStore {
    name: String,
    partition: String,
    state: ConnectionState,
    error_code: Option<String>,
    #[serde(default)]
    has_wrong_secret: bool,
    created: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names)]
struct Key {
    #[serde(default)]
    aliases: Vec<String>,
    description: String,
    key_store: Option<String>,
    external_key: Option<String>,
    #[serde(default)]
    is_aws_managed: bool,
    created: Timestamp,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Returns whether the account has been filled.
pub fn is_filled(store: &Store) -> Result<bool, OpenError> {
    store.read(is_filled_in_transaction)
}

fn is_filled_in_transaction(tx: &Transaction) -> Result<bool, OpenError> {
    let found = tx.query_row("SELECT 1 FROM meta WHERE name = 'scenario'", [], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Fills a new account from a scenario.
///
/// The external key manager is filled first, and can be filled again without harm. The account is committed last, in
/// one transaction, so an interrupted start never leaves a partly filled account behind.
pub fn fill(name: &str, store: &Store, manager: &ExternalKeyManager) -> Result<(), OpenError> {
    let (_, text) = SCENARIOS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| OpenError::UnknownScenario(name.to_owned()))?;
    let invalid_scenario = |reason: String| OpenError::InvalidScenario { name: name.to_owned(), reason };
    let scenario: Scenario = toml::from_str(text).map_err(|error| invalid_scenario(error.to_string()))?;
    let credentials = fill_key_manager(&scenario, store.environment(), manager)?;
    store.write(|tx| {
        if is_filled_in_transaction(tx)? {
            return Ok(());
        }
        let writer = ScenarioWriter { scenario: &scenario, store, tx };
        writer.insert_principals()?;
        writer.insert_vpc_endpoint_services()?;
        let stores = writer.insert_key_stores(&credentials).map_err(|error| error.into_open_error(invalid_scenario))?;
        for key in &scenario.key {
            writer.add_key(key, &stores).map_err(|error| error.into_open_error(invalid_scenario))?;
        }
        writer.create_other_access_keys()?;
        tx.execute("INSERT INTO meta VALUES ('scenario', ?1)", [name.as_bytes()])?;
        Ok(())
    })
}

/// Creates missing partitions and external keys, and returns a new credential for the key store of each partition.
fn fill_key_manager(
    scenario: &Scenario,
    environment: &Environment,
    manager: &ExternalKeyManager,
) -> Result<BTreeMap<String, ProxyCredential>, OpenError> {
    let existing = manager.partitions()?;
    let mut credentials = BTreeMap::new();
    for partition in &scenario.partition {
        let credential = ProxyCredential::generate(&environment.random)?;
        if existing.contains(&partition.name) {
            manager.add_credential(&partition.name, &credential)?;
        } else {
            manager.create_partition(&partition.name, &credential)?;
        }
        let existing_keys = manager.keys(&partition.name)?;
        for key in partition.keys.iter().filter(|key| !existing_keys.iter().any(|existing| existing.id == key.id)) {
            let default_usage = || vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()];
            manager.create_key(
                &partition.name,
                &NewExternalKey {
                    id: key.id.clone(),
                    manager_id: key.manager_id.clone(),
                    spec: key.spec.clone().unwrap_or_else(|| "AES_256".to_owned()),
                    usage: key.usage.clone().unwrap_or_else(default_usage),
                    enabled: key.enabled.unwrap_or(true),
                    callers: Vec::new(),
                },
            )?;
        }
        credentials.insert(partition.name.clone(), credential);
    }
    Ok(credentials)
}

/// An error that occurs while filling an account, or the reason why the scenario is invalid.
enum FillError {
    Failed(OpenError),
    InvalidScenario(String),
}

impl FillError {
    fn into_open_error(self, invalid_scenario: impl Fn(String) -> OpenError) -> OpenError {
        match self {
            Self::Failed(error) => error,
            Self::InvalidScenario(reason) => invalid_scenario(reason),
        }
    }
}

impl<E: Into<OpenError>> From<E> for FillError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct ScenarioWriter<'a> {
    scenario: &'a Scenario,
    store: &'a Store,
    tx: &'a Transaction<'a>,
}

/// Splits `/path/Name` into `/path/` and `Name`.
fn path_and_name(text: &str) -> (&str, &str) {
    text.split_at(text.rfind('/').map_or(0, |index| index + 1))
}

impl ScenarioWriter<'_> {
    fn environment(&self) -> &Environment {
        self.store.environment()
    }

    /// Returns a unique ID in the format of IAM: a prefix of four letters, and 16 characters from A-Z and 2-7.
    fn unique_id(&self, prefix: &str) -> Result<String, OpenError> {
        Ok(format!("{prefix}{}", principals::unique_id_suffix(&self.environment().random)?))
    }

    fn insert_principals(&self) -> Result<(), OpenError> {
        let account = &self.scenario.account;
        self.insert_account(&account.id, &account.users, &account.roles)?;
        let partition = partition_of(&account.region);
        let alias = format!("account-alias/{}", account.id);
        self.tx.execute("INSERT INTO meta VALUES (?1, ?2)", params![alias, account.alias.as_bytes()])?;
        for other in &self.scenario.other_account {
            self.insert_account(&other.id, &other.users, &other.roles)?;
        }
        for policy in &self.scenario.iam_policy {
            serde_json::from_str::<policy::PolicyDocument>(&policy.document)?;
            for arn in &policy.attached_to {
                self.tx.execute(
                    "INSERT INTO principal_policies SELECT account, kind, name, ?3, ?2 FROM principals
                     WHERE document ->> '$.Arn' = ?1",
                    [arn, &policy.document, &policy.name],
                )?;
            }
        }
        for trust in &self.scenario.trust_policy {
            serde_json::from_str::<policy::PolicyDocument>(&trust.document)?;
            for arn in &trust.roles {
                self.tx.execute(
                    "UPDATE principals SET document = json_set(document, '$.AssumeRolePolicyDocument', ?2)
                     WHERE document ->> '$.Arn' = ?1",
                    [arn, &trust.document],
                )?;
            }
        }
        let console =
            self.create_access_key(&format!("arn:{partition}:iam::{}:user{}", account.id, account.console_user))?;
        self.tx.execute("INSERT INTO meta VALUES ('console-access-key', ?1)", [console.as_bytes()])?;
        Ok(())
    }

    /// Creates the access keys of all users other than the console's user.
    fn create_other_access_keys(&self) -> Result<(), OpenError> {
        let account = &self.scenario.account;
        let partition = partition_of(&account.region);
        for user in &account.access_keys {
            self.create_access_key(&format!("arn:{partition}:iam::{}:user{user}", account.id))?;
        }
        for other in &self.scenario.other_account {
            for user in &other.access_keys {
                self.create_access_key(&format!("arn:{partition}:iam::{}:user{user}", other.id))?;
            }
        }
        Ok(())
    }

    /// Returns the value that identifies the account and Region in the database.
    fn account_region(&self) -> String {
        account_region(&self.scenario.account.id, &self.scenario.account.region)
    }

    fn insert_vpc_endpoint_services(&self) -> Result<(), OpenError> {
        for service in &self.scenario.vpc_endpoint_service {
            self.tx.execute(
                "INSERT INTO vpc_endpoint_services VALUES (?1, ?2, ?3)",
                params![self.account_region(), service.name, serde_json::to_string(service)?],
            )?;
        }
        Ok(())
    }

    fn insert_account(&self, account: &str, users: &[String], roles: &[String]) -> Result<(), OpenError> {
        let partition = partition_of(&self.scenario.account.region);
        let insert = |kind: &str, name: &str, document: String| {
            self.tx.execute("INSERT INTO principals VALUES (?1, ?2, ?3, ?4)", params![account, kind, name, document])
        };
        for user in users {
            let (path, name) = path_and_name(user);
            let document = serde_json::to_string(&User {
                path: path.to_owned(),
                user_name: name.to_owned(),
                user_id: self.unique_id("AIDA")?,
                arn: format!("arn:{partition}:iam::{account}:user{user}"),
                create_date: PRINCIPAL_CREATE_DATE.to_owned(),
                tags: MemberList::default(),
            })?;
            insert("user", name, document)?;
        }
        for role in roles {
            let (path, name) = path_and_name(role);
            let document = serde_json::to_string(&Role {
                path: path.to_owned(),
                role_name: name.to_owned(),
                role_id: self.unique_id("AROA")?,
                arn: format!("arn:{partition}:iam::{account}:role{role}"),
                create_date: PRINCIPAL_CREATE_DATE.to_owned(),
                assume_role_policy_document: None,
                description: None,
                max_session_duration: None,
                tags: MemberList::default(),
            })?;
            insert("role", name, document)?;
        }
        Ok(())
    }

    /// Creates a random access key for a user and returns its ID.
    fn create_access_key(&self, arn: &str) -> Result<String, OpenError> {
        let query = "SELECT account, document FROM principals WHERE document ->> '$.Arn' = ?1";
        let (account, document): (String, String) =
            self.tx.query_row(query, [arn], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let user: User = serde_json::from_str(&document)?;
        let id = self.unique_id("AKIA")?;
        let secret = zeroize::Zeroizing::new(self.environment().random.hex::<20>()?);
        let sealed = self.store.seal(&["access_keys", &id], secret.as_bytes())?;
        self.tx.execute(
            "INSERT INTO access_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id, account, user.arn, user.user_id, sealed, PRINCIPAL_CREATE_DATE],
        )?;
        Ok(id)
    }

    fn insert_key_stores(
        &self,
        credentials: &BTreeMap<String, ProxyCredential>,
    ) -> Result<BTreeMap<String, String>, FillError> {
        let region = &self.scenario.account.region;
        let mut ids = BTreeMap::new();
        for store in &self.scenario.key_store {
            let credential = credentials.get(&store.partition).ok_or_else(|| {
                FillError::InvalidScenario(format!(
                    "key store \"{}\" refers to partition \"{}\", which doesn't exist",
                    store.name, store.partition
                ))
            })?;
            let hex = self.environment().random.hex::<9>().map_err(OpenError::from)?;
            let id = format!("cks-{}", hex.get(..17).unwrap_or(&hex));
            let document = CustomKeyStore {
                custom_key_store_id: id.clone(),
                custom_key_store_name: store.name.clone(),
                connection_state: store.state,
                connection_error_code: store.error_code.clone(),
                creation_date: EpochSeconds(store.created),
                custom_key_store_type: CustomKeyStoreType::ExternalKeyStore,
                xks_proxy_configuration: Some(XksProxyConfiguration {
                    connectivity: XksProxyConnectivity::PublicEndpoint,
                    access_key_id: Some(credential.access_key_id.clone()),
                    uri_endpoint: format!("https://{BUNDLED_HOST}"),
                    uri_path: format!("/{}/kms/xks/v1", store.partition),
                    vpc_endpoint_service_name: None,
                    vpc_endpoint_service_owner: None,
                }),
                problem: None,
            };
            let wrong_credential = ProxyCredential::generate(&self.environment().random).map_err(OpenError::from)?;
            let stored_credential = if store.has_wrong_secret { &wrong_credential } else { credential };
            let secret = stored_credential.secret_access_key.expose().as_bytes();
            let sealed = self.store.seal(&["key_stores", region, &id], secret).map_err(OpenError::from)?;
            let document = serde_json::to_string(&document).map_err(OpenError::from)?;
            self.tx
                .execute(
                    "INSERT INTO key_stores (world, id, document, secret) VALUES (?1, ?2, ?3, ?4)",
                    params![self.account_region(), id, document, sealed],
                )
                .map_err(OpenError::from)?;
            ids.insert(store.name.clone(), id);
        }
        Ok(ids)
    }

    fn add_key(&self, key: &Key, stores: &BTreeMap<String, String>) -> Result<(), FillError> {
        let Account { id: account, region, .. } = &self.scenario.account;
        let store = key.key_store.as_ref().map(|name| {
            let missing = || {
                FillError::InvalidScenario(format!(
                    "KMS key \"{}\" refers to key store \"{name}\", which doesn't exist",
                    key.description
                ))
            };
            stores.get(name).cloned().ok_or_else(missing)
        });
        let store = store.transpose()?;
        if store.is_some() != key.external_key.is_some() {
            return Err(FillError::InvalidScenario(format!(
                "KMS key \"{}\" must have both key_store and external_key, or neither",
                key.description
            )));
        }
        self.insert_key(key, account, region, store.as_deref()).map_err(FillError::Failed)
    }

    fn insert_key(&self, key: &Key, account: &str, region: &str, store: Option<&str>) -> Result<(), OpenError> {
        let random = &self.environment().random;
        let (key_id, material_id) = (random.uuid()?, random.hex::<32>()?);
        let material = zeroize::Zeroizing::new(random.bytes::<32>()?);
        let sealed = self.store.seal(&["key_material", account, region, &key_id, &material_id], &*material)?;
        let metadata = KeyMetadata {
            aws_account_id: account.to_owned(),
            key_id: key_id.clone(),
            arn: Arn::kms_key(region, account, &key_id).to_string(),
            creation_date: EpochSeconds(key.created),
            enabled: true,
            description: key.description.clone(),
            key_usage: "ENCRYPT_DECRYPT".to_owned(),
            key_state: KeyState::Enabled,
            deletion_date: None,
            origin: if store.is_some() { Origin::ExternalKeyStore } else { Origin::AwsKms },
            custom_key_store_id: store.map(str::to_owned),
            key_manager: if key.is_aws_managed { KeyManagerType::Aws } else { KeyManagerType::Customer },
            customer_master_key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
            key_spec: "SYMMETRIC_DEFAULT".to_owned(),
            encryption_algorithms: Some(vec!["SYMMETRIC_DEFAULT".to_owned()]),
            multi_region: Some(false),
            xks_key_configuration: key.external_key.clone().map(|id| XksKeyConfiguration { id }),
            current_key_material_id: store.is_none().then(|| material_id.clone()),
            problem: None,
        };
        self.tx.execute(
            "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)",
            params![
                self.account_region(),
                key_id,
                serde_json::to_string(&metadata)?,
                policy::default_policy(partition_of(region), account),
                material_id,
                sealed,
                store,
                key.external_key
            ],
        )?;
        for alias in &key.aliases {
            let name = format!("alias/{alias}");
            let created = key.created.as_millisecond();
            self.tx.execute(
                "INSERT INTO aliases VALUES (?1, ?2, ?3, ?4, ?4)",
                params![self.account_region(), name, key_id, created],
            )?;
        }
        for (tag_key, tag_value) in &key.tags {
            self.tx.execute(
                "INSERT INTO tags VALUES (?1, ?2, ?3, ?4)",
                params![self.account_region(), key_id, tag_key, tag_value],
            )?;
        }
        Ok(())
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.0)
    }
}
