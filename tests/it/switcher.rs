//! Switching the profile or Region: what changes, what is kept, and when the console asks for confirmation.

use std::path::Path;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use xks_console::aws::kms::{CustomKeyStore, CustomKeyStoreType};
use xks_console::aws::scalar::EpochSeconds;
use xks_console::create_key::account_state::Loadable;
use xks_console::tui::app::{App, Dialog};
use xks_console::tui::effect::{Call, CallId, Effect, Msg, Response};

use super::account::account;
use super::endpoint::{ServedAws, run_console};
use super::pty::Console;
use super::sign_in::assert_shown_over_fixed_page;
use super::snapshots::{play_from_start, play_tape};
use xks_console::tui::target::Target;

const WAIT_FOR_KEY_STORES: &str = "Wait+Screen /External key stores \\(4\\)/\n";

#[test]
fn switching_profile_changes_the_caller_and_uses_the_region_of_the_profile() {
    let aws = ServedAws::start();
    aws.append_to_file(0, "\n[profile abroad]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/security/SecurityAudit\nsource_profile = default\n");
    let mut console = aws.console(aws.client("default"));
    play_tape(
        &mut console,
        "profile",
        &format!("{WAIT_FOR_KEY_STORES}#: key F3\nWait+Screen /Profile/\nWait+Screen /access key/\n"),
    );
    assert_shown_over_fixed_page("profile-list", &console);
    play_tape(&mut console, "profile", "Type \"abroad\"\nWait+Screen /eu-west-1 · role/\n");
    assert_shown_over_fixed_page("profile-typed", &console);
    play_tape(&mut console, "profile", "Tab\nWait+Screen /Ireland/\nCtrl+N\nWait+Screen /No external key stores/\n");
    let (app, client) = (console.app(), console.client());
    assert!(app.account.caller_arn.contains(":assumed-role/SecurityAudit/"), "{}", app.account.caller_arn);
    assert_eq!(
        (client.profile(), client.region(), app.profile.as_deref()),
        (Some("abroad"), "eu-west-1", Some("abroad"))
    );
    // The Region that the user chose takes precedence over the Region of the profile.
    play_tape(&mut console, "profile", "#: key F3\nTab\nType \"us-west-2\"\nShift+Tab\nType \"grace\"\nCtrl+N\n");
    let tape = "Wait+Screen /us-west-2/\nWait+Screen /AccessDeniedException/\n";
    play_tape(&mut console, "profile", tape);
    assert!(console.app().account.caller_arn.ends_with("user/payments/grace.liu"));
}

#[test]
fn failed_profile_switch_keeps_the_current_profile() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("default"));
    play_tape(
        &mut console,
        "unopened",
        &format!(
            "{WAIT_FOR_KEY_STORES}#: key F3\nWait+Screen /access key/\nType \"nobody-knows\"\nCtrl+N\nWait+Screen /the profile \"nobody-knows\" doesn't exist/\n"
        ),
    );
    assert_shown_over_fixed_page("profile-missing", &console);
    play_tape(&mut console, "unopened", &format!("Escape\n{WAIT_FOR_KEY_STORES}"));
    assert_eq!(console.client().profile(), Some("default"));
}

fn press(app: &mut App, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
    app.update(Msg::Key(KeyEvent::new(code, modifiers)))
}

/// Returns a console whose first calls are still pending, and these calls.
fn app_with_pending_calls() -> (App, Vec<(CallId, Call)>) {
    let (app, effects) = App::new(Target::Bundled, "us-west-2");
    let calls = effects.into_iter().filter_map(|effect| match effect {
        Effect::Call(id, call) => Some((id, call)),
        _ => None,
    });
    (app, calls.collect())
}

fn any_key_store() -> CustomKeyStore {
    CustomKeyStore {
        custom_key_store_id: "cks-1234567890abcdef0".to_owned(),
        custom_key_store_name: "of another account".to_owned(),
        connection_state: xks_console::aws::kms::ConnectionState::Connected,
        connection_error_code: None,
        creation_date: EpochSeconds(jiff::Timestamp::UNIX_EPOCH),
        custom_key_store_type: CustomKeyStoreType::ExternalKeyStore,
        xks_proxy_configuration: None,
        problem: None,
    }
}

#[test]
fn responses_for_the_previous_client_are_ignored_and_the_new_client_is_used_first() {
    let (client, _) = account();
    let (mut app, old) = app_with_pending_calls();
    press(&mut app, KeyCode::F(3), KeyModifiers::NONE);
    app.update(Msg::Paste("eu-west-1".to_owned()));
    let effects = press(&mut app, KeyCode::Char('n'), KeyModifiers::CONTROL);
    let [Effect::Call(id, Call::OpenClient(_))] = effects[..] else { panic!("{effects:?}") };
    let effects = app.update(Msg::CallCompleted(id, Ok(Response::ClientOpened(client.with_region("eu-west-1")))));
    assert!(matches!(effects.first(), Some(Effect::SwitchClient(client)) if client.region() == "eu-west-1"));
    let new: Vec<CallId> =
        effects.iter().filter_map(|effect| if let Effect::Call(id, _) = effect { Some(*id) } else { None }).collect();
    assert_eq!(new.len(), effects.len() - 1);
    for (id, call) in old {
        assert!(!new.contains(&id), "call IDs are never reused");
        if call == Call::KeyStores {
            assert_eq!(app.update(Msg::CallCompleted(id, Ok(Response::KeyStores(vec![any_key_store()])))), []);
        }
    }
    assert_eq!((app.account.region.as_str(), &app.account.key_stores), ("eu-west-1", &Loadable::Loading));
}

