//! Signing in while the console runs, with MFA codes and after an IAM Identity Center session expires. The draft is
//! kept.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use totp_rs::{Builder, Secret};
use xks_console::aws::kms::ListKeys;
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sts::{AssumeRole, GetCallerIdentity, SessionCredentials};
use xks_console::client::profile;
use xks_console::client::{CallError, Client};
use xks_console::environment::Clock;
use xks_console::flow::player::Player;
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::in_process;
use xks_console::tui::app::App;
use xks_console::tui::pages::Location;

use super::account::block_on;
use super::endpoint::{ServedAws, run_console};
use super::snapshots::{assert_screen_matches, play_tape};
use xks_console::tui::target::Target;

/// Returns the code that an MFA device with this seed shows at a time, in seconds since the epoch.
pub fn mfa_code(seed: &SecretString, seconds: i64) -> String {
    let secret = Secret::try_from_base32(seed.expose()).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(u64::try_from(seconds).unwrap()).to_string()
}

pub fn current_mfa_code(aws: &ServedAws) -> String {
    mfa_code(&aws.bundled.mfa_device().unwrap().seed, Timestamp::now().as_second())
}

/// Returns a code that the device doesn't show within one minute before or after now.
pub fn wrong_mfa_code(aws: &ServedAws) -> String {
    let (seed, now) = (aws.bundled.mfa_device().unwrap().seed, Timestamp::now().as_second());
    let near: Vec<String> = (-2..=2).map(|step| mfa_code(&seed, now + 30 * step)).collect();
    (0..10).map(|digit| digit.to_string().repeat(6)).find(|code| !near.contains(code)).unwrap()
}

/// Compares the screen with snapshots that contain a fixed port.
fn assert_console_shown(name: &str, console: &Player) {
    assert_shown_without_port(name, console.app().clone());
}

/// Compares the screen with snapshots over a page that is the same in every account.
pub fn assert_shown_over_fixed_page(name: &str, console: &Player) {
    assert_shown_without_port(name, {
        let mut app = console.app().clone();
        app.location = Location::CloudHsm;
        app
    });
}

fn assert_shown_without_port(name: &str, mut app: App) {
    app.target = Target::Endpoint("127.0.0.1:4599".to_owned());
    assert_screen_matches(name, &app);
}

/// Goes from the first page to *Review* and fills in every step.
const GO_TO_REVIEW: &str = "Wait+Screen /Frankfurt HSM/\nDown\nType \"n\"\nWait+Screen /Create key/\nType \"payments-2026\"\nTab\n\
    Space\nCtrl+N\nType \"payments\"\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Step 7 of 7 · Review/\n";

#[test]
fn profile_with_mfa_serial_prompts_for_a_code_and_again_after_a_wrong_one() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("BreakGlass"));
    play_tape(&mut console, "mfa", "Wait+Screen /Multi-factor authentication/\n");
    assert_console_shown("mfa-asked", &console);
    play_tape(&mut console, "mfa", "Type \"12x\"\nEnter\n");
    play_tape(&mut console, "mfa", "Wait+Screen /must have at least 6 characters/\nBackspace 2\n");
    console.paste(&wrong_mfa_code(&aws));
    play_tape(&mut console, "mfa", "Enter\nWait+Screen /with invalid MFA/\n");
    assert_console_shown("mfa-wrong", &console);
    let shown = current_mfa_code(&aws);
    console.paste(&format!("{} {}\n", &shown[..3], &shown[3..]));
    play_tape(&mut console, "mfa", "Enter\nWait+Screen /Frankfurt HSM/\n");
    let app = console.app();
    assert!(app.account.caller_arn.contains(":assumed-role/BreakGlass/xks-console-"), "{}", app.account.caller_arn);
    assert!(app.login.is_none() && app.flashes.is_empty(), "{:?}", app.flashes);
}

#[test]
fn closing_the_mfa_dialog_explains_the_empty_page_and_refresh_prompts_again() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("BreakGlass"));
    play_tape(&mut console, "mfa", "Wait+Screen /Multi-factor/\nEscape\nWait+Screen /MFA device arn:aws:iam/\n");
    assert_console_shown("mfa-closed", &console);
    play_tape(&mut console, "mfa", "Escape\nType \"r\"\nWait+Screen /Multi-factor/\n");
}

