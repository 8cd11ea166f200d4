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
