//! Key administrators and key users: paginated and denied lists, typed ARNs, and missing permissions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use crossterm::event::KeyCode;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use xks_console::aws::codec;
use xks_console::aws::error::ServiceError;
use xks_console::aws::kms;
use xks_console::bundled::BundledAws;
use xks_console::client::{Transport, TransportError};
use xks_console::create_key::principals::{IamPrincipal, PrincipalKind};
use xks_console::environment::Environment;
use xks_console::flow::player::Player;
use xks_console::tui::app::App;
use xks_console::tui::effect::{self, Call, CallId, Effect, Msg};

use super::simulation::role_session;
use super::snapshots::{assert_screen_matches, play_tape, screen};
use xks_console::tui::target::Target;

const OPERATOR: &str = "arn:aws:iam::111122223333:role/security/HsmOperator";
const OPEN_ADMINISTRATORS_STEP: &str = "Wait+Screen /External key stores \\(4\\)/\nDown\nType \"n\"\nWait+Screen /Create key/\n\
    Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"payments\"\nCtrl+N\nCtrl+N\nWait+Screen /administrative permissions/\n";

/// Returns a console that a role of the scenario uses.
fn console_for_role(role: &str) -> Player {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 20_260_302);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(role_session(&bundled, &environment.clock, role));
    Player::with_client((80, 24), bundled, client, Target::Bundled, environment.clock, runtime)
}

#[test]
fn caller_who_cannot_list_principals_creates_a_key_with_typed_arns() {
    let mut player = console_for_role(OPERATOR);
    let tape = OPEN_ADMINISTRATORS_STEP.to_owned()
        + "Wait+Screen /Couldn't list/\nScreenshot denied.png\nTab\nType \"arn:aws:iam::111122223333:group/Ops\"\nEnter\n\
           Wait+Screen /A group can.t/\nScreenshot wrong.png\nCtrl+U\n\
           Type \"arn:aws:iam::111122223333:role/security/KeyAdministrator\"\nEnter\n\
           Wait+Screen /1 selected/\nWait+Screen /Typed/\nScreenshot typed.png\nCtrl+N\nWait+Screen /usage permissions/\nTab\n\
           Type \"arn:aws:iam::444455556666:role/PartnerDecrypt\"\nEnter\n\
           Type \"arn:aws:iam::111122223333:user/payments/grace.liu\"\nScreenshot users.png\nCtrl+N\n\
           Wait+Screen /Edit key policy/\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\nWait+Screen /You have the permissions/\n\
           Screenshot review.png\nCtrl+N\nWait+Screen /Success/\n";
    play_tape(&mut player, "typed-arns", &tape);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (bundled, client) = (player.bundled().unwrap().clone(), player.client().clone());
    let aliases = runtime.block_on(client.collect_aliases()).unwrap();
    let alias = aliases.into_iter().find(|alias| alias.alias_name == "alias/payments").unwrap();
    let admin = super::simulation::client_with_credentials(&bundled, &clock(), bundled.console_credentials());
    let policy = kms::GetKeyPolicy { key_id: alias.target_key_id.unwrap(), policy_name: None };
    let policy = runtime.block_on(admin.call(&policy)).unwrap().policy;
    for name in ["role/security/KeyAdministrator", "role/PartnerDecrypt", "user/payments/grace.liu"] {
        assert!(policy.contains(name), "{policy}");
    }
}

fn clock() -> xks_console::environment::Clock {
    xks_console::environment::Clock::manual("2026-03-02T10:15:00Z".parse().unwrap())
}

