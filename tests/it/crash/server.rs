//! A served AWS in its own process, and the requests that read its state.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header};
use xks_console::aws::cloudtrail::{LookupAttribute, LookupEvents};
use xks_console::aws::kms::{DescribeKey, GetKeyPolicy};
use xks_console::aws::scalar::{EpochSeconds, SecretString};
use xks_console::aws::sigv4::Credentials;
use xks_console::client::{Client, Https, Transport, TransportError};
use xks_console::environment::Clock;

use super::clients::{Key, State};

const REGION: &str = "us-west-2";
/// Number of concurrent key readers.
const READERS: usize = 8;

/// A server in its own process.
pub struct Server {
    process: Child,
    /// Kept open because the server can still write to it.
    _output: BufReader<ChildStdout>,
    address: SocketAddr,
    credentials: Credentials,
    /// Shared by all clients because creating one reads many certificates.
    https: Https,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    pub fn start(data_dir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .env("XDG_CONFIG_HOME", data_dir.join("config"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut exports = HashMap::new();
        while !exports.contains_key("AWS_SECRET_ACCESS_KEY") {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "the server exited");
            let (name, value) = line.trim().strip_prefix("export ").unwrap().split_once('=').unwrap();
            exports.insert(name.to_owned(), value.trim_matches(['\'', '"']).to_owned());
        }
        let credentials = Credentials {
            access_key_id: exports["AWS_ACCESS_KEY_ID"].clone(),
            secret_access_key: SecretString::new(exports["AWS_SECRET_ACCESS_KEY"].clone()),
            session_token: None,
        };
        let address = exports["AWS_ENDPOINT_URL"].strip_prefix("http://").unwrap().parse().unwrap();
        Self { process, _output: output, address, credentials, https: Https::new(None).unwrap() }
    }

    /// Kills the server with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Returns a new client with its own name.
    pub fn named_client(&self) -> NamedClient {
        let name = Arc::default();
        let transport = NamedTransport { https: self.https.clone(), address: self.address, name: Arc::clone(&name) };
        NamedClient { client: Client::new(Arc::new(transport), self.credentials.clone(), REGION, Clock::System), name }
    }

    pub fn client(&self, name: &str) -> Client {
        self.named_client().with_name(name).clone()
    }

    /// Returns the keys and aliases of all clients.
    pub async fn state(&self) -> State {
        let client = self.client("reader");
        let aliases = client.collect_aliases().await.unwrap();
        let aliases = aliases.into_iter().map(|alias| (alias.alias_name, alias.target_key_id.unwrap())).collect();
        let ids: Vec<String> = client.collect_keys().await.unwrap().into_iter().map(|key| key.key_id).collect();
        let readers = ids.chunks(ids.len().div_ceil(READERS)).map(|ids| {
            let (client, ids) = (client.clone(), ids.to_vec());
            tokio::spawn(async move {
                let mut keys = BTreeMap::new();
                for id in ids {
                    let key = read_key(&client, &id).await;
                    keys.insert(id, key);
                }
                keys
            })
        });
        let mut keys = BTreeMap::new();
        for reader in readers.collect::<Vec<_>>() {
            keys.extend(reader.await.unwrap());
        }
        State { keys, aliases }
    }

    /// Returns the number of change events per user agent.
    pub async fn event_counts(&self, since: Option<jiff::Timestamp>) -> HashMap<String, usize> {
        let client = self.client("reader");
        let changes = LookupAttribute { attribute_key: "ReadOnly".to_owned(), attribute_value: "false".to_owned() };
        let mut request = LookupEvents {
            lookup_attributes: Some(vec![changes]),
            start_time: since.map(EpochSeconds),
            ..LookupEvents::default()
        };
        let mut counts = HashMap::new();
        loop {
            let page = client.call(&request).await.unwrap();
            for event in page.events {
                let event: serde_json::Value = serde_json::from_str(&event.cloud_trail_event).unwrap();
                *counts.entry(event["userAgent"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            if page.next_token.is_none() {
                return counts;
            }
            request.next_token = page.next_token;
        }
    }
}

async fn read_key(client: &Client, id: &str) -> Key {
    let metadata = client.call(&DescribeKey::new(id.to_owned())).await.unwrap().key_metadata;
    let tags = client.collect_tags(id).await.unwrap();
    let policy = client.call(&GetKeyPolicy { key_id: id.to_owned(), policy_name: None }).await.unwrap().policy;
    Key {
        description: metadata.description,
        policy,
        tags: tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect(),
        external: metadata.xks_key_configuration.map(|external| external.id),
    }
}

/// A client that sends its name as the user agent of each call, which its events then contain.
pub struct NamedClient {
    client: Client,
    name: Arc<Mutex<String>>,
}

impl NamedClient {
    pub fn with_name(&self, name: &str) -> &Client {
        name.clone_into(&mut self.name.lock().unwrap());
        &self.client
    }
}

struct NamedTransport {
    https: Https,
    address: SocketAddr,
    name: Arc<Mutex<String>>,
}

impl Transport for NamedTransport {
    /// Sends the request to the served AWS, whatever its host. The `Host` header stays as signed.
    fn send(&self, mut request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        *request.uri_mut() = format!("http://{}/", self.address).parse::<Uri>().unwrap();
        let name = HeaderValue::from_str(&self.name.lock().unwrap()).unwrap();
        request.headers_mut().insert(header::USER_AGENT, name);
        self.https.send(request)
    }

    fn is_bundled(&self) -> bool {
        true
    }
}
