//! `xks-console proxy fault`: adds, lists, and removes proxy faults.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::EXIT_USAGE;
use super::lists::ListWriter;
use crate::aws::scalar::EpochSeconds;
use crate::aws::xks_console::{DeleteProxyFault, DeleteProxyFaults, ListProxyFaults, ProxyFault, PutProxyFault};
use crate::bundled::BundledAws;
use crate::cli::FaultCommand;
use crate::client::CallError;
use crate::commands::runtime;
use crate::environment::Clock;
use crate::in_process;
use crate::xks::faults;

/// Runs a command. Returns its exit code.
pub fn run(
    aws: &BundledAws,
    command: &FaultCommand,
    list: &mut ListWriter<'_, impl Write>,
    notes: &mut impl Write,
) -> Result<ExitCode, Box<dyn Error>> {
    let client = in_process::client(aws, Clock::System);
    let runtime = runtime()?;
    let result = match command {
        FaultCommand::Add { words } => {
            let words: Vec<&str> = match words.as_slice() {
                [text] => faults::split_words(text),
                words => words.iter().map(String::as_str).collect(),
            };
            let fault = match faults::parse(&words) {
                Ok(fault) => fault.to_string(),
                Err(error) => {
                    writeln!(notes, "xks-console: Couldn't add the proxy fault: {error}.")?;
                    return Ok(ExitCode::from(EXIT_USAGE));
                }
            };
            match runtime.block_on(client.call(&PutProxyFault { fault })) {
                Ok(added) if list.is_json => return list.write_json(&to_json(&added)).map(|()| ExitCode::SUCCESS),
                Ok(added) => {
                    writeln!(list.out, "{}", added.id)?;
                    return Ok(ExitCode::SUCCESS);
                }
                Err(error) => Err(error),
            }
        }
        FaultCommand::List => match runtime.block_on(client.call(&ListProxyFaults {})) {
            Ok(listed) => return write_list(&listed.faults, list).map(|()| ExitCode::SUCCESS),
            Err(error) => Err(error),
        },
        FaultCommand::Remove { id: Some(id), .. } => {
            runtime.block_on(client.call(&DeleteProxyFault { id: *id })).map(drop)
        }
        FaultCommand::Remove { .. } => runtime.block_on(client.call(&DeleteProxyFaults {})).map(drop),
    };
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(CallError::Service(error)) => {
            writeln!(notes, "xks-console: {}", error.message)?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_list(faults: &[ProxyFault], list: &mut ListWriter<'_, impl Write>) -> Result<(), Box<dyn Error>> {
    if list.is_json {
        return list.write_json(&json!({ "faults": faults.iter().map(to_json).collect::<Vec<_>>() }));
    }
    writeln!(list.out, "{:>4}  {:<8} {:<10}  FAULT", "ID", "STATUS", "FAILED")?;
    for fault in faults {
        let status = if fault.is_active { "ACTIVE" } else { "ENDED" };
        let failed = format!("{} of {}", fault.failed_requests, fault.matched_requests);
        writeln!(list.out, "{:>4}  {status:<8} {failed:<10}  {}", fault.id, fault.fault)?;
    }
    Ok(())
}

fn to_json(fault: &ProxyFault) -> Value {
    let time = |EpochSeconds(time): EpochSeconds| -> Timestamp { time.round(Unit::Second).unwrap_or(time) };
    json!({
        "id": fault.id,
        "fault": fault.fault,
        "isActive": fault.is_active,
        "matchedRequests": fault.matched_requests,
        "failedRequests": fault.failed_requests,
        "created": time(fault.creation_date),
        "ends": fault.end_date.map(time),
    })
}