#[test]
fn missing_permissions_are_shown_before_finish_and_when_aws_denies_access() {
    let mut player = console_for_role(OPERATOR);
    let tape = OPEN_ADMINISTRATORS_STEP.to_owned()
        + "Ctrl+P\nWait+Screen /Add tags/\nEnter\nType \"team\"\nTab\nType \"hsm\"\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\n\
           Wait+Screen /Step 7 of 7 · Review/\nWait+Screen /AWS might deny/\nScreenshot before.png\nEnter\nWait+Screen /Sent/\nEscape\n\
           Ctrl+N\nWait+Screen /AccessDeniedException/\nScreenshot refused.png\nTab\nEnter\nWait+Screen /Sent/\n";
    play_tape(&mut player, "lacking", &tape);
    let [before, after] = player.copied() else { panic!("{:?}", player.copied()) };
    assert_eq!(before, after);
    let policy: serde_json::Value = serde_json::from_str(before).unwrap();
    assert_eq!(
        policy["Statement"],
        serde_json::json!([{
            "Sid": "TagResource", "Effect": "Allow", "Action": "kms:TagResource",
            "Resource": ["arn:aws:kms:us-west-2:111122223333:key/*"],
            "Condition": { "StringEquals": { "aws:RequestTag/team": "hsm" },
                           "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } }
        }])
    );
}

#[test]
fn permissions_that_cannot_be_checked_are_reported_but_do_not_block() {
    let mut player = console_for_role("arn:aws:iam::111122223333:role/security/KeyAdministrator");
    let tape = OPEN_ADMINISTRATORS_STEP.to_owned()
        + "Ctrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\nWait+Screen /Couldn't check/\nScreenshot unchecked.png\nCtrl+N\n\
           Wait+Screen /Success/\n";
    play_tape(&mut player, "permissions", &tape);
}

/// Denies ListUsers while `is_denied` is set.
struct DenyListUsers {
    inner: Arc<dyn Transport>,
    is_denied: Arc<AtomicBool>,
}

impl Transport for DenyListUsers {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let is_list_users = codec::query_action(request.body()).is_some_and(|(action, _)| action == "ListUsers");
        if !is_list_users || !self.is_denied.load(Ordering::SeqCst) {
            return self.inner.send(request);
        }
        let message =
            "User: arn:aws:iam::111122223333:user/Lee is not authorized to perform: iam:ListUsers on resource: *";
        let body = codec::query_error_xml(
            "https://iam.amazonaws.com/doc/2010-05-08/",
            &ServiceError::new("AccessDenied", message),
        );
        Box::pin(async move { Ok(Response::builder().status(403).body(Bytes::from(body)).unwrap()) })
    }

    fn is_bundled(&self) -> bool {
        self.inner.is_bundled()
    }
}

#[test]
fn roles_are_listed_while_list_users_is_denied_and_refresh_adds_users() {
    let mut player = Player::start((80, 24)).unwrap();
    let is_denied = Arc::new(AtomicBool::new(true));
    let client = player.client().clone();
    player.use_client(
        &client.map_transport(|inner| Arc::new(DenyListUsers { inner, is_denied: Arc::clone(&is_denied) })),
    );
    let tape = OPEN_ADMINISTRATORS_STEP.to_owned()
        + "Wait+Screen /Couldn.t list IAM users: AccessDenied/\nWait+Screen /40 principals so far/\nScreenshot refused.png\n";
    play_tape(&mut player, "no-users", &tape);
    is_denied.store(false, Ordering::SeqCst);
    play_tape(&mut player, "no-users", "Type \"r\"\nWait+Screen /60 principals/\nScreenshot again.png\n");
}

/// A console in the key administrators step, with its pending calls, which only the test completes.
struct UnansweredConsole {
    app: App,
    pending: Vec<(CallId, Call)>,
}

impl UnansweredConsole {
    fn new() -> Self {
        let mut player = Player::start((80, 24)).unwrap();
        play_tape(&mut player, "silent", OPEN_ADMINISTRATORS_STEP);
        Self { app: player.app().clone(), pending: Vec::new() }
    }

    fn update(&mut self, msg: Msg) {
        for effect in self.app.update(msg) {
            if let Effect::Call(id, call) = effect {
                self.pending.push((id, call));
            }
        }
    }