#[test]
fn closing_the_dialog_while_the_client_opens_cancels_the_switch() {
    let (client, _) = account();
    let (mut app, _) = app_with_pending_calls();
    press(&mut app, KeyCode::F(3), KeyModifiers::NONE);
    app.update(Msg::Paste("eu-west-1".to_owned()));
    let effects = press(&mut app, KeyCode::Char('n'), KeyModifiers::CONTROL);
    let [Effect::Call(id, Call::OpenClient(_))] = effects[..] else { panic!("{effects:?}") };
    press(&mut app, KeyCode::Esc, KeyModifiers::NONE);
    assert_eq!(app.update(Msg::CallCompleted(id, Ok(Response::ClientOpened(client.with_region("eu-west-1"))))), []);
    assert_eq!((app.account.region.as_str(), app.dialog.is_none()), ("us-west-2", true));
}

#[test]
fn switch_is_rejected_while_a_change_is_in_progress() {
    let review = "Down\nType \"n\"\nWait+Screen /Create key/\nType \"payments-2026\"\nTab\nSpace\nCtrl+N\nType \"payments\"\n\
                  Ctrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\n";
    let mut app = play_from_start("half-done", &format!("{WAIT_FOR_KEY_STORES}{review}")).app().clone();
    let assert_rejected = |app: &mut App, words: &str| {
        assert_eq!(press(app, KeyCode::F(3), KeyModifiers::NONE), []);
        assert!(app.dialog.is_none());
        let flash = app.flashes.pop().unwrap();
        assert!(flash.title == "Couldn't switch" && flash.text.contains(words), "{flash:?}");
    };
    let sent = press(&mut app, KeyCode::Char('n'), KeyModifiers::CONTROL);
    assert!(sent.iter().any(|effect| matches!(effect, Effect::Call(_, Call::Submission(_)))), "{sent:?}");
    assert_rejected(&mut app, "is creating");
    press(&mut app, KeyCode::Esc, KeyModifiers::NONE);
    assert_rejected(&mut app, "might have been created");

    // A change continues after its dialog is closed.
    let tape = format!("{WAIT_FOR_KEY_STORES}Down\nType \"d\"\nWait+Screen /Disconnect/\nTab\n");
    let mut app = play_from_start("half-done", &tape).app().clone();
    let effects = press(&mut app, KeyCode::Enter, KeyModifiers::NONE);
    let [Effect::Call(id, Call::Disconnect(_))] = effects[..] else { panic!("{effects:?}") };
    assert_rejected(&mut app, "A change is in progress");
    app.update(Msg::CallCompleted(id, Ok(Response::Accepted)));
    press(&mut app, KeyCode::F(3), KeyModifiers::NONE);
    assert!(matches!(app.dialog, Some(Dialog::Switcher(_))));
}

/// A `serve` process, which writes the profiles.
struct ServeProcess {
    child: std::process::Child,
    url: String,
}

impl ServeProcess {
    fn start(dir: &Path) -> Self {
        use std::io::BufRead as _;
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let url = line.strip_prefix("export AWS_ENDPOINT_URL=").unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn console_switches_between_profiles_of_a_served_aws() {
    let dir = tempfile::tempdir().unwrap();
    let serve = ServeProcess::start(dir.path());
    let home = dir.path();
    let log = home.join("calls.jsonl");
    let arguments = ["--aws", "--profile", "default", "--log", log.to_str().unwrap()];
    let mut console: Console = run_console(&arguments, home, &[]);
    console.wait_for("Frankfurt HSM");
    assert!(console.text().contains(serve.url.trim_start_matches("http://")), "{}", console.text());
    console.send("\x1bOR");
    console.wait_for("Profile and Region");
    console.wait_for("access key");
    console.send("maria");
    console.wait_for("◉ maria.nowak");
    console.send("\x0e");
    console.wait_until_gone("Profile and Region");
    console.wait_for("Frankfurt HSM");
    // Uses a code of the MFA device whose key URI `serve` wrote.
    let uri = std::fs::read_to_string(home.join("mfa")).unwrap();
    let seed = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    console.send("\x1bOR");
    console.wait_for("access key");
    console.send("BreakGlass");
    console.wait_for("◉ BreakGlass");
    console.send("\x0e");
    console.wait_for("Multi-factor authentication");
    let seed = xks_console::aws::scalar::SecretString::new(seed.to_owned());
    console.send(&format!("{}\r", super::sign_in::mfa_code(&seed, jiff::Timestamp::now().as_second())));
    console.wait_until_gone("Multi-factor authentication");
    console.wait_for("Frankfurt HSM");
    // The session also works in another Region, and the log continues with one line per call.
    console.send("\x1bOR");
    console.wait_for("◉ BreakGlass");
    console.send("\t");
    console.wait_for("▸ Region");
    console.send("eu-west-1\x0e");
    console.wait_for("No external key stores");
    let text = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stores = |region: &str| {
        let is_list_of_stores = |call: &&serde_json::Value| {
            call["operation"] == "DescribeCustomKeyStores" && call["region"] == region && call["status"] == 200
        };
        calls.iter().filter(is_list_of_stores).count()
    };
    assert_eq!((stores("us-west-2"), stores("eu-west-1")), (3, 1), "{text}");
    console.kill();
}
