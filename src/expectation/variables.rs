//! Variables: `${name}` in a text stands for a value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The values of variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// The names of the variables whose values can be secrets.
    secret: BTreeSet<String>,
}

/// Shows the names only, because a value can be a secret.
impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A text contains a variable that has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variable `{name}` has no value; set it before this line, such as with `#: let {name} \"value\"`")]
pub struct UndefinedVariable {
    /// The name of the variable.
    pub name: String,
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { values, secret: BTreeSet::new() }
    }
}

impl Variables {
    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: String) {
        self.secret.remove(name);
        self.values.insert(name.to_owned(), value);
    }

    /// Sets a variable whose value can be a secret, such as one from the environment.
    pub fn set_secret(&mut self, name: &str, value: String) {
        self.set(name, value);
        self.secret.insert(name.to_owned());
    }

    /// Returns `message` with each value that can be a secret replaced by its variable.
    pub fn redact(&self, message: &str) -> String {
        self.secret.iter().fold(message.to_owned(), |message, name| match self.values.get(name) {
            Some(value) if !value.is_empty() => message
                .replace(&regex_lite::escape(value), &format!("${{{name}}}"))
                .replace(value, &format!("${{{name}}}")),
            _ => message,
        })
    }

    /// Returns `text` with the value of each variable in its place.
    ///
    /// # Errors
    /// [`UndefinedVariable`].
    pub fn expand(&self, text: &str) -> Result<String, UndefinedVariable> {
        self.expand_with(text, str::to_owned)
    }

    /// Like [`expand`](Self::expand), with `escape` applied to each value.
    ///
    /// # Errors
    /// [`UndefinedVariable`].
    pub fn expand_with(&self, text: &str, escape: impl Fn(&str) -> String) -> Result<String, UndefinedVariable> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_variable(rest) {
            let value = self.values.get(name).ok_or_else(|| UndefinedVariable { name: name.to_owned() })?;
            out.push_str(before);
            out.push_str(&escape(value));
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Replaces the variables in all texts of `value`.
    pub(super) fn expand_value(&self, value: &Value) -> Result<Value, UndefinedVariable> {
        Ok(match value {
            Value::String(text) => Value::String(self.expand(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.expand_value(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let expand = |(name, value): (&String, &Value)| Ok((name.clone(), self.expand_value(value)?));
                Value::Object(members.iter().map(expand).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        })
    }
}

/// Returns the names of the variables in `text`, in order.
pub fn names_in(text: &str) -> Vec<String> {
    let (mut names, mut rest) = (Vec::new(), text);
    while let Some((_, name, after)) = next_variable(rest) {
        names.push(name.to_owned());
        rest = after;
    }
    names
}

/// Returns the names of the variables that occur in `value`.
pub(super) fn names_in_value(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => names_in(text),
        Value::Array(items) => items.iter().flat_map(names_in_value).collect(),
        Value::Object(members) => members.values().flat_map(names_in_value).collect(),
        _ => Vec::new(),
    }
}

/// Whether `name` can be the name of a variable: letters, digits, and underscores, not starting with a digit.
pub fn is_variable_name(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.chars().all(plain) && name.starts_with(|first: char| !first.is_ascii_digit())
}

/// Splits `text` at its first variable. Other uses of `${`, such as the `${aws:username}` of a key policy, are text.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("${") {
        let start = from + found;
        let inside = &text[start + 2..];
        if let Some(end) = inside.find('}')
            && is_variable_name(&inside[..end])
        {
            return Some((&text[..start], &inside[..end], &inside[end + 1..]));
        }
        from = start + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_are_replaced_and_policy_variables_are_kept() {
        let variables = Variables::from([("a", "1"), ("key_id", "x\"y")]);
        assert_eq!(variables.expand("${a}-${key_id}-${a}").unwrap(), "1-x\"y-1");
        assert_eq!(variables.expand("${aws:username} $a ${").unwrap(), "${aws:username} $a ${");
        assert_eq!(variables.expand("${b}").unwrap_err().name, "b");
        assert_eq!(names_in("${aws:x} ${b} ${1} ${c_2}"), ["b", "c_2"]);
    }

    #[test]
    fn secret_values_are_not_shown() {
        let mut variables = Variables::default();
        variables.set_secret("s", "a+b".to_owned());
        variables.set("t", "shown".to_owned());
        assert_eq!(variables.redact("/a\\+b/ is a+b, not shown"), "/${s}/ is ${s}, not shown");
        assert_eq!(format!("{variables:?}"), "{\"s\", \"t\"}");
    }

    proptest! {
        #[test]
        fn text_without_a_dollar_sign_is_unchanged(text in "[^$]{0,40}") {
            prop_assert_eq!(Variables::default().expand(&text).unwrap(), text);
        }
    }
}
