//! API enumerations that AWS may add values to.
//!
//! AWS asks clients to expect unknown values (*AWS SDKs and Tools: unknown enum values*). An unknown value is kept
//! unchanged, so that it can be displayed, sorted, and sent back. This doesn't affect what the bundled AWS accepts: it
//! validates requests against the API model before it parses them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::text::is_hidden;

/// The maximum number of unknown values to keep, which bounds the memory that a service can consume with new values.
const MAX_VALUES: usize = 1000;
/// The maximum length of a value in characters. It exceeds all current KMS values.
const MAX_CHARS: usize = 128;

/// Interns an unknown value for the lifetime of the process and replaces characters that could affect the terminal.
pub fn intern_unknown(text: &str) -> &'static str {
    static INTERNED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let text: String =
        text.chars().take(MAX_CHARS).map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect();
    let mut known = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = known.get(text.as_str()) {
        return value;
    }
    if known.len() >= MAX_VALUES {
        return "Unknown";
    }
    let value: &'static str = String::leak(text);
    known.insert(value);
    value
}

/// Declares an enumeration with its wire values, and a variant `Other` for every other value.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that this version doesn't know.
            Other(&'static str),
        }

        impl $name {
            /// Returns the wire value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }

            /// Whether this version knows the value.
            pub const fn is_known(self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other($crate::aws::open_enum::intern_unknown(other)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                        Ok($name::from(text))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use crate::aws::kms::{ConnectionState, KeyState};

    #[test]
    fn unknown_value_round_trips_unchanged() {
        let state: ConnectionState = serde_json::from_str("\"HIBERNATING\"").unwrap();
        assert_eq!((state.as_str(), state.label(), state.is_known()), ("HIBERNATING", "HIBERNATING", false));
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"HIBERNATING\"");
        let known: KeyState = serde_json::from_str("\"PendingDeletion\"").unwrap();
        assert_eq!(known, KeyState::PendingDeletion);
        assert!(serde_json::from_str::<KeyState>("5").is_err());
    }

    #[test]
    fn long_value_is_truncated_at_a_character_boundary_and_control_characters_are_replaced() {
        let state = ConnectionState::from("\u{e9}".repeat(200).as_str());
        assert_eq!(state.as_str(), "\u{e9}".repeat(128));
        assert_eq!(ConnectionState::from("A\u{1b}[2J").label(), "A\u{fffd}[2J");
    }
}
