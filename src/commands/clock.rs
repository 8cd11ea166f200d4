//! `xks-console clock`: prints the time of the bundled AWS, or moves it forward.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::json;

use super::{note, open_bundled, runtime};
use crate::aws::xks_console::{AccountClock, AdvanceAccountClock, DescribeAccountClock};
use crate::cli::{Arguments, Clock as ClockOptions};
use crate::client::CallError;
use crate::clock_step;
use crate::environment::Clock;
use crate::in_process;

/// Prints the time of the account, after moving it if the command line says so.
pub(super) fn run(arguments: &Arguments, options: &ClockOptions) -> Result<ExitCode, Box<dyn Error>> {
    let bundled = open_bundled(arguments, Some(&super::settings(arguments)?.data_dir()?))?;
    let client = in_process::client(&bundled, Clock::System);
    let runtime = runtime()?;
    let clock = runtime.block_on(async {
        match options.step {
            Some(step) => client.call(&AdvanceAccountClock { seconds: step.as_secs() }).await,
            None => client.call(&DescribeAccountClock {}).await,
        }
    });
    let clock = match clock {
        Ok(clock) => clock,
        Err(CallError::Service(error)) => {
            note(error.message);
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    writeln!(std::io::stdout(), "{}", if arguments.json { to_json(&clock)? } else { describe(&clock) })?;
    Ok(ExitCode::SUCCESS)
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    time.round(Unit::Second).unwrap_or(time)
}

fn to_json(clock: &AccountClock) -> serde_json::Result<String> {
    let document = json!({ "time": whole_seconds(clock.time.0), "secondsAhead": clock.seconds_ahead });
    serde_json::to_string_pretty(&document)
}

fn describe(clock: &AccountClock) -> String {
    let time = whole_seconds(clock.time.0);
    if clock.seconds_ahead == 0 {
        return format!("{time}, the time of this computer");
    }
    let ahead = clock_step::format(SignedDuration::from_secs(clock.seconds_ahead));
    format!("{time}, {ahead} ahead of this computer")
}
