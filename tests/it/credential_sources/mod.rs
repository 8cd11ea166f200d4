//! Each credential source of the default AWS credential provider chain, tested with the program in a pseudo-terminal:
//! the credentials it signs with, and the error it shows when the source provides none.

mod cloud;
mod network;
mod proxy;

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::pty::Console;
use cloud::{CONTAINER_TOKEN, Cloud, REFRESH_TOKEN, ROLE, SSO_TOKEN, Signer, WEB_IDENTITY, run, signer};

/// The caller's account, which the console shows after the first signed call succeeds.
const ACCOUNT: &str = "111122223333";

/// Asserts that the console starts and signs its calls to AWS with the expected credentials.
fn assert_signs_with(cloud: &Cloud, mut console: Console, expected: impl Fn() -> Signer) {
    console.wait_for(ACCOUNT);
    console.kill();
    cloud.assert_signed_by(&expected());
}

/// Asserts that the console starts, shows all `parts`, and sends no calls to AWS.
fn assert_sign_in_dialog_shows(cloud: &Cloud, mut console: Console, parts: &[&str]) {
    console.wait_for("Sign in again");
    parts.iter().for_each(|part| console.wait_for_wrapped(part));
    console.kill();
    assert_eq!(cloud.signers(), []);
}

/// Returns the credentials that were issued, which must be exactly one.
fn only_issued(cloud: &Cloud) -> Signer {
    let mut issued = cloud.issued();
    assert_eq!(issued.len(), 1, "credentials were requested more than once");
    issued.remove(0)
}

/// Asserts that credentials about to expire are fetched again and that all calls are signed with the second ones.
fn assert_refreshes_credentials(cloud: &Cloud, mut console: Console) {
    console.wait_for(ACCOUNT);
    console.kill();
    let issued = cloud.issued();
    assert_eq!(issued.len(), 2);
    cloud.assert_signed_by(&issued[1]);
}

