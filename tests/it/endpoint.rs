//! The console against an AWS that another server provides at an endpoint URL.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::runtime::Runtime;
use xks_console::aws::kms::UpdateCustomKeyStore;
use xks_console::aws::kms::UpdateKeyDescription;
use xks_console::aws::sts::GetCallerIdentity;
use xks_console::bundled::BundledAws;
use xks_console::client::profile::{self, OpenError, Settings};
use xks_console::client::{CallError, Client};
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};
use xks_console::in_process;
use xks_console::server::profiles::{self as files, ServerInfo};
use xks_console::server::{Server, tls};

use super::account::{block_on, key_store};
use super::pty::Console;
use super::snapshots::play_tape;
use xks_console::tui::target::Target;

/// A served AWS, with the files `config` and `credentials` that contain profiles of its principals.
pub struct ServedAws {
    pub bundled: BundledAws,
    pub url: String,
    pub dir: tempfile::TempDir,
    _runtime: Runtime,
}

impl ServedAws {
    pub fn start() -> Self {
        Self::start_with(false, Environment::system())
    }

    /// Starts a served AWS with this clock.
    pub fn start_at(clock: Clock) -> Self {
        Self::start_with(false, Environment { clock, ..Environment::system() })
    }

    fn start_with(is_over_tls: bool, environment: Environment) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bundled = BundledAws::in_memory("default", environment).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (tls, authority) = if is_over_tls {
            let (config, authority) = tls::self_signed(dir.path(), None).unwrap();
            (Some(config), Some(authority))
        } else {
            (None, None)
        };
        let server = Server::open(bundled.clone(), "127.0.0.1:0".parse().unwrap(), tls, false);
        let server = runtime.block_on(server).unwrap();
        let url = server.url();
        runtime.spawn(server.run(std::future::pending()));
        // The profiles contain an invalid URL, so only the command line provides the right one.
        let server_info =
            ServerInfo { url: "https://nowhere.invalid", region: "us-west-2", ca_certificate: authority.as_deref() };
        files::write(&server_info, &bundled, dir.path()).unwrap();
        Self { bundled, url, dir, _runtime: runtime }
    }

    pub fn files(&self) -> [PathBuf; 2] {
        ["config", "credentials"].map(|name| self.dir.path().join(name))
    }

    /// Appends lines to one of the files.
    pub fn append_to_file(&self, file: usize, lines: &str) {
        let path = &self.files()[file];
        let text = std::fs::read_to_string(path).unwrap() + lines;
        std::fs::write(path, text).unwrap();
    }

    pub fn settings(&self, profile: &str) -> Settings {
        Settings {
            endpoint_url: Some(self.url.clone()),
            profile: Some(profile.to_owned()),
            region: None,
            ca_bundle: None,
            files: Some(self.files()),
        }
    }

    pub fn client(&self, profile: &str) -> Client {
        block_on(profile::open(self.settings(profile), Clock::System)).unwrap()
    }

    pub fn console(&self, client: Client) -> Player {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let target = Target::Endpoint(client.endpoints().kms_host().unwrap());
        let clock = Clock::manual("2026-03-02T10:15:00Z".parse().unwrap());
        Player::with_client((80, 24), self.bundled.clone(), client, target, clock, runtime)
    }

    /// Returns another client of the same AWS.
    pub fn other_client(&self) -> Client {
        in_process::client(&self.bundled, Clock::System)
    }

    fn rename_key_store(&self, from: &str, to: &str) {
        block_on(async {
            let other = self.other_client();
            let id = key_store(&other, from).await.custom_key_store_id;
            let request = UpdateCustomKeyStore {
                custom_key_store_id: id,
                new_custom_key_store_name: Some(to.to_owned()),
                ..Default::default()
            };
            other.call(&request).await.unwrap();
        });
    }
}

fn caller_arn(client: &Client) -> Result<String, CallError> {
    block_on(client.call(&GetCallerIdentity {})).map(|caller| caller.arn)
}

