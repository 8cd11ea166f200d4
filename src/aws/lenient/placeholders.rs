//! Placeholders for the parts of a response that couldn't be read.

use std::cell::Cell;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

/// The member that describes what couldn't be read. No AWS API has it.
pub const PROBLEM: &str = "XksConsoleProblem";

/// The placeholder for a string that couldn't be read.
pub const UNREADABLE: &str = "Unreadable";

/// Deserializes placeholders for unreadable values: [`UNREADABLE`] for a string, lists and structures of placeholders,
/// and 0 for a number, which is an error unless `allow_numbers` is set. Stores the member names of a structure in
/// `fields`.
#[derive(Clone, Copy)]
pub(super) struct Placeholder<'a> {
    pub(super) fields: &'a Cell<&'static [&'static str]>,
    pub(super) allow_numbers: bool,
}

impl Placeholder<'_> {
    fn visit_number<T>(self, visited: Result<T, Error>) -> Result<T, Error> {
        if self.allow_numbers { visited } else { Err(Error::custom("numbers have no placeholder")) }
    }
}

macro_rules! placeholder_numbers {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit_number(visitor.visit_u8(0))
        })+
    };
}

impl<'de> Deserializer<'de> for Placeholder<'_> {
    type Error = Error;

    /// Only timestamps can have several types.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_u8(0))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_bool(false))
    }

    placeholder_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_number(visitor.visit_f64(f64::NAN))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.allow_numbers { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let element = (!self.allow_numbers).then_some(StrDeserializer::new(UNREADABLE));
        visitor.visit_seq(SeqDeserializer::new(element.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let pair = (!self.allow_numbers).then_some((UNREADABLE, UNREADABLE));
        visitor.visit_map(MapDeserializer::new(pair.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields.set(fields);
        let inner = Cell::new(&[][..]);
        let blank = Placeholder { fields: &inner, ..self };
        visitor
            .visit_map(PlaceholderMembers { names: fields.iter().filter(|name| **name != PROBLEM), placeholder: blank })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(UNREADABLE)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(UNREADABLE)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// The members of a structure, all placeholders.
struct PlaceholderMembers<'a, N> {
    names: N,
    placeholder: Placeholder<'a>,
}

impl<'de, N: Iterator<Item = &'static &'static str>> MapAccess<'de> for PlaceholderMembers<'_, N> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.names.next().map(|name| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<K::Value, Error> {
        seed.deserialize(self.placeholder)
    }
}