/// Starts a served AWS with profiles that assume a role with MFA in all supported ways, and with invalid ones.
fn aws_with_role_profiles() -> ServedAws {
    let aws = ServedAws::start();
    let serial = aws.bundled.mfa_device().unwrap().serial;
    let keys = aws.bundled.access_keys().unwrap();
    let (id, secret) = (&keys[0].credentials.access_key_id, keys[0].credentials.secret_access_key.expose());
    let role = "region = us-west-2\nrole_arn = arn:aws:iam::111122223333:role/security/BreakGlass";
    let role_with_mfa = format!("{role}\nmfa_serial = {serial}");
    aws.append_to_file(
        0,
        &format!(
            "
[profile named]
{role_with_mfa}
source_profile = default
role_session_name = alice
duration_seconds = 900
[profile beyond]
region = us-west-2
role_arn = arn:aws:iam::111122223333:role/payments/PaymentsApi
source_profile = named
[profile itself]
{role_with_mfa}
source_profile = itself
aws_access_key_id = {id}
aws_secret_access_key = {secret}
[profile long]
{role_with_mfa}
source_profile = default
duration_seconds = long
[profile twice]
{role_with_mfa}
source_profile = named
[profile one]
{role_with_mfa}
source_profile = other
[profile other]
{role}
source_profile = one
[profile nobody]
{role_with_mfa}
source_profile = missing
"
        ),
    );
    aws
}

#[test]
fn invalid_role_profiles_are_reported_before_prompting_for_a_code() {
    let aws = aws_with_role_profiles();
    for (profile, words) in [
        ("long", "duration_seconds of long is not a number"),
        ("twice", "more than one of its roles has an mfa_serial"),
        ("one", "use each other as source_profile"),
        ("nobody", "the profile missing doesn't exist"),
    ] {
        let error = block_on(aws.client(profile).load_credentials()).unwrap_err();
        assert!(error.mfa_serial.is_none() && error.to_string().contains(words), "{error}");
    }
}

#[test]
fn role_settings_behave_as_in_the_aws_cli() {
    for (profile, words) in [
        ("named", ":assumed-role/BreakGlass/alice"),
        ("beyond", ":assumed-role/PaymentsApi/xks-console-"),
        ("itself", ":assumed-role/BreakGlass/xks-console-"),
    ] {
        let aws = aws_with_role_profiles();
        let client = aws.client(profile);
        let Err(CallError::Credentials(error)) = block_on(client.call(&ListKeys::default())) else {
            panic!("the call must fail without an MFA code")
        };
        assert_eq!(error.mfa_serial, Some(aws.bundled.mfa_device().unwrap().serial));
        block_on(client.log_in(Some(SecretString::new(current_mfa_code(&aws))))).unwrap();
        let caller = block_on(client.call(&GetCallerIdentity {})).unwrap().arn;
        assert!(caller.contains(words), "{caller}");
    }
}

#[test]
fn role_with_mfa_can_be_assumed_with_environment_credentials() {
    let aws = ServedAws::start();
    let serial = aws.bundled.mfa_device().unwrap().serial;
    aws.append_to_file(
        0,
        &format!(
            "
[profile mine]
region = us-west-2
role_arn = arn:aws:iam::111122223333:role/security/BreakGlass
mfa_serial = {serial}
credential_source = Environment
"
        ),
    );
    let keys = aws.bundled.access_keys().unwrap();
    let environment = [
        ("AWS_ACCESS_KEY_ID", keys[0].credentials.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys[0].credentials.secret_access_key.expose()),
    ];
    let mut console = run_console(&["--endpoint-url", &aws.url, "--profile", "mine"], aws.dir.path(), &environment);
    console.wait_for("Enter the six-digit code");
    console.send(&format!("{}\r", current_mfa_code(&aws)));
    console.wait_for("Frankfurt HSM");
    console.kill();
}

#[test]
fn expired_session_prompts_for_a_code_and_then_sends_the_draft() {
    let aws = ServedAws::start();
    let clock = Clock::manual(Timestamp::now());
    let client = block_on(profile::open(aws.settings("BreakGlass"), clock.clone())).unwrap();
    let mut console = aws.console(client);
    let seed = aws.bundled.mfa_device().unwrap().seed;
    let now = Timestamp::now().as_second();
    play_tape(&mut console, "session", "Wait+Screen /Multi-factor/\n");
    console.paste(&mfa_code(&seed, now));
    play_tape(&mut console, "session", &format!("Enter\n{GO_TO_REVIEW}"));
    let session_duration = SignedDuration::from_hours(1);
    clock.advance(session_duration * 2);
    play_tape(&mut console, "session", "Ctrl+N\nWait+Screen /been sent yet/\n");
    // The clock of AWS didn't advance.
    clock.advance(session_duration * -2);
    console.paste(&mfa_code(&seed, now + 30));
    play_tape(&mut console, "session", "Enter\nWait+Screen /Success/\n");
    let aliases = block_on(aws.other_client().collect_aliases()).unwrap();
    assert_eq!(aliases.iter().filter(|alias| alias.alias_name == "alias/payments").count(), 1);
}

/// Assumes a role with full access for 15 minutes.
fn assume_platform_admin(admin: &Client) -> SessionCredentials {
    let request = AssumeRole {
        role_arn: "arn:aws:iam::111122223333:role/platform/PlatformAdmin".to_owned(),
        role_session_name: "alice".to_owned(),
        duration_seconds: Some(900),
        ..AssumeRole::default()
    };
    block_on(admin.call(&request)).unwrap().credentials
}

