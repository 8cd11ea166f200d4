//! The text of scenarios.

use std::fmt::{Display, Write as _};

use super::definition::{Account, ExternalKey, Key, KeyStore, OtherAccount, Scenario};
use crate::bundled::kms::vpc_endpoint_service::VpcEndpointService;
use crate::bundled::workloads;

/// The maximum width of a list on one line.
const MAX_WIDTH: usize = 120;

/// Returns the text of a scenario in TOML. It has no past.
pub fn write(account: &Account, scenario: &Scenario) -> String {
    let mut text = Text::default();
    text.section("[account]");
    text.string("id", &account.id);
    text.string("alias", &account.alias);
    text.string("region", &account.region);
    text.string("console_user", &account.console_user);
    text.list("users", &account.users);
    text.list("roles", &account.roles);
    text.list("access_keys", &account.access_keys);
    for OtherAccount { id, users, roles, access_keys } in &scenario.other_account {
        text.section("[[other_account]]");
        text.string("id", id);
        text.list("users", users);
        text.list("roles", roles);
        text.list("access_keys", access_keys);
    }
    for policy in &scenario.iam_policy {
        text.section("[[iam_policy]]");
        text.string("name", &policy.name);
        text.string("document", &policy.document);
        text.list("attached_to", &policy.attached_to);
    }
    for policy in &scenario.trust_policy {
        text.section("[[trust_policy]]");
        text.string("document", &policy.document);
        text.list("roles", &policy.roles);
    }
    for partition in &scenario.partition {
        text.section("[[partition]]");
        text.string("name", &partition.name);
        text.values("keys", partition.keys.iter().map(inline_external_key));
    }
    for VpcEndpointService { name, private_dns_name, problem } in &scenario.vpc_endpoint_service {
        text.section("[[vpc_endpoint_service]]");
        text.string("name", name);
        text.string("private_dns_name", private_dns_name);
        text.optional_string("problem", problem.as_deref());
    }
    scenario.key_store.iter().for_each(|store| text.key_store(store.get_ref()));
    scenario.key.iter().for_each(|key| text.key(key.get_ref()));
    scenario.workload.iter().for_each(|workload| text.workload(workload.get_ref()));
    text.0
}

/// Returns a string in TOML, in the quotation marks that need the fewest escapes.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Returns a name in TOML, in quotation marks if it needs them.
fn name(text: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_bare) {
        return text.to_owned();
    }
    // A name can't have several lines. The escapes of JSON are also those of TOML, but JSON doesn't escape DEL.
    serde_json::Value::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007F")
}

fn inline_external_key(key: &ExternalKey) -> String {
    let mut members = vec![format!("id = {}", quoted(&key.id))];
    let mut add = |name: &str, value: Option<String>| {
        members.extend(value.map(|value| format!("{name} = {value}")));
    };
    add("manager_id", key.manager_id.as_deref().map(quoted));
    add("spec", key.spec.as_deref().map(quoted));
    let list = |values: &Vec<String>| values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ");
    add("usage", key.usage.as_ref().map(|usage| format!("[{}]", list(usage))));
    add("enabled", key.enabled.map(|is_enabled| is_enabled.to_string()));
    format!("{{ {} }}", members.join(", "))
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn section(&mut self, heading: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(heading);
        self.0.push('\n');
    }

    fn member(&mut self, name: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name} = {value}");
    }

    fn string(&mut self, name: &str, value: &str) {
        self.member(name, quoted(value));
    }

    fn optional_string(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.string(name, value);
        }
    }

    fn list(&mut self, name: &str, values: &[String]) {
        self.values(name, values.iter().map(|value| quoted(value)));
    }

    /// Adds a list of values in TOML: on one line if it's short, or else with a line for each value.
    fn values(&mut self, name: &str, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.collect();
        let line = format!("[{}]", values.join(", "));
        if name.len() + line.len() < MAX_WIDTH {
            return self.member(name, line);
        }
        let lines: String = values.iter().fold(String::new(), |mut lines, value| {
            let _ = writeln!(lines, "  {value},");
            lines
        });
        self.member(name, format_args!("[\n{lines}]"));
    }

    fn key_store(&mut self, store: &KeyStore) {
        self.section("[[key_store]]");
        self.string("name", &store.name);
        self.string("partition", &store.partition);
        self.string("state", store.state.as_str());
        self.optional_string("error_code", store.error_code.as_deref());
        if store.has_wrong_secret {
            self.member("has_wrong_secret", true);
        }
        self.string("created", &store.created.to_string());
    }

    fn key(&mut self, key: &Key) {
        self.section("[[key]]");
        if !key.aliases.is_empty() {
            self.list("aliases", &key.aliases);
        }
        self.string("description", &key.description);
        self.optional_string("key_store", key.key_store.as_deref());
        self.optional_string("external_key", key.external_key.as_deref());
        if key.is_aws_managed {
            self.member("is_aws_managed", true);
        }
        if !key.enabled {
            self.member("enabled", false);
        }
        self.string("created", &key.created.to_string());
        if !key.tags.is_empty() {
            let tags: Vec<_> =
                key.tags.iter().map(|(tag, value)| format!("{} = {}", name(tag), quoted(value))).collect();
            self.member("tags", format_args!("{{ {} }}", tags.join(", ")));
        }
        self.optional_string("policy", key.policy.as_deref());
    }

    fn workload(&mut self, workload: &workloads::Definition) {
        self.section("[[workload]]");
        self.string("name", &workload.name);
        self.string("role", &workload.role);
        self.string("key", &workload.key);
        self.string("operation", workload.operation.name());
        self.string("every", &format!("{:#}", workload.every));
        self.optional_string("cache_data_keys", workload.cache_data_keys.map(|time| format!("{time:#}")).as_deref());
        self.optional_string("hours", workload.hours.clone().map(String::from).as_deref());
        self.optional_string("source_ip", workload.source_ip.map(|address| address.to_string()).as_deref());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use toml::Spanned;

    use super::*;

    proptest! {
        #[test]
        fn any_text_in_a_key_can_be_read_again(
            description in any::<String>(),
            policy in prop::option::of(any::<String>()),
            alias in any::<String>(),
            tags in prop::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        ) {
            let account = Account {
                id: String::new(), alias: String::new(), region: String::new(), console_user: String::new(),
                users: Vec::new(), roles: Vec::new(), access_keys: Vec::new(),
            };
            let key = Key {
                aliases: vec![alias.clone()], description: description.clone(), key_store: None, external_key: None,
                is_aws_managed: false, enabled: false, created: jiff::Timestamp::UNIX_EPOCH, tags: tags.clone(),
                policy: policy.clone(), count: 1,
            };
            let scenario = Scenario { key: vec![Spanned::new(0..0, key)], ..Scenario::default() };
            let text = write(&account, &scenario);
            let read: Scenario = toml::from_str(&text).unwrap();
            let found = read.key[0].get_ref();
            prop_assert_eq!(&found.description, &description, "{}", text);
            prop_assert_eq!(&found.policy, &policy);
            prop_assert_eq!(&found.aliases, &[alias]);
            prop_assert!(!found.enabled);
            let found: BTreeMap<_, _> = found.tags.clone();
            prop_assert_eq!(found, tags);
        }
    }
}
