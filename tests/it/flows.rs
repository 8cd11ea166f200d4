//! Flows of the console that need more than a tape in `tests/tapes`, on an in-memory account.

use std::sync::{Arc, Mutex};

use super::snapshots::{play_from_start, play_tape};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use ratatui::buffer::Buffer;
use xks_console::aws::kms;
use xks_console::client::{CallError, Client, Transport, TransportError};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::target::Target;

/// Records CreateKey and CreateAlias requests.
struct RecordingTransport {
    inner: Arc<dyn Transport>,
    requests: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Transport for RecordingTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        if target.is_some_and(|target| target.ends_with(".CreateKey") || target.ends_with(".CreateAlias")) {
            self.requests.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
        }
        self.inner.send(request)
    }

    fn is_bundled(&self) -> bool {
        self.inner.is_bundled()
    }
}

#[test]
fn both_methods_create_the_same_key() {
    let tapes = [include_str!("../../assets/tapes/method-1.tape"), include_str!("../../assets/tapes/method-2.tape")];
    let results = tapes.map(|text| {
        let mut player = Player::start((120, 40)).unwrap();
        let (client, sent) = (player.client().clone(), Arc::new(Mutex::new(Vec::new())));
        player.use_client(
            &client.map_transport(|inner| Arc::new(RecordingTransport { inner, requests: Arc::clone(&sent) })),
        );
        tape::play(&Tape::parse("method", text).unwrap(), &mut player, &mut |_, _| Ok(())).unwrap();
        let mut sent = std::mem::take(&mut *sent.lock().unwrap());
        // The IDs of key stores and keys differ between accounts. Everything else is the user's input.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let key_store_id = runtime.block_on(frankfurt_key_store(&client)).custom_key_store_id;
        assert_eq!(sent[0]["CustomKeyStoreId"], key_store_id.as_str());
        sent[1]["TargetKeyId"] = serde_json::Value::Null;
        let keys = runtime.block_on(client.collect_aliases()).unwrap();
        let key_id =
            keys.iter().find(|alias| alias.alias_name == "alias/payments").unwrap().target_key_id.clone().unwrap();
        let describe = kms::DescribeKey::new(key_id.clone());
        let mut key = runtime.block_on(client.call(&describe)).unwrap().key_metadata;
        (key.key_id, key.arn) = (String::new(), String::new());
        let policy = kms::GetKeyPolicy { key_id, policy_name: None };
        (sent, key, runtime.block_on(client.call(&policy)).unwrap().policy)
    });
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0].0.len(), 2);
}

/// Returns a tape that goes through the wizard with this external key and alias and chooses Finish.
fn finish_tape(external_key: &str, alias: &str) -> String {
    format!(
        "Wait+Screen /External key stores \\(4\\)/\nDown\nEnter\nWait+Screen /General configuration/\nEnter\n\
         Wait+Screen /Create key/\nType \"{external_key}\"\nTab\nSpace\nCtrl+N\nType \"{alias}\"\nCtrl+N\nCtrl+N\nCtrl+N\n\
         Ctrl+N\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\nCtrl+N\n"
    )
}

#[test]
fn wizard_updates_the_proxy_credential_of_a_failed_key_store_and_connects_it() {
    // The wizard is opened from a connected key store, and then the failed one is chosen.
    let tape = "Wait+Screen /Frankfurt HSM/\nWait+Screen /111122223333/\nDown\nType \"n\"\nWait+Screen /External key ID/\n\
                Shift+Tab\nDown\nEnter\nWait+Screen /Update proxy credential/\nScreenshot offer.png\nLeft\nEnter\n\
                Wait+Screen /▸ Proxy credential: Access key ID/\nScreenshot form.png\n";
    let mut player = play_from_start("credential", tape);
    let configuration = player.bundled().unwrap().proxy_configuration("paris").unwrap();
    let configuration: serde_json::Value = serde_json::from_str(&configuration).unwrap();
    let member = |name: &str| configuration["XksProxyAuthenticationCredential"][name].as_str().unwrap().to_owned();
    let (id, secret) = (member("AccessKeyId"), member("RawSecretAccessKey"));
    let rest = format!(
        "Type \"{id}\"\nTab\nType \"{secret}\"\nCtrl+N\nWait+Screen /Disconnect and connect again/\nEnter\n\
         Wait+Screen@30s /◉ Paris legacy/\n"
    );
    play_tape(&mut player, "credential", &rest);
}

