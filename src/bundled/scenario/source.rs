//! Where scenarios come from, and errors that name the line.

use std::path::Path;

use super::definition::{Account, Scenario};
use crate::bundled::store::OpenError;
use crate::text::file::read_text_up_to;
use crate::text::strip_byte_order_mark;

const BUILT_IN: [(&str, &str); 5] = [
    ("default", include_str!("../../../assets/scenarios/default.toml")),
    ("empty", include_str!("../../../assets/scenarios/empty.toml")),
    ("incident", include_str!("../../../assets/scenarios/incident.toml")),
    ("large", include_str!("../../../assets/scenarios/large.toml")),
    ("training", include_str!("../../../assets/scenarios/training.toml")),
];

/// The largest size of a scenario in a file. One that `world export` writes has some 150 bytes for each key.
const MAX_MEBIBYTES: u64 = 64;

/// Returns the names of all built-in scenarios.
pub fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// Returns whether `name` is that of a built-in scenario, or of a scenario in a file.
pub fn is_known(name: &str) -> bool {
    is_file(name) || names().contains(&name)
}

fn is_file(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// The text of a scenario.
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Reads the built-in scenario `name`, or the file with this path if it ends in `.toml`.
    ///
    /// # Errors
    /// [`OpenError::UnknownScenario`], or [`OpenError::InvalidScenario`] if the file can't be read.
    pub fn read(name: &str) -> Result<Self, OpenError> {
        let text = if is_file(name) {
            let text = read_text_up_to(Path::new(name), MAX_MEBIBYTES)
                .map_err(|reason| OpenError::InvalidScenario { name: name.to_owned(), reason })?;
            strip_byte_order_mark(&text).to_owned()
        } else {
            let found = BUILT_IN.iter().find(|(known, _)| *known == name);
            let (_, text) = found.ok_or_else(|| OpenError::UnknownScenario(name.to_owned()))?;
            (*text).to_owned()
        };
        Ok(Self { name: name.to_owned(), text })
    }

    /// Parses the scenario, and adds what the scenario that it extends has.
    ///
    /// # Errors
    /// [`OpenError::InvalidScenario`], or [`OpenError::UnknownScenario`] for the scenario that it extends.
    pub fn parse(&self) -> Result<(Account, Scenario), OpenError> {
        let mut scenario: Scenario = toml::from_str(&self.text).map_err(|error| self.invalid(error.to_string()))?;
        if let Some(base) = scenario.extends.take() {
            if !names().contains(&base.as_str()) {
                return Err(OpenError::UnknownScenario(base));
            }
            let (account, mut other) = Self::read(&base)?.parse()?;
            other.account = Some(account);
            scenario = scenario.added_to(other);
        }
        match scenario.account.take() {
            Some(account) => Ok((account, scenario)),
            None => Err(self.invalid(
                "it has no account. Add an [account] section, or a line such as `extends = \"default\"` at the top"
                    .to_owned(),
            )),
        }
    }

    /// Returns the error for a problem of the entry at `span`.
    pub fn problem_at(&self, span: &std::ops::Range<usize>, reason: &str) -> OpenError {
        let before = self.text.get(..span.start).unwrap_or_default();
        self.invalid(format!("line {}: {reason}", before.matches('\n').count() + 1))
    }

    /// Returns the error for a problem of the whole scenario.
    pub fn problem(&self, reason: &str) -> OpenError {
        self.invalid(reason.to_owned())
    }

    fn invalid(&self, reason: String) -> OpenError {
        OpenError::InvalidScenario { name: self.name.clone(), reason }
    }
}
