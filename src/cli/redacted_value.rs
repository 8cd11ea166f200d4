//! Values that errors don't repeat.

use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};

/// Parses a value that may contain a password. Unlike clap's own parsers it leaves the value out of errors.
#[derive(Clone, Copy, Debug)]
pub struct RedactedValueParser<T, E>(pub fn(&str) -> Result<T, E>);

impl<T, E> TypedValueParser for RedactedValueParser<T, E>
where
    T: Clone + Send + Sync + 'static,
    E: Display + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let refused = |reason: &dyn Display| {
            let of = arg.map(|arg| format!(" for '{arg}'")).unwrap_or_default();
            let words = format!("invalid value{of}: {reason}\n\nFor more information, try '--help'.\n");
            clap::Error::raw(ErrorKind::ValueValidation, words).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| refused(&"it is not UTF-8"))?;
        (self.0)(text).map_err(|error| refused(&error))
    }
}