#[test]
fn ctrl_c_quits_the_wizard_only_at_the_second_time_when_changes_would_be_lost() {
    let typed = "Wait+Screen /Frankfurt HSM/\nDown\nType \"n\"\nWait+Screen /Create key/\nType \"x\"\n";
    let mut player = play_from_start("quit", &format!("{typed}Ctrl+C\nWait+Screen /Press Ctrl-C again/\n"));
    assert!(!player.has_quit());
    play_tape(&mut player, "again", "Ctrl+C");
    assert!(player.has_quit());
}

#[test]
fn tape_with_an_unmet_wait_is_an_error() {
    let tape = Tape::parse("unmet.tape", "Wait+Screen /no such words/").unwrap();
    let mut player = Player::start((80, 24)).unwrap();
    let error = tape::play(&tape, &mut player, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("unmet.tape:1") && error.contains("never matched"), "{error}");
}

/// A console whose terminal is resized before each key press.
struct ResizingStage {
    player: Player,
    base_size: (u16, u16),
    sizes: Box<dyn Iterator<Item = (u16, u16)>>,
    resize_count: usize,
}

impl tape::ConsoleDriver for ResizingStage {
    fn press(&mut self, key: crossterm::event::KeyEvent) {
        if let Some(size) = self.sizes.next() {
            self.player.resize(size);
            assert_eq!(self.player.frame().area.as_size(), size.into());
            self.resize_count += 1;
            self.player.resize(self.base_size);
        }
        self.player.press(key);
    }

    fn paste(&mut self, text: &str) {
        self.player.paste(text);
    }

    fn advance(&mut self, by: jiff::SignedDuration) {
        self.player.advance(by);
    }

    fn settle(&mut self) {
        self.player.settle();
    }

    fn frame(&self) -> Buffer {
        self.player.frame()
    }

    fn next_deadline(&self) -> Option<jiff::SignedDuration> {
        self.player.next_deadline()
    }
}

#[test]
fn every_screen_can_be_drawn_at_every_size() {
    let tape = Tape::parse("method-1.tape", include_str!("../../assets/tapes/method-1.tape")).unwrap();
    for shift in [0, 7, 31] {
        let base_size = (120, 40);
        // The cycles have different lengths, so that many combinations of width and height occur.
        let widths = (1..=12).chain([19, 20, 39, 40, 41, 59, 60, 75, 76, 99, 100, 200, 300]).cycle();
        let heights = (1..=9).chain([11, 12, 19, 20, 24, 59, 60, 90]).cycle().skip(shift);
        let sizes = Box::new(widths.zip(heights));
        let mut stage = ResizingStage { player: Player::start(base_size).unwrap(), base_size, sizes, resize_count: 0 };
        tape::play(&tape, &mut stage, &mut |_, _| Ok(())).unwrap();
        assert!(stage.resize_count > 100, "{}", stage.resize_count);
    }
}

async fn frankfurt_key_store(client: &Client) -> kms::CustomKeyStore {
    let stores = client.collect_key_stores().await.unwrap();
    stores.into_iter().find(|store| store.custom_key_store_name == "Frankfurt HSM").unwrap()
}

/// Modifies CreateKey requests, as if the console offered other settings, and returns the error of AWS.
struct ModifiedCreateKey {
    client: Client,
    inner: Arc<dyn Transport>,
    change: fn(&mut kms::CreateKey),
}

