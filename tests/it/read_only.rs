//! The read-only console: it sends no changes, and each dialog shows the command that makes the change.

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

/// Records the operations that are called.
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

/// Makes a console read-only and returns the record of the operations that it calls from now on.
fn make_read_only(player: &mut Player) -> Arc<Mutex<Vec<String>>> {
    let operations = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&operations);
    let client = player
        .client()
        .map_transport(|inner| Arc::new(RecordingTransport { inner, operations: recorded }))
        .with_read_only(ReadOnly::ALL);
    player.use_client(&client);
    operations
}

/// Returns a read-only console and the record of the operations that it calls.
fn read_only() -> (Player, Arc<Mutex<Vec<String>>>) {
    let mut player = Player::start((80, 24)).unwrap();
    let recorded = make_read_only(&mut player);
    (player, recorded)
}

fn is_read_operation(name: &str) -> bool {
    ["Describe", "Get", "List", "Lookup"].iter().any(|prefix| name.starts_with(prefix))
}

fn assert_only_reads(operations: &Mutex<Vec<String>>) {
    let recorded = operations.lock().unwrap();
    assert!(recorded.len() > 3 && recorded.iter().all(|name| is_read_operation(name)), "{recorded:?}");
}

/// Plays the tape of a method up to Finish, which copies the commands, and returns the commands. Ignores the
/// screenshots of the tape.
fn copy_commands_at_review(method: &str, text: &str) -> String {
    let (mut player, recorded) = read_only();
    let (to_review, _) = text.split_once("Wait+Screen /Review/").unwrap();
    tape::play(&Tape::parse(method, to_review).unwrap(), &mut player, &mut |_, _| Ok(())).unwrap();
    let rest = "Wait+Screen /READ-ONLY: This console/\nScreenshot review.png\nShift+Tab\nScreenshot commands.png\n\
                Ctrl+N\nWait+Screen /The AWS CLI commands were/\nScreenshot copied.png\n";
    play_tape(&mut player, &format!("read-only-{method}"), rest);
    assert_only_reads(&recorded);
    assert!(
        !block_on(player.client().collect_aliases()).unwrap().iter().any(|alias| alias.alias_name == "alias/payments")
    );
    player.copied().last().unwrap().clone()
}

