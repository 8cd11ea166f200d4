//! Option values that error messages don't repeat.

use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};

/// A parser for a value that may contain a password. Unlike clap's parsers, it omits the value from error messages.
#[derive(Clone, Copy, Debug)]
pub struct RedactedValueParser<T, E>(pub fn(&str) -> Result<T, E>);

impl<T, E> TypedValueParser for RedactedValueParser<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Display + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let rejected = |reason: &dyn Display| {
            let of = arg.map(|arg| format!(" for '{arg}'")).unwrap_or_default();
            let message = format!("invalid value{of}: {reason}\n\nFor more information, try '--help'.\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| rejected(&"the value is not valid UTF-8"))?;
        (self.0)(text).map_err(|error| rejected(&error))
    }
}
