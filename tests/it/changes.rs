//! Changes by other processes: the console reads only what changed.

use std::path::Path;

use xks_console::aws::kms::{
    CreateAlias, CreateKey, DeleteAlias, DisconnectCustomKeyStore, KeyState, ScheduleKeyDeletion, Tag, TagResource,
    UpdateKeyDescription,
};
use xks_console::aws::xks_console::AdvanceAccountClock;
use xks_console::bundled::{BundledAws, ChangeFeed};
use xks_console::client::Client;
use xks_console::create_key::key_summary::KeySummary;
use xks_console::environment::Clock;
use xks_console::flow::tape::screen_text;
use xks_console::in_process;
use xks_console::storage::changes::Changes;
use xks_console::tui::app::App;
use xks_console::tui::effect::{Call, Effect, Msg};
use xks_console::tui::runtime::perform;
use xks_console::tui::target::Target;

/// A console on an account that another process changes.
struct SharedAccount {
    app: App,
    client: Client,
    feed: ChangeFeed,
    /// The client of the other process.
    other: Client,
}

impl SharedAccount {
    async fn open(dir: &Path) -> Self {
        let (aws, other) = (BundledAws::open(dir, None).unwrap(), BundledAws::open(dir, None).unwrap());
        let client = in_process::client(&aws, Clock::System);
        let feed = aws.change_feed().unwrap();
        let (mut app, effects) = App::new(Target::Bundled, client.region());
        app.set_client(&client);
        app.follow_changes();
        let mut shared = Self { app, client, feed, other: in_process::client(&other, Clock::System) };
        let calls = shared.perform_all(effects).await;
        assert_eq!(calls.iter().filter(|call| matches!(call, Call::Keys(None))).count(), 1, "{calls:?}");
        assert!(shared.app.account.has_all_keys);
        shared
    }

    /// Performs the effects and those that follow from them. Returns the calls.
    async fn perform_all(&mut self, mut effects: Vec<Effect>) -> Vec<Call> {
        let mut calls = Vec::new();
        while !effects.is_empty() {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Call(id, call) => {
                        calls.push(call.clone());
                        let result = perform(&self.client, call).await;
                        effects.extend(self.app.update(Msg::CallCompleted(id, result)));
                    }
                    Effect::StartTimer(timer, _) => effects.extend(self.app.update(Msg::TimerElapsed(timer))),
                    _ => {}
                }
            }
        }
        calls
    }

    /// Has the console see what the other process changed. Returns the calls.
    async fn refresh(&mut self) -> Vec<Call> {
        let changes = self.feed.take();
        let effects = self.app.update(Msg::DataChanged(changes));
        self.perform_all(effects).await
    }

    fn keys(&self) -> &[KeySummary] {
        self.app.account.keys.ready().unwrap()
    }

    fn key_of(&self, alias: &str) -> KeySummary {
        let has_alias = |key: &&KeySummary| self.app.account.aliases_of(key.key_id()).iter().any(|name| name == alias);
        self.keys().iter().find(has_alias).unwrap().clone()
    }
}

fn changed(key_ids: &[&str]) -> Call {
    Call::ChangedKeys { key_ids: key_ids.iter().map(|id| (*id).to_owned()).collect(), with_tags: false }
}

#[tokio::test]
async fn change_of_one_key_reads_only_this_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = SharedAccount::open(dir.path()).await;
    let key_id = shared.key_of("customer-db").key_id().to_owned();
    let description = "Changed elsewhere".to_owned();
    shared.other.call(&UpdateKeyDescription { key_id: key_id.clone(), description }).await.unwrap();
    assert_eq!(shared.refresh().await, [Call::KeyStores, changed(&[&key_id])]);
    assert_eq!(&*shared.key_of("customer-db").description, "Changed elsewhere");
    let tags = vec![Tag { tag_key: "team".to_owned(), tag_value: "blue".to_owned() }];
    shared.other.call(&TagResource { key_id: key_id.clone(), tags }).await.unwrap();
    assert_eq!(shared.refresh().await, [Call::KeyStores, changed(&[&key_id])]);
    // A notification without a changed key, such as for a proxy fault, reads no keys.
    assert_eq!(shared.refresh().await, [Call::KeyStores]);
    // The list is up to date, so opening its page reads nothing.
    let calls = open_keys_page(&mut shared).await;
    assert!(calls.iter().all(|call| *call == Call::KeyStores), "{calls:?}");
}