#[test]
fn changes_by_other_clients_appear_on_refresh_and_when_a_page_opens() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("default"));
    play_tape(&mut console, "endpoint", "Wait+Screen /External key stores \\(4\\)/\nWait+Screen /Frankfurt HSM/\n");
    let header = tape::screen_text(&console.frame()).lines().next().unwrap().to_owned();
    let host = aws.url.trim_start_matches("http://");
    assert!(header.contains(&format!("AWS at {host}")) && header.contains("111122223333 · us-west-2"), "{header}");

    aws.rename_key_store("Frankfurt HSM", "Mainz HSM");
    play_tape(&mut console, "endpoint", "Type \"r\"\nWait+Screen /Mainz HSM/\n");
    aws.rename_key_store("Mainz HSM", "Bonn HSM");
    play_tape(&mut console, "endpoint", "Down\nEnter\nWait+Screen /Bonn HSM/\nWait+Screen /General configuration/\n");

    let key = block_on(aws.other_client().collect_aliases()).unwrap();
    let key = key.into_iter().find(|alias| alias.alias_name == "alias/eu-analytics").unwrap().target_key_id.unwrap();
    play_tape(&mut console, "endpoint", "Escape\nTab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\n");
    let description = "changed by another client".to_owned();
    block_on(aws.other_client().call(&UpdateKeyDescription { key_id: key, description })).unwrap();
    play_tape(
        &mut console,
        "endpoint",
        "Type \"/\"\nType \"eu-analytics\"\nEnter\nEnter\nWait+Screen /changed by another client/\n",
    );
}

#[test]
fn served_aws_shows_its_external_key_manager() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("default"));
    play_tape(
        &mut console,
        "endpoint",
        "Wait+Screen /Frankfurt HSM/\nTab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n",
    );
}

#[test]
fn rejected_credentials_are_reported_and_reloaded_once_the_file_is_fixed() {
    let aws = ServedAws::start();
    let credentials = &aws.files()[1];
    let valid = std::fs::read_to_string(credentials).unwrap();
    let with_wrong_secret = |line: &str| match line.split_once(" = ") {
        Some(("aws_secret_access_key", secret)) => format!("aws_secret_access_key = {secret}x"),
        _ => line.to_owned(),
    };
    std::fs::write(credentials, valid.lines().map(with_wrong_secret).collect::<Vec<_>>().join("\n")).unwrap();
    let mut console = aws.console(aws.client("default"));
    play_tape(&mut console, "endpoint", "Wait+Screen /InvalidSignatureException/\n");
    std::fs::write(credentials, valid.replace("AKIA", "AKIB")).unwrap();
    play_tape(&mut console, "endpoint", "Type \"r\"\nWait+Screen /UnrecognizedClientException/\n");
    std::fs::write(credentials, valid).unwrap();
    play_tape(&mut console, "endpoint", "Type \"r\"\nWait+Screen /Frankfurt HSM/\nWait+Screen /111122223333/\n");
}

#[test]
fn unreachable_endpoint_is_reported_and_the_console_stays_usable() {
    let aws = ServedAws::start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let settings = Settings { endpoint_url: Some(format!("http://{host}")), ..aws.settings("default") };
    let client = block_on(profile::open(settings, Clock::System)).unwrap();
    let mut console = aws.console(client);
    let tape = format!(
        "Wait+Screen /the request to {host}/\nWait+Screen /[Rr]efused/\nTab\nUp\nEnter\n\
         Wait+Screen /An AWS CloudHSM key store is/\n"
    );
    play_tape(&mut console, "endpoint", &tape);
}

#[test]
fn tls_trusts_the_ca_bundle_of_the_profile() {
    let aws = ServedAws::start_with(true, Environment::system());
    assert!(caller_arn(&aws.client("default")).unwrap().ends_with("/Admin"));
    let roles = aws.bundled.roles().unwrap();
    assert!(caller_arn(&aws.client(&roles[0].0)).unwrap().contains(":assumed-role/"));
    let config = std::fs::read_to_string(&aws.files()[0]).unwrap();
    let without: Vec<&str> = config.lines().filter(|line| !line.starts_with("ca_bundle")).collect();
    std::fs::write(&aws.files()[0], without.join("\n")).unwrap();
    let error = caller_arn(&aws.client("default")).unwrap_err();
    assert!(error.to_string().contains("certificate") && !error.outcome_unknown(), "{error}");
}

