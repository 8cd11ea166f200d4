//! A client that changes its own resources and tracks their expected state.

use std::collections::{BTreeMap, HashMap};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use xks_console::aws::kms::{
    CreateAlias, CreateKey, Decrypt, DeleteAlias, Encrypt, Origin, PutKeyPolicy, Tag, TagResource, UntagResource,
    UpdateAlias, UpdateKeyDescription,
};
use xks_console::aws::scalar::{Blob, SecretBlob};
use xks_console::client::{CallError, Client};

use super::server::{NamedClient, Server};

/// Number of external keys per client.
const EXTERNAL_KEYS: usize = 20;

/// The resources that calls can change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Keys by key ID.
    pub keys: BTreeMap<String, Key>,
    /// Key IDs by alias name.
    pub aliases: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub description: String,
    pub policy: String,
    pub tags: BTreeMap<String, String>,
    pub external: Option<String>,
}

#[derive(Clone, Debug)]
enum Change {
    CreateKey(CreateKey),
    UpdateKeyDescription(UpdateKeyDescription),
    TagResource(TagResource),
    UntagResource(UntagResource),
    CreateAlias(CreateAlias),
    UpdateAlias(UpdateAlias),
    DeleteAlias(DeleteAlias),
    PutKeyPolicy(PutKeyPolicy),
}

impl Change {
    /// Sends the change and returns the ID of the key if it created one.
    async fn send(&self, client: &Client) -> Result<Option<String>, CallError> {
        match self {
            Self::CreateKey(request) => {
                return client.call(request).await.map(|response| Some(response.key_metadata.key_id));
            }
            Self::UpdateKeyDescription(request) => client.call(request).await,
            Self::TagResource(request) => client.call(request).await,
            Self::UntagResource(request) => client.call(request).await,
            Self::CreateAlias(request) => client.call(request).await,
            Self::UpdateAlias(request) => client.call(request).await,
            Self::DeleteAlias(request) => client.call(request).await,
            Self::PutKeyPolicy(request) => client.call(request).await,
        }
        .map(|_| None)
    }
}

fn tag_pairs(tags: &[Tag]) -> impl Iterator<Item = (String, String)> {
    tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone()))
}

impl State {
    /// Returns this state after a change. `created_key_id` is the ID of a new key.
    fn with_change(&self, change: &Change, created_key_id: Option<&str>) -> Self {
        let mut after = self.clone();
        let Self { keys, aliases } = &mut after;
        let mut key = |id: &str, change: &dyn Fn(&mut Key)| keys.get_mut(id).into_iter().for_each(change);
        match change {
            Change::CreateKey(request) => {
                let new = Key {
                    description: request.description.clone().unwrap(),
                    policy: request.policy.clone().unwrap(),
                    tags: tag_pairs(request.tags.as_deref().unwrap()).collect(),
                    external: request.xks_key_id.clone(),
                };
                keys.extend(created_key_id.map(|id| (id.to_owned(), new)));
            }
            Change::UpdateKeyDescription(request) => {
                key(&request.key_id, &|key| key.description.clone_from(&request.description));
            }
            Change::TagResource(request) => {
                key(&request.key_id, &|key| key.tags.extend(tag_pairs(&request.tags)));
            }
            Change::UntagResource(request) => {
                key(&request.key_id, &|key| key.tags.retain(|tag, _| !request.tag_keys.contains(tag)));
            }
            Change::CreateAlias(CreateAlias { alias_name, target_key_id })
            | Change::UpdateAlias(UpdateAlias { alias_name, target_key_id }) => {
                aliases.insert(alias_name.clone(), target_key_id.clone());
            }
            Change::DeleteAlias(request) => {
                aliases.remove(&request.alias_name);
            }
            Change::PutKeyPolicy(request) => {
                key(&request.key_id, &|key| key.policy.clone_from(&request.policy));
            }
        }
        after
    }

