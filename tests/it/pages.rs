//! Pages for all kinds of responses from AWS: empty, denied, still loading, and with every possible error.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use ratatui::crossterm::event::KeyCode;
use serde_json::{Value, json};
use xks_console::client::{Transport, TransportError};
use xks_console::flow::player::Player;
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::storage::changes::Changes;
use xks_console::tui::app::App;
use xks_console::tui::effect::{Call, CallFailure, Effect, Msg};

use super::snapshots::{assert_screen_matches, play_tape, screen};
use xks_console::tui::target::Target;

/// Rewrites the status and body of responses from AWS, by operation.
struct RewritingTransport<F> {
    inner: Arc<dyn Transport>,
    rewrite: F,
}

impl<F: Fn(&str, &mut Value) -> u16 + Send + Sync + 'static> Transport for RewritingTransport<F> {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        Box::pin(async move {
            let response = self.inner.send(request).await?;
            let mut body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
            let status = (self.rewrite)(&operation, &mut body);
            let rewritten = if body.is_null() { response.into_body() } else { Bytes::from(body.to_string()) };
            Ok(Response::builder().status(status).body(rewritten).unwrap())
        })
    }

    fn is_bundled(&self) -> bool {
        self.inner.is_bundled()
    }
}

/// Returns a console that receives rewritten responses.
pub fn console_with_rewritten_responses(
    rewrite: impl Fn(&str, &mut Value) -> u16 + Clone + Send + Sync + 'static,
) -> Player {
    let mut player = Player::start((80, 24)).unwrap();
    let client = player.client().map_transport(|inner| Arc::new(RewritingTransport { inner, rewrite }));
    player.use_client(&client);
    player
}

pub const OPEN_KEYS: &str = "Tab\nUp 2\nEnter\n";

#[test]
fn search_counts_the_rows_and_names_the_columns_that_match() {
    let mut player = Player::start((120, 40)).unwrap();
    play_tape(&mut player, "search", &format!("Wait+Screen /Frankfurt/\n{OPEN_KEYS}Wait+Screen /customer-db/\n"));
    for (typed, count) in [
        ("custdb", "1 of 6 match in Aliases, External key ID · fuzzy"),
        ("customer-db", "1 of 6 match in Aliases, External key ID"),
        ("hsm", "2 of 6 match in Custom key store name"),
        ("status:enabled ext", "2 of 6 match in Status, Origin"),
        ("status:enbld", "0 of 6 match"),
        ("enabled", "6 of 6 match in Status"),
    ] {
        play_tape(&mut player, "search", &format!("Type '/{typed}'\nEnter\n"));
        let text = screen(player.app(), (160, 40));
        assert!(text.contains(&format!(" {count}  ")), "{typed}: {text}");
        play_tape(&mut player, "search", "Escape\n");
    }
    assert!(screen(player.app(), (160, 40)).contains("  6 KMS keys  "));
}

#[test]
fn empty_lists_say_what_to_do() {
    let mut player = console_with_rewritten_responses(|operation, body| {
        match operation {
            "DescribeCustomKeyStores" => body["CustomKeyStores"] = json!([]),
            "ListKeys" => body["Keys"] = json!([]),
            _ => {}
        }
        200
    });
    let tape = "Wait+Screen /No external key stores/\nScreenshot stores.png\n".to_owned()
        + OPEN_KEYS
        + "Wait+Screen /No customer managed keys/\nScreenshot keys.png\nTab\nUp\nEnter\n\
           Wait+Screen /No AWS managed keys/\nScreenshot aws-keys.png\n";
    play_tape(&mut player, "empty", &tape);
}

#[test]
fn create_key_without_key_stores_starts_with_the_key_material_origin() {
    let mut player = console_with_rewritten_responses(|operation, body| {
        if operation == "DescribeCustomKeyStores" {
            body["CustomKeyStores"] = json!([]);
        }
        200
    });
    let tape = "Wait+Screen /No external key stores/\nType 'n'\nWait+Screen /Key material origin/\n";
    play_tape(&mut player, "no-store", tape);
}

#[test]
fn lists_that_aws_denies_show_the_error() {
    let mut player = console_with_rewritten_responses(|operation, body| {
        if !matches!(operation, "DescribeCustomKeyStores" | "ListKeys" | "GetKeyPolicy") {
            return 200;
        }
        let message = format!("User: arn:aws:iam::111122223333:user/Lee is not authorized to perform: kms:{operation}");
        *body = json!({ "__type": "AccessDeniedException", "message": message });
        400
    });
    let tape = "Wait+Screen /AccessDeniedException/\nScreenshot stores.png\n".to_owned()
        + OPEN_KEYS
        + "Wait+Screen /kms:ListKeys/\nScreenshot keys.png\n";
    play_tape(&mut player, "refused-list", &tape);
}

#[test]
fn lists_that_are_loading_say_so() {
    let (mut app, _) = App::new(Target::Bundled, "us-west-2");
    assert_screen_matches("loading-stores", &app);
    for code in [crossterm::event::KeyCode::Tab, crossterm::event::KeyCode::Up, crossterm::event::KeyCode::Up] {
        app.update(xks_console::tui::effect::Msg::Key(code.into()));
    }
    app.update(xks_console::tui::effect::Msg::Key(crossterm::event::KeyCode::Enter.into()));
    assert_screen_matches("loading-keys", &app);
}

