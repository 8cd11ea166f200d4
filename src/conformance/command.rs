//! `xks-console proxy check`: from the command line to the report.

use std::error::Error;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::connection::{Connector, TlsFiles};
use super::probe::Probe;
use super::report::ConformanceReport;
use super::target::{CheckTarget, ProxyConfigurationFile};
use crate::aws::scalar::SecretString;
use crate::cli::{Arguments, ProxyCheck};
use crate::environment::Environment;
use crate::text::strip_byte_order_mark;

/// The environment variable that may hold the secret.
pub const SECRET_VARIABLE: &str = "XKS_PROXY_SECRET_ACCESS_KEY";

/// Checks the proxy that the command line names and writes the report to `out`; whether it does all that it must.
///
/// `variable` is the value of [`SECRET_VARIABLE`].
///
/// # Errors
/// Files that can't be read, no secret, a proxy that can't be reached, an `out` that can't be written.
pub async fn check(
    arguments: &Arguments,
    options: &ProxyCheck,
    secret_variable: Option<String>,
    environment: Environment,
    out: &mut impl Write,
) -> Result<bool, Box<dyn Error>> {
    let target = target(options, secret_variable)?;
    let host = &target.endpoint.host;
    let found = arguments.connect_to.iter().rev().find(|known| known.host.eq_ignore_ascii_case(host));
    let files = TlsFiles {
        ca_file: arguments.proxy_ca.clone(),
        client_certificate: options.client_cert.clone().zip(options.client_key.clone()),
    };
    let connector = Connector::new(target.endpoint.clone(), found.map(|known| known.address), &files)?;
    let requests = usize::try_from(options.requests)?;
    let mut report = ConformanceReport::new(&target, options.verbose);
    let mut probe = Probe::new(target, connector, requests, environment.clock, environment.random.uuid()?);
    probe.runs_slow_checks = options.slow;
    if !arguments.json {
        let CheckTarget { endpoint, uri_path, region, .. } = &probe.target;
        writeln!(out, "Checking {endpoint}{uri_path} as AWS KMS would call it from {region}")?;
    }
    let mut written = Ok(());
    let reached = super::run(&mut probe, &options.key, &mut |finding| {
        if !arguments.json && written.is_ok() {
            written = out.write_all(report.format_check(finding).as_bytes()).and_then(|()| out.flush());
        }
        report.add(finding);
    })
    .await;
    written?;
    if let Err(error) = reached {
        let endpoint = &probe.target.endpoint;
        return Err(format!("the proxy at {endpoint} can't be reached: {error}. {}.", error.advice()).into());
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
        return Err(format!("‘{uri_path}’ is no URI path: it starts with /, such as /example/kms/xks/v1").into());
    }
    if secret_access_key.expose().is_empty() {
        return Err("the secret access key is empty".into());
    }
    let ProxyCheck { endpoint, region, principal, kms_key_arn, .. } = options.clone();
    let kms_key_arn = kms_key_arn
        .unwrap_or_else(|| format!("arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"));
    Ok(CheckTarget { endpoint, uri_path, access_key_id, secret_access_key, region, principal, kms_key_arn })
}

/// The secret from the file, else the variable, else what is piped in.
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
            "there is no secret access key. Give it with --secret-file FILE, with --configuration FILE, in the \
             environment variable {SECRET_VARIABLE}, or on standard input"
        )
        .into());
    }
    Ok(SecretString::new(secret.to_owned()))
}
