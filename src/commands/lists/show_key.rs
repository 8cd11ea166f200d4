//! `xks-console show-key`.

use std::error::Error;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, Output, load};
use crate::aws::cli_command::shell_quote;
use crate::aws::kms::Tag;
use crate::aws::xks_console::DescribeExternalKeyOutput;
use crate::client::find::{self, Found};
use crate::client::{CallError, Client};
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::key_summary::KeySummary;
use crate::create_key::preview::access;
use crate::listing::json;
use crate::listing::keys::{KeyColumn, cell};
use crate::text::{self, escape_controls, time};
use crate::tui::effect::{Call, CallFailure, Response};

/// The least width of the names of properties.
const MIN_NAME_WIDTH: usize = 22;

/// The key can't be shown.
#[derive(Debug, thiserror::Error)]
enum ShowKeyError {
    #[error(
        "There is no KMS key with the ID, ARN, or alias \"{name}\" in this account and Region {region}. To list the keys, run \
         `xks-console list-keys`."
    )]
    NotFound { name: String, region: String },
    #[error(
        "\"{0}\" is a key store, not a KMS key. To list its keys, run `xks-console list-keys --store {quoted}`. To see it in \
         the console, run `xks-console open {quoted}`.",
        quoted = shell_quote(.0)
    )]
    KeyStore(String),
    #[error("Couldn't find \"{name}\": {error}")]
    Call { name: String, error: CallError },
}

/// What the page of a key shows.
struct KeyDetails {
    key: KeySummary,
    account: AccountState,
    policy: Loadable<String>,
    tags: Loadable<Vec<Tag>>,
    /// Only the bundled AWS has it.
    external_key: Loadable<DescribeExternalKeyOutput>,
}

/// Prints the key with this ID, ARN, or alias. Returns whether everything about it could be loaded.
pub(super) async fn run(
    client: &Client,
    name: &str,
    output: &mut Output<'_, impl Write, impl Write>,
) -> Result<bool, Box<dyn Error>> {
    let details = load_details(client, find_key(client, name).await?).await;
    if output.format == Format::Json {
        output.write_json(&details.to_json())?;
    } else {
        details.write(output.out)?;
        output.out.flush()?;
    }
    let is_complete = [
        load::report_missing(&details.account.aliases, "the aliases", output.notes)?,
        load::report_missing(&details.account.key_stores, "the properties of the key store", output.notes)?,
        load::report_missing(&details.tags, "the tags", output.notes)?,
        load::report_missing(&details.policy, "the key policy", output.notes)?,
        load::report_missing(&details.external_key, "the properties of the external key", output.notes)?,
    ];
    Ok(!is_complete.contains(&false))
}

async fn find_key(client: &Client, name: &str) -> Result<KeySummary, ShowKeyError> {
    let name = name.to_owned();
    Err(match find::find(client, &name).await {
        Ok(Some(Found::Key(key))) => return Ok((*key).into()),
        Ok(Some(Found::KeyStore(_))) => ShowKeyError::KeyStore(name),
        Ok(None) => ShowKeyError::NotFound { name, region: client.region().to_owned() },
        Err(error) => ShowKeyError::Call { name, error },
    })
}

async fn load_details(client: &Client, key: KeySummary) -> KeyDetails {
    let id = || key.key_id().to_owned();
    let (account, policy, tags, external_key) = tokio::join!(
        load::account_state(client),
        load::call(client, Call::KeyPolicy(id())),
        load::call(client, Call::KeyTags(id())),
        load_external_key(client, &key)
    );
    KeyDetails {
        policy: load::loadable(
            policy,
            |response| if let Response::KeyPolicy(text) = response { Some(text) } else { None },
        ),
        tags: load::loadable(tags, |response| if let Response::KeyTags(tags) = response { Some(tags) } else { None }),
        external_key,
        account,
        key,
    }
}

/// Loads the external key from the bundled AWS. AWS doesn't have it.
async fn load_external_key(client: &Client, key: &KeySummary) -> Loadable<DescribeExternalKeyOutput> {
    let (Some(store), Some(external)) = (&key.custom_key_store_id, &key.xks_key_id) else { return Loadable::Idle };
    let call = Call::ExternalKey { custom_key_store_id: store.to_string(), xks_key_id: external.to_string() };
    match load::call(client, call).await {
        Err(failure) if failure.code == CallFailure::NOT_AVAILABLE => Loadable::Idle,
        result => {
            load::loadable(
                result,
                |response| {
                    if let Response::ExternalKey(external) = response { Some(external) } else { None }
                },
            )
        }
    }
}

