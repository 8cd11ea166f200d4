//! The names of the themes and of the symbol sets, as the configuration and the command line spell them.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ThemeName {
    /// The theme that suits the terminal.
    #[default]
    Auto,
    /// Colors for a dark background.
    Dark,
    /// Colors for a light background.
    Light,
    /// Strong contrast.
    HighContrast,
    /// No colors; only bold, dim, underlined, and reversed text.
    Mono,
    /// Colors that remain readable on a projector.
    Projector,
}

/// The characters for borders, marks, and charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum SymbolSet {
    /// Unicode in a UTF-8 locale, or else ASCII.
    #[default]
    Auto,
    /// Unicode characters.
    Unicode,
    /// ASCII characters only.
    Ascii,
}

/// How the console is drawn.
pub type Appearance = (ThemeName, SymbolSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_and_configuration_spell_names_alike() {
        fn check<T: ValueEnum + Serialize>(expected: &[&str]) {
            let names = T::value_variants().iter().map(|variant| {
                let name = variant.to_possible_value().unwrap().get_name().to_owned();
                assert_eq!(serde_json::to_value(variant).unwrap(), name);
                name
            });
            assert_eq!(names.collect::<Vec<_>>(), expected);
        }
        check::<ThemeName>(&["auto", "dark", "light", "high-contrast", "mono", "projector"]);
        check::<SymbolSet>(&["auto", "unicode", "ascii"]);
        assert_eq!((ThemeName::default(), SymbolSet::default()), (ThemeName::Auto, SymbolSet::Auto));
    }
}