fn static_keys(cloud: &Cloud, heading: &str, user: &str) -> String {
    let key = cloud.access_key(user);
    let (id, secret) = (&key.access_key_id, key.secret_access_key.expose());
    format!("[{heading}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

#[test]
fn environment_variables_provide_credentials() {
    let cloud = Cloud::start();
    let key = cloud.access_key("Admin");
    let (id, secret) = (&*key.access_key_id, key.secret_access_key.expose());
    let variables = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
    assert_signs_with(&cloud, cloud.console(&[], &variables), || signer(&key));
}

#[test]
fn access_key_id_variable_without_the_secret_is_an_error() {
    let cloud = Cloud::start();
    let console = cloud.console(&[], &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]);
    assert_sign_in_dialog_shows(&cloud, console, &["Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]);
}

#[test]
fn credentials_file_profile_provides_credentials() {
    let cloud = Cloud::start();
    let both = static_keys(&cloud, "default", "Admin") + &static_keys(&cloud, "alice", "alice.moreau");
    cloud.write(".aws/credentials", &both);
    assert_signs_with(&cloud, cloud.console(&[], &[]), || signer(&cloud.access_key("Admin")));
    let cloud = Cloud::start();
    cloud.write(".aws/credentials", &static_keys(&cloud, "alice", "alice.moreau"));
    // A profile named on the command line takes precedence over environment variables.
    let others = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    assert_signs_with(&cloud, cloud.console(&["--profile", "alice"], &others), || {
        signer(&cloud.access_key("alice.moreau"))
    });
}

#[test]
fn profile_without_the_secret_access_key_is_an_error() {
    let cloud = Cloud::start();
    cloud.write(".aws/credentials", "[default]\naws_access_key_id = AKIDEXAMPLE\n");
    assert_sign_in_dialog_shows(&cloud, cloud.console(&[], &[]), &["Profile default", "aws_secret_access_key"]);
}

#[test]
fn config_file_profile_provides_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &static_keys(&cloud, "profile work", "Admin"));
    assert_signs_with(&cloud, cloud.console(&[], &[("AWS_PROFILE", "work")]), || signer(&cloud.access_key("Admin")));
}

#[test]
fn missing_credentials_show_a_remedy() {
    let cloud = Cloud::start();
    let sources = "Environment: environment variable not set; Profile: the credential provider was not enabled; \
                   WebIdentityToken: ";
    assert_sign_in_dialog_shows(&cloud, cloud.console(&[], &[]), &[sources, "Run `aws configure`", "--profile"]);
}

/// Asserts that calls are signed with session credentials from STS, which `source` requested.
fn assert_assumes_role(cloud: &Cloud, mut console: Console, source: impl Fn() -> Signer) {
    console.wait_for(ACCOUNT);
    console.kill();
    let signers = cloud.signers();
    assert!(signers.len() > 1 && signers.iter().all(|signer| signer == &signers[0]), "{signers:?}");
    assert!(signers[0].0.starts_with("ASIA") && signers[0].1.is_some(), "{signers:?}");
    assert_eq!(cloud.assumed_by(), [source()]);
}

fn role_profile(source: &str) -> String {
    format!("[profile work]\nrole_arn = {ROLE}\n{source}\n")
}

#[test]
fn role_is_assumed_with_its_source_profile() {
    let cloud = Cloud::start();
    cloud.write(".aws/credentials", &static_keys(&cloud, "base", "Admin"));
    cloud.write(".aws/config", &role_profile("source_profile = base"));
    assert_assumes_role(&cloud, cloud.console(&["--profile", "work"], &[]), || signer(&cloud.access_key("Admin")));
}

#[test]
fn role_is_assumed_through_another_role() {
    let cloud = Cloud::start();
    cloud.write(".aws/credentials", &static_keys(&cloud, "base", "Admin"));
    let middle = role_profile("source_profile = base").replace("profile work", "profile middle");
    cloud.write(".aws/config", &(middle + &role_profile("source_profile = middle")));
    let mut console = cloud.console(&["--profile", "work"], &[]);
    console.wait_for(ACCOUNT);
    console.kill();
    let assumed_by = cloud.assumed_by();
    assert!(assumed_by.len() == 2 && assumed_by[0] == signer(&cloud.access_key("Admin")), "{assumed_by:?}");
    assert!(assumed_by[1].1.is_some() && !cloud.signers().contains(&assumed_by[1]), "{assumed_by:?}");
}

#[test]
fn role_that_the_caller_may_not_assume_is_an_error() {
    let cloud = Cloud::start();
    cloud.write(".aws/credentials", &static_keys(&cloud, "base", "grace.liu"));
    cloud.write(".aws/config", &role_profile("source_profile = base"));
    let console = cloud.console(&["--profile", "work"], &[]);
    let reason = "(AccessDenied): User: arn:aws:iam::111122223333:user/payments/grace.liu is not authorized to perform";
    assert_sign_in_dialog_shows(
        &cloud,
        console,
        &["Profile work", reason, "Check that the source credentials work and are allowed to assume"],
    );
}

#[test]
fn role_is_assumed_with_environment_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &role_profile("credential_source = Environment"));
    let key = cloud.access_key("Admin");
    let (id, secret) = (&*key.access_key_id, key.secret_access_key.expose());
    let variables = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
    assert_assumes_role(&cloud, cloud.console(&["--profile", "work"], &variables), || signer(&key));
}

#[test]
fn role_is_assumed_with_container_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &role_profile("credential_source = EcsContainer"));
    let url = format!("{}/container", cloud.url);
    let variables =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)];
    assert_assumes_role(&cloud, cloud.console(&["--profile", "work"], &variables), || only_issued(&cloud));
}

#[test]
fn role_whose_source_has_no_credentials_is_an_error() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &role_profile("credential_source = EcsContainer"));
    let console = cloud.console(&["--profile", "work"], &[]);
    assert_sign_in_dialog_shows(
        &cloud,
        console,
        &["Profile work", "ECS provider not configured", "Check that the source credentials work"],
    );
}

#[test]
fn role_is_assumed_with_instance_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &role_profile("credential_source = Ec2InstanceMetadata"));
    assert_assumes_role(&cloud, cloud.console(&["--profile", "work"], &metadata_env(&cloud.url)), || {
        only_issued(&cloud)
    });
}

