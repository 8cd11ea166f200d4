//! The JSON schema of `config.toml`, for editors.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::Configuration;
use super::print::values;
use super::settings::Settings;

/// Returns the JSON schema of `config.toml`, in draft 2020-12.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Configuration>().to_value();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            property.remove("default");
        }
        for (key, value, _) in values(&Settings::default()) {
            if let (Some(Value::Object(property)), Some(value)) = (properties.get_mut(key), value) {
                property.insert("default".to_owned(), serde_json::to_value(value).unwrap_or_default());
            }
        }
    }
    schema
}

/// Returns what the setting `key` means.
pub(super) fn description(schema: &Value, key: &str) -> String {
    schema["properties"][key]["description"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::config::check::parse;

    /// Returns where `value` violates `schema`. Knows only the keywords that the schema of the configuration uses, and
    /// panics at others.
    fn violations(schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (keyword, rule) in schema.as_object().unwrap() {
            let list = || rule.as_array().unwrap();
            let matching = || list().iter().filter(|one| violations(one, value, at).is_empty()).count();
            let is_met = match keyword.as_str() {
                "$schema" | "title" | "description" | "default" => true,
                "type" => match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64(),
                    other => panic!("unknown type {other}"),
                },
                "enum" => list().contains(value),
                "const" => rule == value,
                "anyOf" => matching() > 0,
                "oneOf" => matching() == 1,
                "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
                "pattern" => value
                    .as_str()
                    .is_none_or(|text| regex_lite::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
                "items" => {
                    let items = value.as_array().into_iter().flatten();
                    found.extend(items.flat_map(|item| violations(rule, item, at)));
                    true
                }
                "properties" => {
                    let inner = value.as_object().into_iter().flatten();
                    let known = inner.filter_map(|(key, value)| Some((key, rule.get(key)?, value)));
                    found.extend(known.flat_map(|(key, rule, value)| violations(rule, value, &format!("{at}.{key}"))));
                    true
                }
                "additionalProperties" => {
                    let known = |key: &String| schema["properties"].get(key).is_some();
                    for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| !known(key)) {
                        match rule {
                            Value::Bool(false) => found.push(format!("{at}.{key}")),
                            rule => found.extend(violations(rule, value, &format!("{at}.{key}"))),
                        }
                    }
                    true
                }
                other => panic!("unknown keyword {other}"),
            };
            if !is_met {
                found.push(at.to_owned());
            }
        }
        found
    }

    fn check(text: &str) -> Vec<String> {
        let value: Value = toml::from_str(text).unwrap();
        violations(&schema(), &value, "")
    }

    #[test]
    fn schema_accepts_what_the_program_accepts() {
        for text in [
            "",
            "theme = 'high-contrast'\nsymbols = 'ascii'\nmouse = false\naccessible = true\npage-size = 50",
            "columns = ['aliases', 'description']\ntarget = 'https://kms.example.com'\nprofile = 'work'",
            "region = 'eu-west-1'\nread-only = true\ndata-dir = '~/keys'\n[profiles.prod]\nread-only = true",
            "[profile.prod]\nread-only = true\n[profile.dev]",
            "[keys]\nrefresh = 'F5'\ncreate-key = ['n', 'Ctrl-G']",
        ] {
            assert_eq!(check(text), Vec::<String>::new(), "{text}");
            assert!(parse(text, Path::new("c")).is_ok(), "{text}");
        }
        assert_eq!(check(&crate::config::print(&Settings::default())), Vec::<String>::new());
    }

    #[test]
    fn schema_rejects_what_the_program_rejects() {
        for (text, place) in [
            ("theme = 'drak'", ".theme"),
            ("themes = 'dark'", ".themes"),
            ("mouse = 'yes'", ".mouse"),
            ("page-size = 30", ".page-size"),
            ("columns = []", ".columns"),
            ("columns = ['alias']", ".columns"),
            ("profile = 3", ".profile"),
            ("target = 'bundeld'", ".target"),
            ("target = 'https://ada:hunter2@kms.example.com'", ".target"),
            ("region = 'Oregon'", ".region"),
            ("data-dir = 'x'", ".data-dir"),
            ("[profiles.prod]\nreadonly = true", ".profiles.prod.readonly"),
            ("[profile.prod]\nread-only = 3", ".profile"),
            ("[keys]\nhlep = 'F1'", ".keys.hlep"),
            ("[keys]\nhelp = 3", ".keys.help"),
            ("[keys]\nhelp = []", ".keys.help"),
        ] {
            assert_eq!(check(text), [place], "{text}");
            assert!(parse(text, Path::new("c")).is_err(), "{text}");
        }
    }

    #[test]
    fn every_setting_has_a_description_and_its_default() {
        let schema = schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let properties = schema["properties"].as_object().unwrap();
        let settings = Settings::default();
        let with_one_value = values(&settings).map(|(key, ..)| key);
        let expected: BTreeSet<&str> = with_one_value.into_iter().chain(["profiles", "keys"]).collect();
        assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected);
        for (key, property) in properties {
            assert!(description(&schema, key).ends_with('.'), "{key}");
            assert!(
                !property["default"].is_null()
                    || ["page-size", "profile", "profiles", "region", "data-dir", "keys"].contains(&key.as_str()),
                "{key}"
            );
        }
        assert_eq!((&properties["theme"]["default"], &properties["mouse"]["default"]), (&"auto".into(), &true.into()));
    }
}
