//! Regular expressions in tapes, which can contain variables.

use std::borrow::Cow;

use regex_lite::Regex;

use crate::expectation::{Variables, names_in};

/// A regular expression. Variables in it stand for their text, not for a pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Option<Regex>,
}

impl Pattern {
    /// Parses a regular expression, as written between slashes.
    ///
    /// # Errors
    /// A message if it isn't valid.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let text = written.replace("\\/", "/");
        let names = names_in(&text);
        if names.is_empty() {
            let regex = Some(compile(&text)?);
            return Ok(Self { text, regex });
        }
        let any_values = names.into_iter().fold(Variables::default(), |mut variables, name| {
            variables.set(&name, "x".to_owned());
            variables
        });
        compile(&any_values.expand(&text).map_err(|error| error.to_string())?)?;
        Ok(Self { text, regex: None })
    }

    /// Returns the text, with variables as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the regular expression with the values of variables.
    ///
    /// # Errors
    /// A message if a variable has no value.
    pub(super) fn resolve(&self, variables: &Variables) -> Result<Cow<'_, Regex>, String> {
        if let Some(regex) = &self.regex {
            return Ok(Cow::Borrowed(regex));
        }
        let text = variables.expand_with(&self.text, regex_lite::escape).map_err(|error| error.to_string())?;
        compile(&text).map(Cow::Owned)
    }
}

fn compile(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("/{text}/ is not a valid regular expression: {error}"))
}
