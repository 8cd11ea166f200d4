//! `xks-console proxy check`: checks any external key store proxy.

use std::error::Error;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::runtime;
use crate::aws::scalar::SecretString;
use crate::cli::{Arguments, ProxyCheck};
use crate::conformance;
use crate::conformance::connection::{Connector, TlsFiles};
use crate::conformance::probe::Probe;
use crate::conformance::report::ConformanceReport;
use crate::conformance::target::{CheckTarget, ProxyConfigurationFile};
use crate::environment::Environment;
use crate::text::strip_byte_order_mark;

/// The environment variable that can contain the secret access key.
pub const SECRET_VARIABLE: &str = "XKS_PROXY_SECRET_ACCESS_KEY";

/// Checks the proxy and prints the report. The exit code is a failure if the proxy doesn't meet a requirement.
pub(super) fn run(arguments: &Arguments, options: &ProxyCheck) -> Result<ExitCode, Box<dyn Error>> {
    let secret = std::env::var(SECRET_VARIABLE).ok();
    let mut out = io::stdout().lock();
    let check = check(arguments, options, secret, Environment::system(), &mut out);
    Ok(if runtime()?.block_on(check)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the proxy given on the command line and writes the report to `out`.
///
/// Returns whether the proxy meets every MUST requirement that was checked. `secret_variable` is the value of
/// [`SECRET_VARIABLE`].
///
/// # Errors
/// Returns an error if a file can't be read, the secret access key is missing, the URI path is invalid, the proxy can't
/// be reached, or writing to `out` fails.
pub async fn check(
    arguments: &Arguments,
    options: &ProxyCheck,
    secret_variable: Option<String>,
    environment: Environment,
    out: &mut impl Write,
) -> Result<bool, Box<dyn Error>> {
    let target = target(options, secret_variable)?;
    let host = &target.endpoint.host;
    let mapping = arguments.connect_to.iter().rev().find(|mapping| mapping.host.eq_ignore_ascii_case(host));
    let files = TlsFiles {
        ca_file: arguments.proxy_ca.clone(),
        client_certificate: options.client_cert.clone().zip(options.client_key.clone()),
    };
    let connector = Connector::new(target.endpoint.clone(), mapping.map(|mapping| mapping.address), &files)?;
    let requests = usize::try_from(options.requests)?;
    let mut report = ConformanceReport::new(&target, options.verbose);
    let mut probe = Probe::new(target, connector, requests, environment.clock, environment.random.uuid()?);
    probe.runs_slow_checks = options.slow;
    if !arguments.json {
        let CheckTarget { endpoint, uri_path, region, .. } = &probe.target;
        writeln!(out, "Checking {endpoint}{uri_path} as AWS KMS would call it from {region}")?;
    }
    let mut written = Ok(());
    let reached = conformance::run(&mut probe, &options.key, &mut |completed| {
        if !arguments.json && written.is_ok() {
            written = out.write_all(report.format_check(completed).as_bytes()).and_then(|()| out.flush());
        }
        report.add(completed);
    })
    .await;
    written?;
    if let Err(error) = reached {
        let endpoint = &probe.target.endpoint;
        return Err(format!("couldn't reach the proxy at {endpoint}: {error}. {}.", error.advice()).into());
    }
    if arguments.json {
        let document = report.document(&probe.target, &probe.latencies);
        writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
    } else {
        write!(out, "{}", report.summary())?;
    }
    Ok(report.is_conformant())
}

fn target(options: &ProxyCheck, secret_variable: Option<String>) -> Result<CheckTarget, Box<dyn Error>> {
    let (uri_path, access_key_id, secret_access_key) = if let Some(path) = &options.configuration {
        let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| with_path(&error))?);
        let file: ProxyConfigurationFile =
            strip_byte_order_mark(&text).parse().map_err(|error: String| with_path(&error))?;
        (file.uri_path, file.credential.access_key_id, file.credential.raw_secret_access_key)
    } else {
        let (path, id) = (options.path.clone().unwrap_or_default(), options.access_key.clone().unwrap_or_default());
        (path, id, secret(options.secret_file.as_deref(), secret_variable)?)
    };
    if !uri_path.starts_with('/') || uri_path.contains(['?', '#']) || uri_path.parse::<http::Uri>().is_err() {
        return Err(format!(
            "invalid URI path \"{uri_path}\": a URI path starts with / and has no query string. Use a path such as \
             /example/kms/xks/v1"
        )
        .into());
    }
    if secret_access_key.expose().is_empty() {
        return Err("the secret access key in the proxy configuration file is empty. Set RawSecretAccessKey".into());
    }
    let ProxyCheck { endpoint, region, principal, kms_key_arn, .. } = options.clone();
    let kms_key_arn = kms_key_arn
        .unwrap_or_else(|| format!("arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"));
    Ok(CheckTarget { endpoint, uri_path, access_key_id, secret_access_key, region, principal, kms_key_arn })
}

/// Reads the secret access key from the file, or else the environment variable, or else standard input.
fn secret(file: Option<&Path>, secret_variable: Option<String>) -> Result<SecretString, Box<dyn Error>> {
    let text = Zeroizing::new(if let Some(path) = file {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
    } else if let Some(text) = secret_variable {
        text
    } else if io::stdin().is_terminal() {
        String::new()
    } else {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        text
    });
    let secret = strip_byte_order_mark(&text).trim();
    if secret.is_empty() {
        return Err(format!(
            "the secret access key is missing. Provide it with --secret-file FILE, --configuration FILE, the \
             environment variable {SECRET_VARIABLE}, or standard input"
        )
        .into());
    }
    Ok(SecretString::new(secret.to_owned()))
}