/// The token files of the AWS CLI, named after the SHA-1 of the session name or the start URL.
const SESSION_FILE: &str = ".aws/sso/cache/e276d18d65653fa285155bfd3e11ab029306830c.json";
const START_URL_FILE: &str = ".aws/sso/cache/46459b8c98a2da9643b3e88822aea485318b5d54.json";
const SSO_SESSION: &str = "[profile login]
sso_session = corporate
sso_account_id = 111122223333
sso_role_name = PlatformAdmin
[sso-session corporate]
sso_region = eu-central-1
sso_start_url = https://corporate.example.com/start
";
const SSO_LEGACY: &str = "[profile login]
sso_account_id = 111122223333
sso_role_name = PlatformAdmin
sso_region = eu-central-1
sso_start_url = https://corporate.example.com/start
";

/// Returns the token file that `aws sso login` writes.
fn sso_token_file(token: &str, hours: i64) -> String {
    let expires = Timestamp::now() + SignedDuration::from_hours(hours);
    json!({
        "startUrl": "https://corporate.example.com/start",
        "region": "eu-central-1",
        "accessToken": token,
        "expiresAt": expires.strftime("%FT%TZ").to_string(),
    })
    .to_string()
}

#[test]
fn identity_center_session_provides_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", SSO_SESSION);
    cloud.write(SESSION_FILE, &sso_token_file(SSO_TOKEN, 8));
    assert_signs_with(&cloud, cloud.console(&["--profile", "login"], &[]), || only_issued(&cloud));
}

#[test]
fn expired_identity_center_session_is_refreshed() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", SSO_SESSION);
    let end = Timestamp::now() + SignedDuration::from_hours(100);
    let more = format!(
        r#","refreshToken":"{REFRESH_TOKEN}","clientId":"c","clientSecret":"s","registrationExpiresAt":"{}"}}"#,
        end.strftime("%FT%TZ")
    );
    let file = cloud.write(SESSION_FILE, &sso_token_file("of yesterday", -1).replace('}', &more));
    assert_signs_with(&cloud, cloud.console(&["--profile", "login"], &[]), || only_issued(&cloud));
    // The refreshed token is saved for the AWS CLI.
    assert!(std::fs::read_to_string(file).unwrap().contains(SSO_TOKEN));
}

#[test]
fn legacy_identity_center_profile_provides_credentials() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", SSO_LEGACY);
    cloud.write(START_URL_FILE, &sso_token_file(SSO_TOKEN, 8));
    // The option applies only to AWS services. The portal has its own variable.
    let arguments = ["--endpoint-url", &cloud.url, "--region", "us-west-2", "--profile", "login"];
    let console = run(cloud.home.path(), &arguments, &[("AWS_ENDPOINT_URL_SSO", &cloud.url)]);
    assert_signs_with(&cloud, console, || only_issued(&cloud));
}

#[test]
fn missing_or_invalid_identity_center_session_shows_the_sign_in_command() {
    for (config, file, login, reason) in [
        (SSO_SESSION, SESSION_FILE, None, "failed to load the cached SSO token"),
        (SSO_SESSION, SESSION_FILE, Some(sso_token_file(SSO_TOKEN, -1)), "expired"),
        (SSO_SESSION, SESSION_FILE, Some(sso_token_file("revoked", 8)), "Session token not found or invalid"),
        (SSO_LEGACY, START_URL_FILE, None, "failed to read"),
        (SSO_LEGACY, START_URL_FILE, Some(sso_token_file("revoked", 8)), "Session token not found or invalid"),
    ] {
        let cloud = Cloud::start();
        cloud.write(".aws/config", config);
        login.map(|login| cloud.write(file, &login));
        let console = cloud.console(&["--profile", "login"], &[]);
        assert_sign_in_dialog_shows(
            &cloud,
            console,
            &["Profile login", reason, "Run `aws sso login --profile login`, then try again"],
        );
    }
}

/// Writes a credential process script and a profile that runs it.
fn write_credential_process(cloud: &Cloud, script: &str) {
    let path = cloud.write("credentials.sh", script);
    cloud.write(".aws/config", &format!("[profile work]\ncredential_process = sh {}\n", path.display()));
}