#[test]
fn role_is_assumed_at_the_endpoint_and_credential_process_supplies_credentials() {
    let aws = ServedAws::start();
    let roles = aws.bundled.roles().unwrap();
    let (role, _) = roles.first().unwrap();
    let caller = caller_arn(&aws.client(role)).unwrap();
    assert!(caller.starts_with("arn:aws:sts::111122223333:assumed-role/"), "{caller}");

    let keys = aws.bundled.access_keys().unwrap();
    let key = keys.iter().find(|key| key.user_name != "Admin").unwrap();
    let output = serde_json::json!({
        "Version": 1,
        "AccessKeyId": key.credentials.access_key_id,
        "SecretAccessKey": key.credentials.secret_access_key.expose(),
    });
    let path = aws.dir.path().join("credentials.json");
    std::fs::write(&path, output.to_string()).unwrap();
    aws.append_to_file(
        0,
        &format!("\n[profile process]\nregion = us-west-2\ncredential_process = cat {}\n", path.display()),
    );
    assert!(caller_arn(&aws.client("process")).unwrap().ends_with(&format!("/{}", key.user_name)));
}

#[test]
fn credential_errors_are_reported_with_a_remedy() {
    let aws = ServedAws::start();
    aws.append_to_file(
        0,
        "
[profile nothing]
region = us-west-2
[profile broken]
region = us-west-2
credential_process = echo 'no such door' >&2; exit 3
[profile login]
region = us-west-2
sso_session = corporate
sso_account_id = 111122223333
sso_role_name = Admin
[sso-session corporate]
sso_region = us-west-2
sso_start_url = https://corporate.invalid/start
[profile stranger]
region = us-west-2
role_arn = arn:aws:iam::111122223333:role/nobody
source_profile = default
",
    );
    for (profile, parts) in [
        ("nothing", ["the profile nothing", "aws configure"]),
        ("broken", ["no such door", "Run the profile's credential_process"]),
        ("login", ["the profile login", "aws sso login --profile login"]),
        ("stranger", ["AccessDenied", "role/nobody"]),
    ] {
        let error = caller_arn(&aws.client(profile)).unwrap_err();
        assert!(matches!(error, CallError::Credentials(_)) && !error.outcome_unknown(), "{error:?}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
    }
    let open = |settings| block_on(profile::open(settings, Clock::System)).unwrap_err();
    assert!(matches!(open(aws.settings("missing")), OpenError::ProfileNotFound(name) if name == "missing"));
    let invalid_region = Settings { region: Some("a.example.com/".to_owned()), ..aws.settings("default") };
    assert!(matches!(open(invalid_region), OpenError::Region(_)));
}

#[test]
fn profile_endpoints_apply_unless_the_command_line_overrides_them() {
    let aws = ServedAws::start();
    aws.append_to_file(
        0,
        "
[profile services]
region = cn-north-1
endpoint_url = https://all.example.com
services = mine
[services mine]
kms =
  endpoint_url = https://kms.example.com
[profile careless]
region = us-west-2
endpoint_url = http://all.example.com
[profile all-secret]
region = us-west-2
endpoint_url = https://ada:hunter2@all.example.com
[profile one-secret]
region = us-west-2
services = secret
[services secret]
sts =
  endpoint_url = https://sts.example.com/?token=hunter2
",
    );
    let settings = |profile| Settings { endpoint_url: None, ..aws.settings(profile) };
    let client = block_on(profile::open(settings("services"), Clock::System)).unwrap();
    assert_eq!((client.region(), client.endpoints().kms_host().as_deref()), ("cn-north-1", Some("kms.example.com")));
    assert_eq!(client.endpoints().global_url.as_deref(), Some("https://all.example.com"));
    assert!(client.endpoints().service_urls.len() == 1, "{:?}", client.endpoints());
    let overridden = aws.client("services");
    assert_eq!(
        (overridden.endpoints().global_url.as_ref(), overridden.endpoints().service_urls.len()),
        (Some(&aws.url), 0)
    );
    let error = block_on(profile::open(settings("careless"), Clock::System)).unwrap_err();
    assert!(matches!(error, OpenError::Endpoint { .. }), "{error}");
    for (profile, words) in [
        ("all-secret", "can't use the endpoint of all services: the URL contains a user name or password"),
        ("one-secret", "can't use the endpoint of STS: \"https://sts.example.com/\" is followed by a query"),
    ] {
        let error = block_on(profile::open(settings(profile), Clock::System)).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.starts_with(words) && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn password_in_an_endpoint_environment_variable_is_not_printed() {
    let dir = tempfile::tempdir().unwrap();
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"] {
        let output = Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["create-key", "--yes", "--aws", "--alias", "a"])
            .env_clear()
            .envs(env_vars(dir.path()))
            .envs([("AWS_REGION", "us-west-2"), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")])
            .env(variable, "https://ada:hunter2@kms.example.com")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("the URL contains a user name or password"), "{stderr}");
        assert!(!stderr.contains("hunter2") && !output.status.success(), "{stderr}");
    }
}

/// Returns the environment variables of a shell that uses the files in `home`.
fn env_vars(home: &Path) -> Vec<(String, String)> {
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    vec![
        ("AWS_CONFIG_FILE".to_owned(), path("config")),
        ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), path("credentials")),
        ("HOME".to_owned(), home.to_str().unwrap().to_owned()),
        ("XDG_DATA_HOME".to_owned(), path("data")),
        ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
    ]
}

