//! The values of one source, such as the file or the environment, and where each of them comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::file::Configuration;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No source sets the value.
    Default,
    /// A line of `config.toml`, counted from 1.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// The preferences that the user saved in the console, in this file.
    Preferences(PathBuf),
    /// An environment variable.
    Variable(&'static str),
    /// An option of the command line.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Preferences(path) => write!(f, "{}", path.display()),
            Self::Variable(name) | Self::Option(name) => f.write_str(name),
        }
    }
}

/// The values of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The values.
    pub values: Configuration,
    /// Where each value comes from, by its key, such as `theme` or `keys.refresh`.
    origins: BTreeMap<String, Origin>,
}

impl Layer {
    /// Creates a layer of values with their origins by key.
    pub(super) fn new(values: Configuration, origins: BTreeMap<String, Origin>) -> Self {
        Self { values, origins }
    }

    /// Sets the option that `key` comes from.
    pub fn set_option(&mut self, key: &str, option: &'static str) {
        self.origins.insert(key.to_owned(), Origin::Option(option));
    }

    /// Returns where the value of `key` comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}