#[test]
fn credential_process_provides_credentials() {
    let cloud = Cloud::start();
    let key = cloud.access_key("Admin");
    let (id, secret) = (&key.access_key_id, key.secret_access_key.expose());
    let output = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
    write_credential_process(&cloud, &format!("echo '{output}'"));
    assert_signs_with(&cloud, cloud.console(&["--profile", "work"], &[]), || signer(&key));
}

#[test]
fn failing_credential_process_is_an_error() {
    let cloud = Cloud::start();
    write_credential_process(&cloud, "echo 'the vault is sealed' >&2; exit 1");
    let console = cloud.console(&["--profile", "work"], &[]);
    assert_sign_in_dialog_shows(
        &cloud,
        console,
        &["Profile work", "the vault is sealed", "Run the profile's credential_process in a shell"],
    );
}

#[test]
fn web_identity_environment_variables_provide_credentials() {
    let cloud = Cloud::start();
    let token = cloud.write("token", WEB_IDENTITY);
    let variables = [("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()), ("AWS_ROLE_ARN", ROLE)];
    // The option also sets the endpoint of STS.
    let console = run(cloud.home.path(), &["--endpoint-url", &cloud.url, "--region", "us-west-2"], &variables);
    assert_signs_with(&cloud, console, || only_issued(&cloud));
}

#[test]
fn web_identity_profile_provides_credentials() {
    let cloud = Cloud::start();
    let token = cloud.write("token", WEB_IDENTITY);
    cloud.write(".aws/config", &role_profile(&format!("web_identity_token_file = {}", token.display())));
    assert_signs_with(&cloud, cloud.console(&["--profile", "work"], &[]), || only_issued(&cloud));
}

#[test]
fn missing_or_rejected_web_identity_token_is_an_error() {
    for (token, reason) in [(None, "No such file"), (Some("someone.else.entirely"), "InvalidIdentityToken")] {
        let cloud = Cloud::start();
        let path = cloud.home.path().join("token");
        token.map(|token| cloud.write("token", token));
        let variables = [("AWS_WEB_IDENTITY_TOKEN_FILE", path.to_str().unwrap()), ("AWS_ROLE_ARN", ROLE)];
        assert_sign_in_dialog_shows(
            &cloud,
            cloud.console(&[], &variables),
            &[reason, "Check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN"],
        );
        cloud.write(".aws/config", &role_profile(&format!("web_identity_token_file = {}", path.display())));
        let console = cloud.console(&["--profile", "work"], &[]);
        assert_sign_in_dialog_shows(&cloud, console, &["Profile work", reason, "Check that web_identity_token_file"]);
    }
}

fn container_env<'a>(url: &'a str, token: &'a Path) -> [(&'a str, &'a str); 2] {
    [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap())]
}

#[test]
fn container_endpoint_provides_credentials() {
    let cloud = Cloud::start();
    let token = cloud.write("token", CONTAINER_TOKEN);
    let url = format!("{}/container", cloud.url);
    assert_signs_with(&cloud, cloud.console(&[], &container_env(&url, &token)), || only_issued(&cloud));
}

#[test]
fn container_endpoint_failure_is_an_error() {
    let cloud = Cloud::start();
    let missing = cloud.home.path().join("missing");
    let wrong = cloud.write("token", "wrong");
    let url = format!("{}/container", cloud.url);
    for (token, reason) in [(missing, "No such file"), (wrong, "401")] {
        let console = cloud.console(&[], &container_env(&url, &token));
        assert_sign_in_dialog_shows(&cloud, console, &[reason, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);
    }
}

/// Returns the variables that set the endpoint of the EC2 metadata service.
fn metadata_env(url: &str) -> [(&str, &str); 2] {
    [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url), ("AWS_EC2_METADATA_DISABLED", "false")]
}

#[test]
fn instance_metadata_provides_credentials() {
    let cloud = Cloud::start();
    assert_signs_with(&cloud, cloud.console(&[], &metadata_env(&cloud.url)), || only_issued(&cloud));
}