pub fn run_console(arguments: &[&str], home: &Path, more: &[(&str, &str)]) -> Console {
    let environment = env_vars(home);
    let pairs = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Console::run(arguments, home, (80, 24), &pairs.chain(more.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn key_is_created_through_the_endpoint() {
    let aws = ServedAws::start();
    let mut console = run_console(&["--endpoint-url", &aws.url], aws.dir.path(), &[]);
    console.create_key();
    assert!(console.text().contains("AWS at 127.0.0.1:"), "{}", console.text());
    console.kill();
    let aliases = block_on(aws.other_client().collect_aliases()).unwrap();
    assert!(aliases.iter().any(|alias| alias.alias_name == "alias/payments"));
    assert!(!aws.dir.path().join("data").exists());
}

#[test]
fn endpoint_environment_variables_apply_to_aws_but_not_to_the_bundled_aws() {
    let aws = ServedAws::start();
    let keys = aws.bundled.access_keys().unwrap();
    let exported = [
        ("AWS_ENDPOINT_URL", aws.url.as_str()),
        ("AWS_PROFILE", "Admin"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_ACCESS_KEY_ID", keys[0].credentials.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys[0].credentials.secret_access_key.expose()),
    ];
    aws.rename_key_store("Frankfurt HSM", "Mainz HSM");
    let mut console = run_console(&["--aws"], aws.dir.path(), &exported);
    console.wait_for("Mainz HSM");
    assert!(console.text().contains("AWS at 127.0.0.1:"), "{}", console.text());
    console.kill();
    let mut console = run_console(&[], aws.dir.path(), &exported);
    console.wait_for("Frankfurt HSM");
    assert!(console.text().contains("bundled AWS"), "{}", console.text());
    console.kill();
}

#[test]
fn missing_region_or_conflicting_options_exit_with_an_error() {
    let aws = ServedAws::start();
    std::fs::write(&aws.files()[0], "[profile red]\n").unwrap();
    for (arguments, code, words) in [
        (&["--aws", "--profile", "red"][..], 1, "no Region is set"),
        (&["--aws", "--profile", "blue"], 1, "the profile \"blue\" doesn't exist"),
        (&["--aws", "serve"], 2, "only with the console"),
        (&["--endpoint-url", "http://10.0.0.1"], 2, "Use https"),
    ] {
        let (exit_code, written) = run_console(arguments, aws.dir.path(), &[]).wait_for_exit();
        assert!(exit_code == code && written.contains(words), "{arguments:?}: {exit_code} {written}");
    }
}