    /// Returns the part of this state that belongs to the client with that name.
    fn owned_by(&self, name: &str) -> Self {
        let keys = self.keys.iter().filter(|(_, key)| key.description.starts_with(&format!("{name}-")));
        let aliases = self.aliases.iter().filter(|(alias, _)| alias.starts_with(&format!("alias/{name}-")));
        let own = |(name, value): (&String, &String)| (name.clone(), value.clone());
        Self { keys: keys.map(|(id, key)| (id.clone(), key.clone())).collect(), aliases: aliases.map(own).collect() }
    }
}

/// Returns a policy that is unique to the call with this name.
fn policy(call: &str) -> String {
    let root = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;
    format!(
        r#"{{"Version":"2012-10-17","Id":"{call}","Statement":[{{"Effect":"Allow","Principal":{root},"Action":"kms:*","Resource":"*"}}]}}"#
    )
}

/// A client with its own keys and aliases.
pub struct Worker {
    name: String,
    rng: ChaCha20Rng,
    /// The ID of the external key store.
    key_store: String,
    /// The state after all acknowledged changes.
    state: State,
    calls: usize,
    /// The names of the acknowledged calls.
    acknowledged: Vec<String>,
    /// How many of the acknowledged calls were checked against the events.
    verified_count: usize,
    /// The call that got no response.
    in_doubt: Option<(String, Change)>,
    unanswered_count: usize,
    /// Ciphertexts, each with the ID of the key that encrypted it.
    blobs: Vec<(String, Blob)>,
}

impl Worker {
    pub fn new(number: usize, key_store: &str, seed: u64) -> Self {
        Self {
            name: format!("c{number}"),
            rng: ChaCha20Rng::seed_from_u64(seed.wrapping_add(number as u64 + 1)),
            key_store: key_store.to_owned(),
            state: State::default(),
            calls: 0,
            acknowledged: Vec::new(),
            verified_count: 0,
            in_doubt: None,
            unanswered_count: 0,
            blobs: Vec::new(),
        }
    }

    /// Returns the IDs of the external keys reserved for this client.
    pub fn external_keys(&self) -> impl Iterator<Item = String> {
        (0..EXTERNAL_KEYS).map(|number| format!("{}-{number}", self.name))
    }

    /// Returns the number of calls that got no response.
    pub fn unanswered_count(&self) -> usize {
        self.unanswered_count
    }

    /// Sends a random change. Returns false if no response came because the server was killed.
    pub async fn call(&mut self, named_client: &NamedClient) -> bool {
        self.calls += 1;
        let call = format!("{}-{}", self.name, self.calls);
        let change = self.next_change(&call);
        match change.send(named_client.with_name(&call)).await {
            Ok(created_key_id) => {
                self.state = self.state.with_change(&change, created_key_id.as_deref());
                self.acknowledged.push(call);
                true
            }
            Err(CallError::Transport(_)) => {
                self.in_doubt = Some((call, change));
                self.unanswered_count += 1;
                false
            }
            Err(error) => panic!("{call}, {change:?}: {error}"),
        }
    }

    fn pick<T: Clone>(&mut self, mut items: impl ExactSizeIterator<Item = T>) -> Option<T> {
        let index = self.rng.next_u32() as usize % items.len().max(1);
        items.nth(index)
    }

    fn pick_key(&mut self) -> Option<String> {
        let ids: Vec<String> = self.state.keys.keys().cloned().collect();
        self.pick(ids.into_iter())
    }

    fn pick_alias(&mut self) -> Option<String> {
        let names: Vec<String> = self.state.aliases.keys().cloned().collect();
        self.pick(names.into_iter())
    }

    /// Returns up to four tags.
    fn random_tags(&mut self, value: &str) -> Vec<Tag> {
        let first = self.rng.next_u32() % 12;
        let count = 1 + self.rng.next_u32() % 4;
        (first..first + count).map(|n| Tag { tag_key: format!("tag-{n}"), tag_value: value.to_owned() }).collect()
    }