impl KeyDetails {
    fn to_json(&self) -> Value {
        let mut document = json::key(&self.key, &self.account);
        // Text that isn't JSON is printed as it is.
        let policy = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
        document["policy"] = self.policy.ready().map_or(Value::Null, policy);
        document["tags"] = self.tags.ready().map_or(Value::Null, |tags| json::tags(tags));
        document["externalKey"] = self.external_key.ready().map_or(Value::Null, json::external_key);
        json!({ "key": document })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let cell = |column| (column, cell(&self.key, column, &self.account));
        let named = |(column, text): (KeyColumn, String)| (column.title().to_owned(), text);
        let mut general = vec![
            ("Aliases".to_owned(), self.account.aliases_of(self.key.key_id()).join(", ")),
            named(cell(KeyColumn::KeyId)),
            ("ARN".to_owned(), self.key.arn.to_string()),
            named(cell(KeyColumn::Status)),
            named(cell(KeyColumn::CreationDate)),
            named(cell(KeyColumn::Description)),
        ];
        if let Some(date) = self.key.deletion_date {
            general.insert(4, ("Deletion date".to_owned(), time::to_minute(date.0)));
        }
        write_section(out, "General configuration", &general)?;
        let cryptography =
            [KeyColumn::KeyType, KeyColumn::Origin, KeyColumn::KeySpec, KeyColumn::KeyUsage, KeyColumn::Regionality];
        writeln!(out)?;
        write_section(out, "Cryptographic configuration", &cryptography.map(|column| named(cell(column))))?;
        self.write_key_store(out)?;
        self.write_external_key(out)?;
        writeln!(out)?;
        self.write_tags(out)?;
        writeln!(out)?;
        self.write_policy(out)
    }

    fn write_key_store(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(id) = self.key.custom_key_store_id.as_deref() else { return Ok(()) };
        let mut properties = vec![("Custom key store ID".to_owned(), id.to_owned())];
        if let Some(store) = self.account.key_store(id) {
            properties.extend([
                ("Custom key store name".to_owned(), store.custom_key_store_name.clone()),
                ("Custom key store type".to_owned(), store.custom_key_store_type.label().to_owned()),
                ("Connection state".to_owned(), store.connection_state.label().to_owned()),
            ]);
        }
        writeln!(out)?;
        write_section(out, "Custom key store", &properties)
    }

    fn write_external_key(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(id) = self.key.xks_key_id.as_deref() else { return Ok(()) };
        let mut properties = vec![("External key ID".to_owned(), id.to_owned())];
        if let Some(external) = self.external_key.ready() {
            properties.extend([
                ("External key status".to_owned(), external.key_status.clone()),
                ("External key usage".to_owned(), external.key_usage.join(", ")),
                ("External key spec".to_owned(), external.key_spec.clone()),
            ]);
        }
        writeln!(out)?;
        write_section(out, "External key", &properties)
    }

    fn write_tags(&self, out: &mut impl Write) -> io::Result<()> {
        match self.tags.ready().map(Vec::as_slice) {
            None => writeln!(out, "Tags\n  Not loaded"),
            Some([]) => writeln!(out, "Tags\n  No tags"),
            Some(tags) => {
                let pair = |tag: &Tag| (tag.tag_key.clone(), tag.tag_value.clone());
                write_section(out, "Tags", &tags.iter().map(pair).collect::<Vec<_>>())
            }
        }
    }

    /// Writes what the key policy allows, in sentences, and its JSON.
    fn write_policy(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "Key policy")?;
        let Some(policy) = self.policy.ready() else { return writeln!(out, "  Not loaded") };
        // The account is the fifth part of an ARN.
        let account_id = self.key.arn.split(':').nth(4).unwrap_or_default();
        for sentence in access::describe(policy, account_id) {
            writeln!(out, "  {}", escape_controls(&sentence))?;
        }
        writeln!(out)?;
        let pretty = serde_json::from_str::<Value>(policy).and_then(|value| serde_json::to_string_pretty(&value));
        for line in pretty.as_deref().unwrap_or(policy).lines() {
            writeln!(out, "  {}", escape_controls(line))?;
        }
        Ok(())
    }
}

/// Writes a heading, and a line for each property.
fn write_section(out: &mut impl Write, heading: &str, properties: &[(String, String)]) -> io::Result<()> {
    writeln!(out, "{heading}")?;
    let names: Vec<String> = properties.iter().map(|(name, _)| escape_controls(name)).collect();
    let width = names.iter().map(|name| text::width(name)).max().unwrap_or(0).max(MIN_NAME_WIDTH);
    for (name, (_, value)) in names.iter().zip(properties) {
        let value = if value.is_empty() { "-".to_owned() } else { escape_controls(value) };
        writeln!(out, "  {}  {value}", text::fit(name, width))?;
    }
    Ok(())
}