/// Starts an IAM Identity Center portal that issues credentials for the token `good`. It returns `first` until that
/// session expires, then new ones.
fn start_sso_portal(admin: Client, first: SessionCredentials) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut bytes).unwrap() {
                    0 => break,
                    count => request.extend_from_slice(&bytes[..count]),
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let is_valid = request.starts_with("GET /federation/credentials?")
                && request.contains("role_name=PlatformAdmin")
                && request.to_lowercase().contains("x-amz-sso_bearer_token: good");
            let (status, body) = if is_valid {
                let is_valid_session = admin.now() < first.expiration.parse::<Timestamp>().unwrap();
                let credentials = if is_valid_session { first.clone() } else { assume_platform_admin(&admin) };
                let response = json!({ "roleCredentials": {
                    "accessKeyId": credentials.access_key_id,
                    "secretAccessKey": credentials.secret_access_key.expose(),
                    "sessionToken": credentials.session_token.expose(),
                    // Later than the real expiration, so that only AWS can tell that the session has expired.
                    "expiration": (Timestamp::now() + SignedDuration::from_hours(12)).as_millisecond(),
                } });
                ("200 OK", response)
            } else {
                (
                    "401 Unauthorized",
                    json!({ "__type": "UnauthorizedException", "message": "Session token not found or invalid" }),
                )
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    url
}

/// Writes the token file that `aws sso login` writes for the session `corporate`.
fn write_sso_token(home: &Path, expires: Timestamp) {
    // The AWS CLI and the SDKs name the file after the SHA-1 of the session name.
    let path = home.join(".aws/sso/cache/e276d18d65653fa285155bfd3e11ab029306830c.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let token = json!({
        "startUrl": "https://corporate.invalid/start",
        "region": "us-west-2",
        "accessToken": "good",
        "expiresAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    let new = path.with_extension("new");
    std::fs::write(&new, token.to_string()).unwrap();
    std::fs::rename(new, path).unwrap();
}

#[test]
fn expired_identity_center_session_shows_the_command_and_retry_continues_even_at_finish() {
    // The session has one minute left when the console starts. The clock skew of signatures stays within two minutes.
    let minutes = SignedDuration::from_mins;
    let clock = Clock::manual(Timestamp::now() - minutes(15));
    let aws = ServedAws::start_at(clock.clone());
    let admin = in_process::client(&aws.bundled, clock.clone());
    let portal = start_sso_portal(admin.clone(), assume_platform_admin(&admin));
    clock.advance(minutes(14));
    aws.append_to_file(
        0,
        "
[profile work]
region = us-west-2
sso_session = corporate
sso_account_id = 111122223333
sso_role_name = PlatformAdmin
[sso-session corporate]
sso_region = us-west-2
sso_start_url = https://corporate.invalid/start
",
    );
    let home = aws.dir.path();
    let hour = SignedDuration::from_hours(1);
    write_sso_token(home, Timestamp::now() - hour);
    let environment = [("AWS_ENDPOINT_URL_SSO", portal.as_str())];
    let mut console = run_console(&["--endpoint-url", &aws.url, "--profile", "work"], home, &environment);
    console.wait_for("aws sso login --profile work");
    write_sso_token(home, Timestamp::now() + hour);
    console.send("\r");
    console.wait_for("Frankfurt HSM");
    console.wait_for("111122223333");
    console.go_to_review();
    console.wait_until_gone("Checking your permissions");
    // Both the session and the IAM Identity Center token expire.
    clock.advance(minutes(2));
    write_sso_token(home, Timestamp::now() - hour);
    console.send("\x0e");
    console.wait_for("been sent yet");
    // This retry comes before the new token exists.
    console.send("\r");
    console.wait_for("aws sso login --profile work");
    write_sso_token(home, Timestamp::now() + hour);
    console.wait_for("[ Retry ]");
    console.send("\r");
    console.wait_for("Success");
    console.kill();
    let aliases = block_on(admin.collect_aliases()).unwrap();
    assert_eq!(aliases.iter().filter(|alias| alias.alias_name == "alias/payments").count(), 1);
}

#[test]
fn expired_session_remedy_is_shown_at_every_size() {
    let aws = ServedAws::start();
    aws.append_to_file(
        0,
        "
[profile work]
region = us-west-2
sso_session = corporate
sso_account_id = 111122223333
sso_role_name = PlatformAdmin
[sso-session corporate]
sso_region = us-west-2
sso_start_url = https://corporate.invalid/start
",
    );
    let mut console = aws.console(aws.client("work"));
    play_tape(&mut console, "expired", "Wait+Screen /aws sso login --profile work/\n");
    let mut app = console.app().clone();
    // The original reason contains the home directory of the user who runs this test.
    app.target = Target::Endpoint("127.0.0.1:4599".to_owned());
    if let Some(login) = &mut app.login {
        login.credentials_error.reason = "the SSO session has expired or is invalid".to_owned();
    }
    assert_screen_matches("expired", &app);
    play_tape(&mut console, "expired", "Tab\nEnter\nWait+Screen /NoCredentials/\n");
}