    fn next_change(&mut self, call: &str) -> Change {
        let roll = self.rng.next_u32() % 100;
        let Some(key_id) = self.pick_key().filter(|_| roll >= 5) else { return self.create_key_change(call) };
        match roll {
            ..30 => Change::TagResource(TagResource { key_id, tags: self.random_tags(call) }),
            30..40 => {
                let tag_keys = self.random_tags(call).into_iter().map(|tag| tag.tag_key).collect();
                Change::UntagResource(UntagResource { key_id, tag_keys })
            }
            40..55 => {
                let description = call.to_owned();
                Change::UpdateKeyDescription(UpdateKeyDescription { key_id, description })
            }
            55..70 => {
                let policy = policy(call);
                Change::PutKeyPolicy(PutKeyPolicy { key_id, policy, ..PutKeyPolicy::default() })
            }
            _ => match self.pick_alias() {
                Some(alias_name) if roll >= 92 => Change::DeleteAlias(DeleteAlias { alias_name }),
                Some(alias_name) if roll >= 82 => {
                    Change::UpdateAlias(UpdateAlias { alias_name, target_key_id: key_id })
                }
                _ => Change::CreateAlias(CreateAlias { alias_name: format!("alias/{call}"), target_key_id: key_id }),
            },
        }
    }

    /// Returns a CreateKey change: every other call uses the external key store while external keys are left.
    fn create_key_change(&mut self, call: &str) -> Change {
        let is_taken = |id: &String| self.state.keys.values().any(|key| key.external.as_ref() == Some(id));
        let external = self.external_keys().find(|id| !is_taken(id)).filter(|_| self.calls.is_multiple_of(2));
        let tags = self.random_tags(call);
        Change::CreateKey(CreateKey {
            origin: external.as_ref().map(|_| Origin::ExternalKeyStore),
            custom_key_store_id: external.as_ref().map(|_| self.key_store.clone()),
            xks_key_id: external,
            description: Some(call.to_owned()),
            policy: Some(policy(call)),
            tags: Some(tags),
            ..CreateKey::default()
        })
    }

    /// Compares the actual state with the expected state. The one change without a response must be present together
    /// with its event, or absent without one. Every other change must have exactly one event.
    pub fn verify(&mut self, actual: &State, events: &HashMap<String, usize>, checks_all_events: bool) {
        let actual = actual.owned_by(&self.name);
        let count = |call: &str| events.get(call).copied().unwrap_or_default();
        let expected = match self.in_doubt.take() {
            Some((call, change)) if count(&call) > 0 => {
                let created_key_id = actual.keys.keys().find(|id| !self.state.keys.contains_key(*id));
                self.acknowledged.push(call);
                self.state.with_change(&change, created_key_id.map(String::as_str))
            }
            _ => self.state.clone(),
        };
        assert_eq!(actual, expected, "{}", self.name);
        self.state = actual;
        let start = if checks_all_events { 0 } else { self.verified_count };
        for call in &self.acknowledged[start..] {
            assert_eq!(count(call), 1, "number of events for {call}");
        }
        for (call, count) in events.iter().filter(|(call, _)| call.starts_with(&format!("{}-", self.name))) {
            assert!(*count == 1 && self.acknowledged.contains(call), "{count} events for {call}");
        }
        self.verified_count = self.acknowledged.len();
    }

    /// Decrypts the ciphertexts of the previous call, then encrypts new ones for the next call.
    pub async fn use_keys(&mut self, server: &Server) {
        let client = server.client("reader");
        let plaintext = SecretBlob::new(b"four corners".to_vec());
        for (key_id, ciphertext_blob) in self.blobs.drain(..) {
            let request = Decrypt { ciphertext_blob, key_id: Some(key_id), ..Decrypt::default() };
            assert_eq!(client.call(&request).await.unwrap().plaintext, plaintext);
        }
        let external = self.state.keys.iter().filter(|(_, key)| key.external.is_some()).take(2);
        let kms = self.state.keys.iter().filter(|(_, key)| key.external.is_none()).take(1);
        for (key_id, _) in external.chain(kms) {
            let request = Encrypt { key_id: key_id.clone(), plaintext: plaintext.clone(), ..Encrypt::default() };
            self.blobs.push((key_id.clone(), client.call(&request).await.unwrap().ciphertext_blob));
        }
    }
}
