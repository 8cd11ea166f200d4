//! Enumerations of the API that AWS may add values to.
//!
//! AWS asks clients to expect values that they don't know (*AWS SDKs and Tools: unknown enum values*). Such a value is kept
//! as it came, so that it can be shown, sorted and sent back. What a service accepts is another matter: the bundled AWS
//! holds requests against the shapes of the API model before it reads them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Values that are kept at most, so that no service fills the memory by inventing them.
const MAX_VALUES: usize = 1000;
/// Characters that are kept of a value: more than any value of KMS has today.
const MAX_CHARS: usize = 128;

/// The text of a value that is not known, kept once for the whole run, with nothing in it that could act on a terminal.
pub fn intern_unknown(text: &str) -> &'static str {
    static INTERNED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let acts = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String =
        text.chars().take(MAX_CHARS).map(|letter| if acts(letter) { '\u{fffd}' } else { letter }).collect();
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

/// Declares an enumeration with its wire forms, and a variant `Other` for every other text.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that AWS has added since.
            Other(&'static str),
        }

        impl $name {
            /// The wire form.
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
                        f.write_str("a text")
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
