//! The values of settings that are more than a word, a number, or a Boolean.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::choices;
use crate::client::endpoints::{InvalidRegion, InvalidUrl, check_region, check_url};
use crate::text;
use crate::tui::key_press::{KeyPress, ParseKeyError};
use crate::tui::preferences::{KeyColumn, Preferences};

/// The AWS that the program uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum TargetSetting {
    /// The bundled AWS.
    #[default]
    Bundled,
    /// AWS.
    Aws,
    /// The AWS-compatible services at this endpoint.
    Endpoint(String),
}

/// Why a text isn't a target. The message doesn't repeat a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// The text is a word, but no target has this name.
    #[error("\"{name}\" is not a target. {hint}")]
    Unknown {
        /// The word.
        name: String,
        /// What to write instead.
        hint: String,
    },
    /// The URL can't be an endpoint.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
}

impl TryFrom<String> for TargetSetting {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        match text.as_str() {
            "bundled" => Ok(Self::Bundled),
            "aws" => Ok(Self::Aws),
            word if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                let hint = text::nearest(word, ["bundled", "aws"]).map_or_else(
                    || "Use \"bundled\", \"aws\", or the URL of an endpoint.".to_owned(),
                    |nearest| format!("Did you mean \"{nearest}\"?"),
                );
                Err(InvalidTarget::Unknown { name: word.to_owned(), hint })
            }
            url => {
                check_url(url)?;
                Ok(Self::Endpoint(text))
            }
        }
    }
}

impl JsonSchema for TargetSetting {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "anyOf": [{ "enum": ["bundled", "aws"] }, { "pattern": "^https?://[^@?#]+$" }],
        })
    }
}

impl TargetSetting {
    /// Returns the value as it is written in `config.toml`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bundled => "bundled",
            Self::Aws => "aws",
            Self::Endpoint(url) => url,
        }
    }
}

/// The name of a Region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RegionName(pub(super) String);

impl RegionName {
    /// Creates the name of a Region that was already checked.
    pub fn checked(name: String) -> Self {
        Self(name)
    }
}

impl TryFrom<String> for RegionName {
    type Error = InvalidRegion;

    fn try_from(name: String) -> Result<Self, InvalidRegion> {
        check_region(&name).map(|()| Self(name))
    }
}

/// The path of a directory in `config.toml`: absolute, or below the home directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DirectoryPath(pub(super) PathBuf);

/// The path depends on the current directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an absolute path. Start the path with / or ~/")]
pub struct RelativePath(String);

impl TryFrom<String> for DirectoryPath {
    type Error = RelativePath;

    fn try_from(text: String) -> Result<Self, RelativePath> {
        if text.starts_with('/') || text.starts_with("~/") { Ok(Self(text.into())) } else { Err(RelativePath(text)) }
    }
}

impl DirectoryPath {
    /// Creates a path that a shell has expanded. It may be relative to the current directory.
    pub fn from_shell(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the path with `home` in place of `~`. Without a home directory, the path stays as it is.
    pub fn expand(&self, home: Option<&Path>) -> PathBuf {
        match (self.0.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.0.clone(),
        }
    }
}

/// The visible columns of *Customer managed keys*: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<KeyColumn>")]
pub struct Columns(pub(super) Vec<KeyColumn>);

impl TryFrom<Vec<KeyColumn>> for Columns {
    type Error = &'static str;

    fn try_from(columns: Vec<KeyColumn>) -> Result<Self, &'static str> {
        if columns.is_empty() { Err("the list is empty. Name at least one column") } else { Ok(Self(columns)) }
    }
}

impl JsonSchema for Columns {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Columns".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "array", "items": { "type": "string", "enum": KeyColumn::ALL }, "minItems": 1 })
    }
}

/// The maximum number of keys on a page: one of those that the console offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize")]
pub struct PageSize(pub(super) usize);

/// The console doesn't offer this page size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an available page size. Use {list}", list = choices(page_sizes()))]
pub struct InvalidPageSize(usize);

fn page_sizes() -> impl Iterator<Item = usize> {
    Preferences::PAGE_SIZES.into_iter().flatten()
}

impl TryFrom<usize> for PageSize {
    type Error = InvalidPageSize;

    fn try_from(size: usize) -> Result<Self, InvalidPageSize> {
        if page_sizes().any(|known| known == size) { Ok(Self(size)) } else { Err(InvalidPageSize(size)) }
    }
}

impl JsonSchema for PageSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PageSize".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "enum": page_sizes().collect::<Vec<_>>() })
    }
}

/// The keys of an action: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "KeyOrKeys")]
pub struct KeyBinding(pub(super) Vec<KeyPress>);

/// A key such as "n", "Ctrl-N", or "F5", or a list of keys.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "invalid type: another value, expected a key such as \"n\", or a list of keys")]
#[schemars(inline)]
pub(super) enum KeyOrKeys {
    /// The only key.
    One(String),
    /// The keys.
    Many(#[schemars(length(min = 1))] Vec<String>),
}

/// Why keys can't be those of an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBinding {
    /// A key is invalid.
    #[error(transparent)]
    Key(#[from] ParseKeyError),
    /// Ctrl-C is reserved.
    #[error("Ctrl-C always quits, so it can't be assigned. Choose another key")]
    Reserved,
    /// There is no key.
    #[error("the list is empty. Name at least one key, or remove the line")]
    Empty,
}

impl TryFrom<KeyOrKeys> for KeyBinding {
    type Error = InvalidBinding;

    fn try_from(keys: KeyOrKeys) -> Result<Self, InvalidBinding> {
        let names = match keys {
            KeyOrKeys::One(key) => vec![key],
            KeyOrKeys::Many(keys) => keys,
        };
        let keys = names.iter().map(|name| name.parse()).collect::<Result<Vec<KeyPress>, _>>()?;
        match keys.as_slice() {
            [] => Err(InvalidBinding::Empty),
            keys if keys.contains(&KeyPress::INTERRUPT) => Err(InvalidBinding::Reserved),
            _ => Ok(Self(keys)),
        }
    }
}