    fn press(&mut self, code: KeyCode) {
        self.update(Msg::Key(code.into()));
    }

    fn pending_calls(&self) -> Vec<&Call> {
        self.pending.iter().map(|(_, call)| call).collect()
    }

    /// Completes the pending call for roles with a page of roles.
    fn answer_roles(&mut self, numbers: impl Iterator<Item = usize>, next: Option<&str>) {
        let index = self.pending.iter().position(|(_, call)| matches!(call, Call::Roles(_))).unwrap();
        let page = numbers.map(|number| IamPrincipal {
            name: format!("role-{number:05}"),
            path: "/many/".to_owned(),
            kind: PrincipalKind::Role,
            arn: format!("arn:aws:iam::111122223333:role/many/role-{number:05}"),
        });
        let response = effect::Response::Principals { page: page.collect(), next: next.map(str::to_owned) };
        let (id, _) = self.pending.remove(index);
        self.update(Msg::CallCompleted(id, Ok(response)));
    }

    fn refreshed() -> Self {
        let mut console = Self::new();
        console.press(KeyCode::Char('r'));
        assert_eq!(console.pending_calls(), [&Call::Users(None), &Call::Roles(None)]);
        console.pending.remove(0);
        console
    }
}

#[test]
fn next_page_loads_when_the_cursor_nears_the_end() {
    let mut console = UnansweredConsole::refreshed();
    console.answer_roles(0..200, Some("m1"));
    assert_eq!(
        console.pending_calls(),
        Vec::<&Call>::new(),
        "the next page is not loaded before the cursor nears the end"
    );
    assert_screen_matches("many-roles-first", &console.app);
    console.press(KeyCode::End);
    assert_eq!(console.pending_calls(), [&Call::Roles(Some("m1".to_owned()))]);
    assert_screen_matches("many-roles-loading", &console.app);
    let before = screen(&console.app, (80, 24));
    assert!(before.contains("▌ ☐ tess.vandijk"), "{before}");
    console.press(KeyCode::Down);
    assert_eq!(screen(&console.app, (80, 24)), before, "the cursor stays at the end while more roles are loading");
    console.answer_roles(200..1200, Some("m2"));
    let after = screen(&console.app, (80, 24));
    assert!(after.contains("▌ ☐ tess.vandijk"), "the cursor stays on its principal: {after}");
    console.press(KeyCode::Home);
    console.pending.clear();
    console.press(KeyCode::Down);
    assert_eq!(console.pending_calls(), Vec::<&Call>::new());
}

#[test]
fn search_loads_all_remaining_pages() {
    let mut console = UnansweredConsole::refreshed();
    console.answer_roles(0..200, Some("m1"));
    for letter in "/role-09999".chars() {
        console.press(KeyCode::Char(letter));
    }
    for page in 0..10 {
        let first = 200 + page * 980;
        let next = format!("m{}", page + 2);
        assert_eq!(console.pending_calls().len(), 1, "pages load one at a time");
        console.answer_roles(first..first + 980, (page < 9).then_some(&*next));
        if page == 4 {
            assert_screen_matches("many-roles-search", &console.app);
        }
    }
    assert_eq!(console.pending_calls(), Vec::<&Call>::new());
    let found = screen(&console.app, (80, 24));
    assert!(found.contains("role-09999") && found.contains("1 of 10020 loaded match"), "{found}");
}

#[test]
fn control_characters_in_typed_arns_are_not_shown() {
    let mut console = UnansweredConsole::new();
    console.press(KeyCode::Tab);
    console.update(Msg::Paste("arn:aws:iam::111122223333:role/\u{1b}[2Jx".to_owned()));
    console.press(KeyCode::Enter);
    let shown = screen(&console.app, (80, 24));
    assert!(!shown.contains('\u{1b}') && shown.contains("name can't contain"), "{shown}");
}