async fn open_keys_page(shared: &mut SharedAccount) -> Vec<Call> {
    use crossterm::event::KeyCode;
    let mut calls = Vec::new();
    for code in [KeyCode::Tab, KeyCode::Up, KeyCode::Up, KeyCode::Enter] {
        let effects = shared.app.update(Msg::Key(code.into()));
        calls.extend(shared.perform_all(effects).await);
    }
    let shown = screen_text(&super::snapshots::draw(&shared.app, (120, 40)));
    assert!(shown.contains("Customer managed keys"), "{shown}");
    calls
}

#[tokio::test]
async fn created_and_deleted_aliases_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = SharedAccount::open(dir.path()).await;
    let key_id = shared.key_of("customer-db").key_id().to_owned();
    open_keys_page(&mut shared).await;
    let (alias_name, target_key_id) = ("alias/aardvark".to_owned(), key_id.clone());
    shared.other.call(&CreateAlias { alias_name: alias_name.clone(), target_key_id }).await.unwrap();
    shared.other.call(&DeleteAlias { alias_name: "alias/customer-db".to_owned() }).await.unwrap();
    assert_eq!(shared.refresh().await, [Call::KeyStores, changed(&[&key_id])]);
    assert_eq!(shared.app.account.aliases_of(&key_id), ["aardvark"]);
    let lines = screen_text(&super::snapshots::draw(&shared.app, (120, 40)));
    let rows: Vec<&str> = lines.lines().skip_while(|line| !line.contains("Aliases ▴")).skip(1).collect();
    assert!(rows[0].contains(" - ") && rows[1].contains("aardvark"), "in the order of the aliases: {lines}");
    assert!(!lines.contains("customer-db "), "{lines}");
    shared.other.call(&DeleteAlias { alias_name }).await.unwrap();
    shared.refresh().await;
    assert!(shared.app.account.aliases_of(&key_id).is_empty());
    let aliases = shared.app.account.aliases.ready().unwrap();
    assert!(aliases.iter().all(|alias| alias.target_key_id.as_ref() != Some(&key_id)));
}

#[tokio::test]
async fn new_keys_appear_and_deleted_keys_disappear() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = SharedAccount::open(dir.path()).await;
    let count = shared.keys().len();
    let key_id = shared.other.call(&CreateKey::default()).await.unwrap().key_metadata.key_id;
    assert_eq!(shared.refresh().await, [Call::KeyStores, changed(&[&key_id])]);
    assert_eq!((shared.keys().len(), shared.keys().last().unwrap().key_id()), (count + 1, &*key_id));
    let deletion = ScheduleKeyDeletion { key_id: key_id.clone(), pending_window_in_days: Some(7) };
    shared.other.call(&deletion).await.unwrap();
    shared.refresh().await;
    assert_eq!(shared.keys().last().unwrap().key_state, KeyState::PendingDeletion);
    shared.other.call(&AdvanceAccountClock { seconds: 8 * 24 * 3600 }).await.unwrap();
    // The first request after the time deletes the key, whichever process sends it.
    shared.refresh().await;
    shared.refresh().await;
    assert_eq!(shared.keys().len(), count);
    assert!(shared.keys().iter().all(|key| key.key_id() != key_id));
}

#[tokio::test]
async fn change_of_a_key_store_reads_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = SharedAccount::open(dir.path()).await;
    let key = shared.key_of("customer-db");
    let store_id = key.custom_key_store_id.unwrap();
    let in_store = |key: &&KeySummary| key.custom_key_store_id.as_ref() == Some(&store_id);
    let mut expected: Vec<String> = shared.keys().iter().filter(in_store).map(|key| key.key_id().to_owned()).collect();
    expected.sort();
    shared.other.call(&DisconnectCustomKeyStore { custom_key_store_id: store_id.to_string() }).await.unwrap();
    let calls = shared.refresh().await;
    assert!(calls.contains(&Call::ChangedKeys { key_ids: expected, with_tags: false }), "{calls:?}");
    assert_eq!(shared.key_of("customer-db").key_state, KeyState::Unavailable);
}

#[tokio::test]
async fn everything_is_read_if_there_were_too_many_changes() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = SharedAccount::open(dir.path()).await;
    let effects = shared.app.update(Msg::DataChanged(Changes::Everything));
    assert_eq!(shared.perform_all(effects).await, [Call::KeyStores, Call::Keys(None), Call::Aliases]);
}
