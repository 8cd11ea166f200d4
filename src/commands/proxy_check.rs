//! `xks-console proxy check`: checks any external key store proxy.

use std::error::Error;
use std::process::ExitCode;

use super::runtime;
use crate::cli::{Arguments, ProxyCheck};
use crate::conformance::command::{self, SECRET_VARIABLE};
use crate::environment::Environment;

/// Checks the proxy and prints the report. The exit code is a failure if the proxy doesn't meet a requirement.
pub(super) fn run(arguments: &Arguments, options: &ProxyCheck) -> Result<ExitCode, Box<dyn Error>> {
    let secret = std::env::var(SECRET_VARIABLE).ok();
    let mut out = std::io::stdout().lock();
    let check = command::check(arguments, options, secret, Environment::system(), &mut out);
    Ok(if runtime()?.block_on(check)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
