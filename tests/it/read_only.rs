//! A read-only console: nothing is sent that changes something, and each dialog gives the command that does it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use xks_console::aws::cloudtrail::LookupEvents;
use xks_console::aws::kms::DisconnectCustomKeyStore;
use xks_console::client::{ReadOnly, Transport, TransportError};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::app::App;

use super::account::{block_on, key_store};
use super::endpoint::{ServedAws, run_console};
use super::pty::Console;
use super::snapshots::{assert_screens_match, play_tape};

/// Remembers which operations were asked for.
struct RecordingTransport {
    inner: Arc<dyn Transport>,
    operations: Arc<Mutex<Vec<String>>>,
}

impl Transport for RecordingTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        if let Some(target) = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()) {
            let name = target.rsplit('.').next().unwrap_or_default();
            self.operations.lock().unwrap().push(name.to_owned());
        }
        self.inner.send(request)
    }

    fn is_bundled(&self) -> bool {
        self.inner.is_bundled()
    }
}

/// Makes a console read-only; what it asks for from then on.
fn make_read_only(journey: &mut Player) -> Arc<Mutex<Vec<String>>> {
    let operations = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&operations);
    let client = journey
        .client()
        .map_transport(|inner| Arc::new(RecordingTransport { inner, operations: recorded }))
        .with_read_only(ReadOnly::ALL);
    journey.use_client(client);
    operations
}

/// A read-only console, and what it has asked for.
fn read_only() -> (Player, Arc<Mutex<Vec<String>>>) {
    let mut journey = Player::start((80, 24)).unwrap();
    let recorded = make_read_only(&mut journey);
    (journey, recorded)
}

fn is_read_operation(name: &str) -> bool {
    ["Describe", "Get", "List", "Lookup"].iter().any(|word| name.starts_with(word))
}

fn assert_only_reads(operations: &Mutex<Vec<String>>) {
    let recorded = operations.lock().unwrap();
    assert!(recorded.len() > 3 && recorded.iter().all(|name| is_read_operation(name)), "{recorded:?}");
}

/// Plays a tape of a method up to Finish, which copies the commands; pictures on the way are passed over.
fn copy_commands_at_review(method: &str, text: &str) -> String {
    let (mut journey, recorded) = read_only();
    let (to_review, _) = text.split_once("Wait+Screen /Review/").unwrap();
    tape::play(&Tape::parse(method, to_review).unwrap(), &mut journey, &mut |_, _| Ok(())).unwrap();
    let rest = "Wait+Screen /READ-ONLY: This console/\nScreenshot review.png\nShift+Tab\nScreenshot commands.png\n\
                Ctrl+N\nWait+Screen /The AWS CLI commands were/\nScreenshot copied.png\n";
    play_tape(&mut journey, &format!("read-only-{method}"), rest);
    assert_only_reads(&recorded);
    assert!(
        !block_on(journey.client().collect_aliases()).unwrap().iter().any(|alias| alias.alias_name == "alias/payments")
    );
    journey.copied().last().unwrap().clone()
}