impl Transport for ModifiedCreateKey {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        if request.headers().get("x-amz-target").is_none_or(|target| target != "TrentService.CreateKey") {
            return self.inner.send(request);
        }
        let mut sent: kms::CreateKey = serde_json::from_slice(request.body()).unwrap();
        (self.change)(&mut sent);
        Box::pin(async move {
            let Err(CallError::Service(error)) = self.client.call(&sent).await else {
                panic!("AWS accepted the request")
            };
            let body = Bytes::from(xks_console::aws::codec::json_error_body(&error));
            Ok(Response::builder().status(error.status).body(body).unwrap())
        })
    }
}

#[test]
fn settings_unsupported_in_a_custom_key_store_are_explained() {
    type Change = fn(&mut kms::CreateKey);
    let changes: [(&str, Change); 3] = [
        ("key-spec", |sent| sent.key_spec = Some("RSA_2048".to_owned())),
        ("key-usage", |sent| sent.key_usage = Some("GENERATE_VERIFY_MAC".to_owned())),
        ("multi-region", |sent| sent.multi_region = Some(true)),
    ];
    for (name, change) in changes {
        let mut player = Player::start((80, 24)).unwrap();
        let client = player.client().clone();
        player.use_client(
            &client.map_transport(|inner| Arc::new(ModifiedCreateKey { client: client.clone(), inner, change })),
        );
        let tape = finish_tape("payments-2026", "payments")
            + &format!(
                "Wait+Screen /Exception/\nWait+Screen /What to do/\nScreenshot {name}.png\nCtrl+P\n\
               Wait+Screen /Edit key policy/\n"
            );
        play_tape(&mut player, "refused", &tape);
    }
}

/// Never responds to an operation.
struct HangingTransport {
    inner: Arc<dyn Transport>,
    operation: &'static str,
}

impl Transport for HangingTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        if target.is_some_and(|target| target.ends_with(self.operation)) {
            return Box::pin(std::future::pending());
        }
        self.inner.send(request)
    }
}

/// Runs calls in the background, as in a terminal, against an AWS in which one operation hangs.
#[test]
fn hanging_call_does_not_block_the_console_and_can_be_cancelled() {
    use xks_console::tui::app::App;
    use xks_console::tui::effect::{Effect, Msg};
    use xks_console::tui::{runtime, screen};

    let player = Player::start((80, 24)).unwrap();
    let client = player
        .client()
        .map_transport(|inner| Arc::new(HangingTransport { inner, operation: ".DescribeCustomKeyStores" }));
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(async {
        let (mut app, effects) = App::new(Target::Bundled, "us-west-2");
        let (sender, mut inbox) = tokio::sync::mpsc::unbounded_channel();
        let spawn = |effects: Vec<Effect>| {
            for effect in effects {
                if let Effect::Call(id, call) = effect {
                    let (client, sender) = (client.clone(), sender.clone());
                    tokio::spawn(async move {
                        let _ = sender.send(Msg::CallCompleted(id, runtime::perform(&client, call).await));
                    });
                }
            }
        };
        spawn(effects);
        let text = |app: &App| {
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
            tape::screen_text(terminal.draw(|frame| screen::draw(app, frame)).unwrap().buffer)
        };
        let key = |code| Msg::Key(crossterm::event::KeyEvent::new(code, crossterm::event::KeyModifiers::NONE));
        // All responses arrive except the list of key stores.
        while app.account.keys.ready().is_none() || app.account.has_more_keys {
            let msg = inbox.recv().await.unwrap();
            spawn(app.update(msg));
        }
        assert!(text(&app).contains("Loading external key stores"));
        spawn(app.update(key(crossterm::event::KeyCode::Esc)));
        assert!(text(&app).contains("You canceled the request before a response arrived"), "{}", text(&app));
        spawn(app.update(key(crossterm::event::KeyCode::Char('r'))));
        assert!(text(&app).contains("Loading external key stores"), "{}", text(&app));
    });
}
