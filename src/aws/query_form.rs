//! The forms of the AWS query protocol: `Name=text`, `List.member.1=text`, `List.member.1.Name=text`.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

/// The maximum nesting depth. The rest of a deeper name becomes part of its last segment. No AWS request comes close.
const MAX_DEPTH: usize = 12;

/// Emits the form fields that represent a value. Empty lists emit nothing.
pub fn flatten(name: &str, value: &Value, emit: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Null => {}
        Value::String(text) => emit(name, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{name}.{}", index + 1), item, emit);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                flatten(&name, value, emit);
            }
        }
        other => emit(name, &other.to_string()),
    }
}

/// Parses the fields of a form into a nested value. Numbered fields become arrays, and all other values are strings.
pub fn unflatten(body: &[u8]) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, text) in form_urlencoded::parse(body).filter(|(name, _)| !matches!(&**name, "Action" | "Version")) {
        let mut place = &mut root;
        for part in name.splitn(MAX_DEPTH, '.') {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[part];
        }
        *place = Value::String(text.into_owned());
    }
    arrays_from_numbered_members(root)
}

fn arrays_from_numbered_members(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let number = |name: &String| name.parse::<u32>().ok();
    if members.is_empty() || members.keys().any(|name| number(name).is_none()) {
        return Value::Object(
            members.into_iter().map(|(name, value)| (name, arrays_from_numbered_members(value))).collect(),
        );
    }
    let mut items: Vec<_> = members.into_iter().collect();
    items.sort_by_key(|(name, _)| number(name));
    Value::Array(items.into_iter().map(|(_, item)| arrays_from_numbered_members(item)).collect())
}

/// Deserializes a form.
///
/// # Errors
/// A message that names a missing field or a field of the wrong type.
pub fn from_slice<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    T::deserialize(FormValue(unflatten(body)))
}

/// A value whose leaves are strings. The target type determines how they are parsed.
struct FormValue(Value);

impl FormValue {
    fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(&self) -> Result<T, Error> {
        let text = self.0.as_str().ok_or_else(|| Error::custom("expected a string, found a list or structure"))?;
        text.parse().map_err(|error| Error::custom(format!("{text}: {error}")))
    }
}

impl IntoDeserializer<'_> for FormValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for FormValue {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(FormValue))),
            Value::Object(members) => visitor
                .visit_map(MapDeserializer::new(members.into_iter().map(|(name, value)| (name, FormValue(value))))),
            Value::String(text) => visitor.visit_string(text),
            other => visitor.visit_string(other.to_string()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.parse()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.parse()?)
    }

    // An empty list or structure is sent as a field with an empty value.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0 == "" {
            Self(Value::Array(Vec::new())).deserialize_any(visitor)
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0 == "" {
            Self(Value::Object(Map::new())).deserialize_any(visitor)
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: StringDeserializer<Error> = self.parse::<String>()?.into_deserializer();
        visitor.visit_enum(text)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_and_structures_round_trip() {
        let value = json!({ "Names": { "member": ["a:b", "7"] }, "Entries": { "member": [{ "Key": "k", "Values": { "member": ["x"] } }] } });
        let mut form = form_urlencoded::Serializer::new(String::new());
        let mut names = Vec::new();
        flatten("", &value, &mut |name, text| {
            names.push(name.to_owned());
            form.append_pair(name, text);
        });
        let body = form.finish();
        assert_eq!(
            names,
            ["Names.member.1", "Names.member.2", "Entries.member.1.Key", "Entries.member.1.Values.member.1"]
        );
        assert_eq!(unflatten(body.as_bytes()), value);
    }

    #[test]
    fn numbered_names_set_the_order_and_text_is_parsed_to_the_target_type() {
        #[derive(serde::Deserialize, Debug, PartialEq)]
        #[serde(rename_all = "PascalCase")]
        struct Read {
            list: Vec<String>,
            count: Option<u32>,
            text: String,
            none: Vec<String>,
        }
        let read: Read = from_slice(b"Action=X&List.10=j&List.2=b&List.1=a&Count=7&Text=7&None=").unwrap();
        let list = ["a", "b", "j"].map(str::to_owned).to_vec();
        assert_eq!(read, Read { list, count: Some(7), text: "7".to_owned(), none: Vec::new() });
    }

    #[test]
    fn malformed_field_names_do_not_panic() {
        let deep = format!("{}=1&A=1&A.b=2&A.b.c=3", "x.".repeat(100_000));
        assert_eq!(unflatten(deep.as_bytes())["A"], json!({ "b": { "c": "3" } }));
    }
}