/// The connection error codes of external key stores, and one that the console doesn't know.
const CONNECTION_ERROR_CODES: [&str; 12] = [
    "INTERNAL_ERROR",
    "NETWORK_ERRORS",
    "INVALID_CREDENTIALS",
    "XKS_PROXY_ACCESS_DENIED",
    "XKS_PROXY_INVALID_CONFIGURATION",
    "XKS_PROXY_INVALID_RESPONSE",
    "XKS_PROXY_INVALID_TLS_CONFIGURATION",
    "XKS_PROXY_NOT_REACHABLE",
    "XKS_PROXY_TIMED_OUT",
    "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
    "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
    "A_CODE_OF_TOMORROW",
];

#[test]
fn key_store_page_explains_each_connection_error() {
    for code in CONNECTION_ERROR_CODES {
        let mut player = console_with_rewritten_responses(move |operation, body| {
            if operation == "DescribeCustomKeyStores" {
                for store in body["CustomKeyStores"].as_array_mut().unwrap() {
                    store["ConnectionState"] = json!("FAILED");
                    store["ConnectionErrorCode"] = json!(code);
                }
            }
            200
        });
        let tape = format!(
            "Wait+Screen /Dublin HSM/\nEnter\nWait+Screen /General configuration/\nWait+Screen /{code}/\n\
             Wait+Screen /What to do/\nScreenshot '{code}.png'\n"
        );
        play_tape(&mut player, "connection-error", &tape);
    }
}

#[test]
fn external_changes_are_debounced_before_refreshing() {
    let (mut app, _) = App::new(Target::Bundled, "us-west-2");
    let changed = || Msg::DataChanged(Changes::Everything);
    let [Effect::StartTimer(timer, _)] = app.update(changed())[..] else { panic!("expected only a timer") };
    assert_eq!(app.update(changed()), [], "a second change starts no second timer");
    // The keys are still loading. Restarting the list at each change could keep it from ever finishing.
    let again = app.update(Msg::TimerElapsed(timer));
    assert!(matches!(again[..], [Effect::StartTimer(..)]), "{again:?}");

    let mut player = Player::start((80, 24)).unwrap();
    play_tape(&mut player, "changed", "Wait+Screen /External key stores \\(4\\)/\n");
    let mut app = player.app().clone();
    let [Effect::StartTimer(timer, _)] = app.update(changed())[..] else { panic!("expected only a timer") };
    let effects = app.update(Msg::TimerElapsed(timer));
    let calls: Vec<_> =
        effects.iter().filter_map(|one| if let Effect::Call(_, call) = one { Some(call) } else { None }).collect();
    assert_eq!(calls, [&Call::KeyStores, &Call::Keys(None), &Call::Aliases]);
}

/// A transport that isn't to the bundled AWS, so that the API for external key managers is missing.
struct NotBundledTransport(Arc<dyn Transport>);

impl Transport for NotBundledTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.0.send(request)
    }
}

#[test]
fn external_keys_page_is_unavailable_outside_the_bundled_aws() {
    let mut player = Player::start((80, 24)).unwrap();
    let client = player.client().map_transport(|inner| Arc::new(NotBundledTransport(inner)));
    player.use_client(&client);
    let tape = "Wait+Screen /Frankfurt HSM/\nTab\nDown\nEnter\nWait+Screen /Not available from the API/\n\
                Screenshot external-keys.png\n";
    play_tape(&mut player, "not-available", tape);
}

#[test]
fn key_stores_are_polled_only_while_a_visible_one_is_changing_state() {
    let mut player = Player::start((80, 24)).unwrap();
    let connect = "Wait+Screen /Zurich DR/\nDown 3\nType \"c\"\nEnter\nWait+Screen /[Cc]onnecting/\nEscape\n";
    play_tape(&mut player, "polling", connect);
    assert!(player.next_deadline().is_some());
    play_tape(&mut player, "polling", "Tab\nUp\nEnter\nWait+Screen /An AWS CloudHSM key store is/\nSleep 1s\n");
    assert_eq!((player.next_deadline(), player.app().is_idle()), (None, true));
    play_tape(&mut player, "polling", "Tab\nDown\nEnter\nWait+Screen /Connecting/\nSleep 9s\n");
    play_tape(&mut player, "polling", "Wait+Screen /Zurich DR +✓ Connected/\n");
    assert_eq!(player.next_deadline(), None);
}

#[test]
fn a_file_that_cannot_be_written_closes_the_text_view_and_shows_why() {
    let mut player = Player::start((80, 24)).unwrap();
    let tape = "Wait+Screen /Frankfurt HSM/\nDown\nEnter\nWait+Screen /General configuration/\nTab 3\nEnter\nWait+Screen /Sent/\n";
    play_tape(&mut player, "not-written", tape);
    let mut app = player.app().clone();
    app.update(Msg::Key(KeyCode::Char('v').into()));
    let effects = app.update(Msg::Key(KeyCode::Char('s').into()));
    let [Effect::Call(id, Call::WriteFile { .. })] = effects[..] else { panic!("{effects:?}") };
    let failure = CallFailure {
        code: "FileNotWritten".to_owned(),
        message: "No space left on device".to_owned(),
        request_id: String::new(),
    };
    app.update(Msg::CallCompleted(id, Err(failure)));
    assert!(screen(&app, (80, 24)).contains("No space left on device"));
}
