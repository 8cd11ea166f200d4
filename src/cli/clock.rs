//! The command `clock`.

use jiff::SignedDuration;

use crate::clock_step::{self, InvalidStep};

/// The options of `clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Clock {
    /// Move the clock forward by this time, such as +7d
    ///
    /// Write weeks, days, hours, minutes, and seconds as w, d, h, m, and s. You can combine them: +1d12h.
    #[arg(value_name = "+TIME", value_parser = parse_step, allow_hyphen_values = true)]
    pub step: Option<SignedDuration>,
}

fn parse_step(text: &str) -> Result<SignedDuration, &'static str> {
    clock_step::parse(text).map_err(|reason| match reason {
        InvalidStep::Malformed => {
            "it isn't a time in weeks, days, hours, minutes, and seconds. Enter a time such as +7d, +12h, +30m, +1w, or \
             +1d12h"
        }
        InvalidStep::Backward => {
            "the clock of an account only moves forward, because events and deletions can't be undone. Enter a time such as \
             +7d, or start over with another --data-dir"
        }
        InvalidStep::TooLong => {
            "it is longer than 10 years, which is the most that an account can be ahead. Enter a shorter time"
        }
    })
}

/// The text after the options in the help of `clock`.
pub const HELP: &str = "\
Examples:
  xks-console clock                   Print the time of the account
  xks-console clock +7d               Move it forward by 7 days, so that a pending deletion ends
  xks-console clock +1d12h --json     Move it, and print the new time as JSON

What the account records has its own time: creation and deletion dates, rotations, sessions, events,
metrics, and the log of its external key store proxy. Signatures, MFA codes, and TLS certificates
are still checked with the time of this computer. Consoles and servers that use the account follow
immediately or at their next request.

Exit codes:
  0    the time is printed
  1    the account can't be opened, or would be more than 10 years ahead
  2    the command line is invalid";