#[test]
fn both_methods_reach_review_and_show_the_same_commands() {
    let one = copy_commands_at_review("method-1", include_str!("../../assets/tapes/method-1.tape"));
    let two = copy_commands_at_review("method-2", include_str!("../../assets/tapes/method-2.tape"));
    let told = |commands: &str| {
        let lines = commands.lines().filter(|line| !line.contains("--custom-key-store-id"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&one), told(&two));
    for part in ["--region us-west-2", "--xks-key-id payments-2026", "--alias-name alias/payments", "444455556666"] {
        assert!(one.contains(part), "{part}: {one}");
    }
}

#[test]
fn connection_state_changes_by_others_are_followed_without_sending_changes() {
    let mut journey = Player::start((80, 24)).unwrap();
    let other = journey.client().clone();
    let recorded = make_read_only(&mut journey);
    let failed = block_on(key_store(&other, "Paris legacy")).custom_key_store_id;
    block_on(other.call(&DisconnectCustomKeyStore { custom_key_store_id: failed })).unwrap();
    play_tape(
        &mut journey,
        "read-only",
        "Wait+Screen /Paris legacy +Disconnecting/\nDown 2\nType \"c\"\nWait+Screen /… Disconnecting/\n\
         Wait+Screen@30s /kms connect-custom-key-store/\nEnter\nWait+Screen /The command was sent/\n",
    );
    assert!(!journey.copied()[0].contains("disconnect"), "{:?}", journey.copied());
    assert_only_reads(&recorded);
}

/// Goes on with `keys`, then takes what the console shows.
fn app_after(journey: &mut Player, keys: &str) -> App {
    play_tape(journey, "read-only", keys);
    journey.app().clone()
}

#[test]
fn key_store_dialogs_show_the_aws_cli_command() {
    let (mut journey, recorded) = read_only();
    play_tape(&mut journey, "read-only", "Wait+Screen /External key stores \\(4\\)/\n");
    let cases = [
        ("a failed store is connected", "Down 2\nType \"c\"\nWait+Screen /READ-ONLY: This console/\n"),
        ("a store is disconnected", "Escape\nUp\nType \"d\"\nWait+Screen /disconnect-custom-key-store/\nTab\n"),
        ("a store is deleted", "Escape\nDown 2\nType \"m\"\nDown 4\nEnter\nWait+Screen /delete-custom-key-store/\n"),
        ("a store is edited", "Escape\nType \"m\"\nEnter\nType \" 2\"\nCtrl+N\nWait+Screen /✓ Sent/\n"),
        ("a store is created", "Escape\nEscape\nType \"C\"\nWait+Screen /Key store name/\nShift+Tab\n"),
        (
            "... from a form that is filled in",
            "Tab\nType \"Oslo HSM\"\nTab 3\nType \"https://xks.example.com\"\nShift+Tab 4\n\
             Wait+Screen /--xks-proxy-authentication-credential/\n",
        ),
    ];
    let cases = cases.map(|(case, keys)| (case, app_after(&mut journey, keys)));
    assert_screens_match("read-only-stores", &cases);
    play_tape(&mut journey, "read-only", "Enter\nWait+Screen /✓ Sent/\n");
    let told = journey.copied().last().unwrap();
    assert!(told.contains("\n  --custom-key-store-name 'Oslo HSM' \\\n"), "{told}");
    assert!(told.ends_with("\\\n  --xks-proxy-authentication-credential file://credential.json"), "{told}");
    assert_only_reads(&recorded);
}

#[test]
fn key_dialogs_show_the_aws_cli_command() {
    let (mut journey, recorded) = read_only();
    play_tape(
        &mut journey,
        "read-only",
        "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\n\
         Down 3\nEnter\nWait+Screen /General configuration/\nWait+Screen /customer-db/\n",
    );
    let action = |downs: usize, rest: &str| format!("Type \"m\"\n{}Enter\n{rest}", "Down\n".repeat(downs));
    let close = "Escape\nEscape\nWait+Screen /General configuration/\n";
    let cases = [
        ("disable", action(0, "Wait+Screen /kms disable-key/\n")),
        ("schedule deletion", action(1, "Wait+Screen /schedule-key-deletion/\nShift+Tab\n")),
        ("description", action(3, "Type \"!\"\nWait+Screen /update-key-description/\nTab 2\n")),
        ("tags", action(4, "Type \"2\"\nWait+Screen /tag-resource/\nTab 2\n")),
        ("create alias", action(5, "Type \"new\"\nWait+Screen /create-alias/\n")),
        ("move alias", action(6, "Tab\nType \"app-logs\"\nWait+Screen /update-alias/\nTab\n")),
        ("delete alias", action(7, "Wait+Screen /delete-alias/\n")),
        ("key policy", action(8, "Wait+Screen /Edit key policy/\nTab 2\n")),
        ("decrypt", action(11, "Type \"AQID\"\nTab 4\nWait+Screen /kms decrypt/\n")),
        ("encrypt", action(10, "Type \"four corners\"\nTab 4\nWait+Screen /kms encrypt/\n")),
    ];
    let mut all = Vec::new();
    for (case, keys) in &cases {
        all.push((*case, app_after(&mut journey, keys)));
        play_tape(&mut journey, "read-only", "Ctrl+N\nWait+Screen /✓ Sent/\n");
        let told = journey.copied().last().unwrap();
        assert!(told.contains("aws kms ") && told.contains("--region us-west-2"), "{told}");
        assert!(!told.contains("four corners"), "{told}");
        play_tape(&mut journey, "read-only", close);
    }
    assert_screens_match("read-only-keys", &all);
    let moved = &journey.copied()[5];
    assert!(!moved.contains("app-logs"), "an alias is no target: {moved}");
    assert_only_reads(&recorded);
}

#[test]
fn external_key_dialogs_show_the_xks_console_command() {
    let (mut journey, recorded) = read_only();
    let open = "Wait+Screen /External key stores \\(4\\)/\nTab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n";
    play_tape(&mut journey, "read-only", open);
    let mut all = Vec::new();
    let mut told = Vec::new();
    for (case, downs, keys) in [
        ("create", 0, "Type \"new\"\nShift+Tab\nWait+Screen /proxy create-key/\n"),
        ("rotate", 3, "Wait+Screen /proxy rotate-key/\n"),
        ("delete", 4, "Wait+Screen /proxy delete-key/\n"),
        ("create partition", 5, "Type \"red\"\nWait+Screen /proxy create-partition -- red/\n"),
        ("rotate credential", 6, "Wait+Screen /proxy rotate-credential/\n"),
    ] {
        let keys = format!("Type \"m\"\n{}Enter\n{keys}", "Down\n".repeat(downs));
        all.push((case, app_after(&mut journey, &keys)));
        play_tape(&mut journey, "read-only", "Ctrl+N\nWait+Screen /✓ Sent/\nEscape\nEscape\n");
        told.push(journey.copied().last().unwrap().clone());
    }
    assert_screens_match("read-only-external-keys", &all);
    // The program itself understands what it says.
    for command in told {
        let words = command.split_whitespace();
        let parsed = <xks_console::cli::Arguments as clap::Parser>::try_parse_from(words);
        assert!(parsed.is_ok(), "{command}: {parsed:?}");
    }
    assert_only_reads(&recorded);
}

#[test]
fn read_only_console_sends_no_changes_to_a_served_aws() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("default").with_read_only(ReadOnly::ALL));
    let method = include_str!("../../assets/tapes/method-1.tape");
    let (to_review, _) = method.split_once("Wait+Screen /Review/").unwrap();
    tape::play(&Tape::parse("method-1", to_review).unwrap(), &mut console, &mut |_, _| Ok(())).unwrap();
    play_tape(&mut console, "read-only", "Ctrl+N\nWait+Screen /commands were sent/\n");
    let events = block_on(aws.other_client().call(&LookupEvents::default())).unwrap().events;
    assert!(events.iter().any(|event| event.event_name == "DescribeCustomKeyStores"));
    assert!(events.iter().all(|event| is_read_operation(&event.event_name)), "{events:?}");
}