#[test]
fn both_methods_reach_review_and_show_the_same_commands() {
    let method_1 = copy_commands_at_review("method-1", include_str!("../../assets/tapes/method-1.tape"));
    let method_2 = copy_commands_at_review("method-2", include_str!("../../assets/tapes/method-2.tape"));
    let comparable_lines = |commands: &str| {
        let lines = commands.lines().filter(|line| !line.contains("--custom-key-store-id"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(comparable_lines(&method_1), comparable_lines(&method_2));
    for part in ["--region us-west-2", "--xks-key-id payments-2026", "--alias-name alias/payments", "444455556666"] {
        assert!(method_1.contains(part), "{part}: {method_1}");
    }
}

#[test]
fn connection_state_changes_by_others_are_followed_without_sending_changes() {
    let mut player = Player::start((80, 24)).unwrap();
    let other = player.client().clone();
    let recorded = make_read_only(&mut player);
    let failed = block_on(key_store(&other, "Paris legacy")).custom_key_store_id;
    block_on(other.call(&DisconnectCustomKeyStore { custom_key_store_id: failed })).unwrap();
    play_tape(
        &mut player,
        "read-only",
        "Wait+Screen /Paris legacy +◌ Disconnecting/\nDown 2\nType \"c\"\nWait+Screen /… Disconnecting/\n\
         Wait+Screen@30s /kms connect-custom-key-store/\nEnter\nWait+Screen /The command was sent/\n",
    );
    assert!(!player.copied()[0].contains("disconnect"), "{:?}", player.copied());
    assert_only_reads(&recorded);
}

/// Plays `keys` and returns the state of the console.
fn app_after(player: &mut Player, keys: &str) -> App {
    play_tape(player, "read-only", keys);
    player.app().clone()
}

#[test]
fn key_store_dialogs_show_the_aws_cli_command() {
    let (mut player, recorded) = read_only();
    play_tape(&mut player, "read-only", "Wait+Screen /External key stores \\(4\\)/\n");
    let cases = [
        ("a failed store is connected", "Down 2\nType \"c\"\nWait+Screen /READ-ONLY: This console/\n"),
        ("a store is disconnected", "Escape\nUp\nType \"d\"\nWait+Screen /disconnect-custom-key-store/\nTab\n"),
        ("a store is deleted", "Escape\nDown 2\nType \"m\"\nDown 4\nEnter\nWait+Screen /delete-custom-key-store/\n"),
        ("a store is edited", "Escape\nType \"m\"\nEnter\nType \" 2\"\nCtrl+N\nWait+Screen /✓ Sent/\n"),
        ("a store is created", "Escape\nEscape\nType \"C\"\nWait+Screen /Key store name/\nShift+Tab\n"),
        (
            "... from a form that is filled in",
            "Tab\nType \"Oslo HSM\"\nTab 3\nType \"https://xks.example.com\"\n#: key Shift+Tab 4\n\
             Wait+Screen /--xks-proxy-authentication-credential/\n",
        ),
    ];
    let cases = cases.map(|(case, keys)| (case, app_after(&mut player, keys)));
    assert_screens_match("read-only-stores", &cases);
    play_tape(&mut player, "read-only", "Enter\nWait+Screen /✓ Sent/\n");
    let command = player.copied().last().unwrap();
    assert!(command.contains("\n  --custom-key-store-name 'Oslo HSM' \\\n"), "{command}");
    assert!(command.ends_with("\\\n  --xks-proxy-authentication-credential file://credential.json"), "{command}");
    assert_only_reads(&recorded);
}

#[test]
fn key_dialogs_show_the_aws_cli_command() {
    let (mut player, recorded) = read_only();
    play_tape(
        &mut player,
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
        all.push((*case, app_after(&mut player, keys)));
        play_tape(&mut player, "read-only", "Ctrl+N\nWait+Screen /✓ Sent/\n");
        let command = player.copied().last().unwrap();
        assert!(command.contains("aws kms ") && command.contains("--region us-west-2"), "{command}");
        assert!(!command.contains("four corners"), "{command}");
        play_tape(&mut player, "read-only", close);
    }
    assert_screens_match("read-only-keys", &all);
    let moved = &player.copied()[5];
    assert!(!moved.contains("app-logs"), "the target must be a key ID, not an alias: {moved}");
    assert_only_reads(&recorded);
}

#[test]
fn external_key_dialogs_show_the_xks_console_command() {
    let (mut player, recorded) = read_only();
    let open = "Wait+Screen /External key stores \\(4\\)/\nTab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n";
    play_tape(&mut player, "read-only", open);
    let mut all = Vec::new();
    let mut commands = Vec::new();
    for (case, downs, keys) in [
        ("create", 0, "Type \"new\"\nShift+Tab\nWait+Screen /proxy create-key/\n"),
        ("rotate", 3, "Wait+Screen /proxy rotate-key/\n"),
        ("delete", 4, "Wait+Screen /proxy delete-key/\n"),
        ("create partition", 5, "Type \"red\"\nWait+Screen /proxy create-partition -- red/\n"),
        ("rotate credential", 6, "Wait+Screen /proxy rotate-credential/\n"),
    ] {
        let keys = format!("Type \"m\"\n{}Enter\n{keys}", "Down\n".repeat(downs));
        all.push((case, app_after(&mut player, &keys)));
        play_tape(&mut player, "read-only", "Ctrl+N\nWait+Screen /✓ Sent/\nEscape\nEscape\n");
        commands.push(player.copied().last().unwrap().clone());
    }
    assert_screens_match("read-only-external-keys", &all);
    // The program can parse the commands that it shows.
    for command in commands {
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
    // Shows the tab with the commands, and moves past the button that copies to the one that saves.
    console.send("\x1b[C\x1b[C\t\t");
    console.wait_for("▸[ Save to file ]");
    console.send("\r");
    console.wait_for("Saved to");
    console.kill();
    let script = std::fs::read_to_string(dir.path().join("create-key-payments.sh")).unwrap();
    assert!(script.contains("aws kms create-key \\\n  --region us-west-2"), "{script}");
    assert!(!std::fs::read_to_string(&log).unwrap().contains("CreateKey"));
    // Without the option, the same key presses create the key.
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
    let config_dir = home.join("user-config");
    let file = config_dir.join("xks-console/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "[profile.Admin]\nread-only = true\n").unwrap();
    let xdg = ("XDG_CONFIG_HOME", config_dir.to_str().unwrap());
    let endpoint = ["--endpoint-url", &aws.url];
    let with_profile = [&endpoint[..], &["--profile", "Admin"]].concat();
    for (arguments, more) in [(with_profile, vec![xdg]), (endpoint.to_vec(), vec![xdg, ("AWS_PROFILE", "Admin")])] {
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
    std::fs::write(&file, "# comment\nread-only = yes\n").unwrap();
    let (code, written) = run_console(&endpoint, home, &[xdg]).wait_for_exit();
    assert!(code == 1 && written.contains("config.toml, line 2: "), "{code} {written}");
}