#[test]
fn unreachable_instance_metadata_is_skipped() {
    let cloud = Cloud::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_sign_in_dialog_shows(
        &cloud,
        cloud.console(&[], &metadata_env(&format!("http://{closed}"))),
        &["Run `aws configure`"],
    );
}

#[test]
fn unresponsive_instance_metadata_times_out() {
    let cloud = Cloud::start();
    let unresponsive = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", unresponsive.local_addr().unwrap());
    let start = Instant::now();
    assert_sign_in_dialog_shows(&cloud, cloud.console(&[], &metadata_env(&url)), &["Run `aws configure`"]);
    // The timeout of two seconds passes twice: before the console starts and when it sends its first call.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn sessions_are_refreshed_before_they_expire() {
    let token = |cloud: &Cloud, text| cloud.write("token", text);
    let cloud = Cloud::start();
    cloud.set_lifetimes([30]);
    let (file, url) = (token(&cloud, CONTAINER_TOKEN), format!("{}/container", cloud.url));
    assert_refreshes_credentials(&cloud, cloud.console(&[], &container_env(&url, &file)));

    let cloud = Cloud::start();
    cloud.set_lifetimes([30]);
    assert_refreshes_credentials(&cloud, cloud.console(&[], &metadata_env(&cloud.url)));

    let cloud = Cloud::start();
    cloud.set_lifetimes([30]);
    let file = token(&cloud, WEB_IDENTITY);
    let variables = [("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()), ("AWS_ROLE_ARN", ROLE)];
    assert_refreshes_credentials(&cloud, cloud.console(&[], &variables));

    let cloud = Cloud::start();
    cloud.set_lifetimes([30]);
    cloud.write(".aws/config", SSO_SESSION);
    cloud.write(SESSION_FILE, &sso_token_file(SSO_TOKEN, 8));
    assert_refreshes_credentials(&cloud, cloud.console(&["--profile", "login"], &[]));
}

#[test]
fn roles_are_assumed_again_before_their_sessions_expire() {
    let cloud = Cloud::start();
    cloud.set_lifetimes([30]);
    cloud.write(".aws/credentials", &static_keys(&cloud, "base", "Admin"));
    cloud.write(".aws/config", &role_profile("source_profile = base"));
    let mut console = cloud.console(&["--profile", "work"], &[]);
    console.wait_for(ACCOUNT);
    console.kill();
    assert_eq!(cloud.assumed_by().len(), 2);
    let signers = cloud.signers();
    assert!(signers.len() > 1 && signers.iter().all(|signer| signer == &signers[0]), "{signers:?}");
}

#[test]
fn credential_process_runs_again_before_its_credentials_expire() {
    let cloud = Cloud::start();
    let output = |user: &str, seconds| {
        let key = cloud.access_key(user);
        let (id, secret) = (&key.access_key_id, key.secret_access_key.expose());
        let end = (Timestamp::now() + SignedDuration::from_secs(seconds)).strftime("%FT%TZ").to_string();
        format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}", "Expiration": "{end}"}}"#)
    };
    let (first, second) = (output("grace.liu", 30), output("Admin", 3600));
    let marker = cloud.home.path().join("marker");
    let marker = marker.display();
    write_credential_process(
        &cloud,
        &format!("if [ -e {marker} ]; then echo '{second}'; else touch {marker}; echo '{first}'; fi"),
    );
    assert_signs_with(&cloud, cloud.console(&["--profile", "work"], &[]), || signer(&cloud.access_key("Admin")));
}

#[test]
fn aws_login_session_explains_how_to_use_it() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", "[default]\nlogin_session = arn:aws:iam::111122223333:user/Ana\n");
    let parts =
        ["only the AWS CLI can read its `aws login` session", "credential_process = aws configure export-credentials"];
    assert_sign_in_dialog_shows(&cloud, cloud.console(&[], &[]), &parts);
}

#[test]
fn profile_name_can_contain_spaces() {
    let cloud = Cloud::start();
    cloud.write(".aws/config", &static_keys(&cloud, "profile 'my lab'", "Admin"));
    assert_signs_with(&cloud, cloud.console(&["--profile", "my lab"], &[]), || signer(&cloud.access_key("Admin")));
}