#[test]
fn read_only_option_prevents_changes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let log = dir.path().join("calls");
    let mut arguments = vec!["--data-dir", data.to_str().unwrap(), "--log", log.to_str().unwrap(), "--read-only"];
    let mut console = Console::run(&arguments, dir.path(), (60, 20), &[("NO_COLOR", "1")]);
    console.wait_for("READ-ONLY");
    console.kill();
    let mut console = Console::run(&arguments, dir.path(), (80, 24), &[]);
    console.go_to_review();
    console.wait_for("READ-ONLY: This console");
    console.send("\x0e");
    console.wait_for("AWS CLI commands were sent");
    // Back from the first button past Next, Previous and Cancel to the one that saves.
    console.send("\x1b[Z\x1b[Z\x1b[Z\x1b[Z");
    console.wait_for("▸[ Save to file ]");
    console.send("\r");
    console.wait_for("Saved to");
    console.kill();
    let script = std::fs::read_to_string(dir.path().join("create-key-payments.sh")).unwrap();
    assert!(script.contains("aws kms create-key \\\n  --region us-west-2"), "{script}");
    assert!(!std::fs::read_to_string(&log).unwrap().contains("CreateKey"));
    // Without the flag the very same keys make the key.
    arguments.pop();
    let another = dir.path().join("another");
    let mut console = Console::run(&arguments, dir.path(), (80, 24), &[("XDG_STATE_HOME", another.to_str().unwrap())]);
    console.create_key();
    assert!(!console.text().contains("READ-ONLY"), "{}", console.text());
    console.kill();
}

#[test]
fn read_only_setting_applies_to_a_profile_and_config_errors_are_reported() {
    let aws = ServedAws::start();
    let home = aws.dir.path();
    let directory = home.join("config-of-the-person");
    let file = directory.join("xks-console/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "[profile.Admin]\nread-only = true\n").unwrap();
    let xdg = ("XDG_CONFIG_HOME", directory.to_str().unwrap());
    let endpoint = ["--endpoint-url", &aws.url];
    let of_profile = [&endpoint[..], &["--profile", "Admin"]].concat();
    for (arguments, more) in [(of_profile, vec![xdg]), (endpoint.to_vec(), vec![xdg, ("AWS_PROFILE", "Admin")])] {
        let state = home.join(more.len().to_string());
        let more = [&more[..], &[("XDG_STATE_HOME", state.to_str().unwrap())]].concat();
        let mut console = run_console(&arguments, home, &more);
        console.go_to_review();
        console.send("\x0e");
        console.wait_for("AWS CLI commands were sent");
        console.kill();
    }
    let mut console = run_console(&endpoint, home, &[xdg]);
    console.wait_for("Frankfurt HSM");
    console.wait_for("Admin @ 111122223333");
    assert!(!console.text().contains("READ-ONLY"), "{}", console.text());
    console.kill();
    std::fs::write(&file, "# all\nread-only = yes\n").unwrap();
    let (code, written) = run_console(&endpoint, home, &[xdg]).wait_for_exit();
    assert!(code == 1 && written.contains("config.toml, line 2: "), "{code} {written}");
}
