//! The lists of `xks-console proxy`, as text and as JSON.

use std::error::Error;
use std::io::Write;

use serde_json::{Value, json};

use super::require_partition;
use crate::aws::limits;
use crate::aws::xks_console::ListProxyRequests;
use crate::xks::key_manager::{ExternalKey, ExternalKeyManager, KeyManagerError};

/// A writer of lists.
pub struct ListWriter<'a, W> {
    /// The output.
    pub out: &'a mut W,
    /// Whether each list is one JSON document.
    pub is_json: bool,
}

impl<W: Write> ListWriter<'_, W> {
    /// Writes a JSON document.
    pub fn write_json(&mut self, document: &Value) -> Result<(), Box<dyn Error>> {
        Ok(writeln!(self.out, "{}", serde_json::to_string_pretty(document)?)?)
    }

    /// Writes the names of the partitions; as JSON, also their URI paths.
    pub fn write_partitions(&mut self, manager: &ExternalKeyManager) -> Result<(), Box<dyn Error>> {
        let names = manager.partitions()?;
        if self.is_json {
            let partition = |name: &String| {
                let prefix = if name.is_empty() { String::new() } else { format!("/{name}") };
                json!({ "name": name, "uriPath": format!("{prefix}{}", limits::XKS_PROXY_PATH_SUFFIX) })
            };
            return self.write_json(&json!({ "partitions": names.iter().map(partition).collect::<Vec<_>>() }));
        }
        for name in names {
            writeln!(self.out, "{name}")?;
        }
        Ok(())
    }

    /// Writes the external keys of a partition.
    pub fn write_keys(&mut self, manager: &ExternalKeyManager, partition: &str) -> Result<(), Box<dyn Error>> {
        require_partition(manager, partition)?;
        let keys = manager.keys(partition)?;
        if self.is_json {
            let keys: Vec<Value> = keys.iter().map(key_json).collect();
            return self.write_json(&json!({ "partition": partition, "externalKeys": keys }));
        }
        writeln!(
            self.out,
            "{:<32} {:<8} {:<9} {:>7} {:>12}  {:<15}  CALLERS",
            "EXTERNAL KEY ID", "SPEC", "STATUS", "VERSION", "ENCRYPTIONS", "USAGE"
        )?;
        for key in keys {
            let or_none = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(",") };
            let (status, usage, callers) = (status(&key), or_none(&key.usage), or_none(&key.callers));
            writeln!(
                self.out,
                "{:<32} {:<8} {status:<9} {:>7} {:>12}  {usage:<15}  {callers}",
                key.id, key.spec, key.version, key.encryptions
            )?;
        }
        Ok(())
    }

    /// Writes the access key IDs of a partition.
    pub fn write_credentials(&mut self, manager: &ExternalKeyManager, partition: &str) -> Result<(), Box<dyn Error>> {
        require_partition(manager, partition)?;
        let ids = manager.access_key_ids(partition)?;
        if self.is_json {
            return self.write_json(&json!({ "partition": partition, "accessKeyIds": ids }));
        }
        for id in ids {
            writeln!(self.out, "{id}")?;
        }
        Ok(())
    }

    /// Writes the requests to the proxy that match `filter`, oldest first: a line of JSON for each, or one JSON
    /// document.
    pub fn write_requests(
        &mut self,
        manager: &ExternalKeyManager,
        filter: &ListProxyRequests,
    ) -> Result<(), Box<dyn Error>> {
        if let Some(partition) = &filter.partition {
            require_partition(manager, partition)?;
        }
        let mut requests = manager.requests(filter)?;
        // A deleted key may have requests, so a missing key is an error only if the list is empty.
        if requests.is_empty()
            && let Some(id) = &filter.external_key_id
            && !key_exists(manager, filter.partition.as_deref(), id)?
        {
            let subject =
                filter.partition.as_ref().map_or("No partition".to_owned(), |name| format!("Partition {name:?}"));
            let verb = if filter.partition.is_some() { "has no" } else { "has an" };
            return Err(format!("{subject} {verb} external key {id:?}.").into());
        }
        requests.reverse();
        if self.is_json {
            return self.write_json(&json!({ "requests": requests }));
        }
        for request in requests {
            writeln!(self.out, "{}", serde_json::to_string(&request)?)?;
        }
        Ok(())
    }
}

fn key_exists(manager: &ExternalKeyManager, partition: Option<&str>, id: &str) -> Result<bool, KeyManagerError> {
    let partitions = match partition {
        Some(partition) => vec![partition.to_owned()],
        None => manager.partitions()?,
    };
    for partition in partitions {
        match manager.key(&partition, id) {
            Ok(_) => return Ok(true),
            Err(KeyManagerError::KeyNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

fn status(key: &ExternalKey) -> &'static str {
    if key.enabled { "ENABLED" } else { "DISABLED" }
}

fn key_json(key: &ExternalKey) -> Value {
    json!({
        "id": key.id,
        "keySpec": key.spec,
        "keyUsage": key.usage,
        "keyStatus": status(key),
        "version": key.version,
        "encryptions": key.encryptions,
        "callers": key.callers,
    })
}
