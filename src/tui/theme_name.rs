//! The names of the themes and symbol sets that users choose from.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A theme that the user can choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// Dark or light, depending on the background of the terminal
    #[default]
    Auto,
    /// For a dark background
    Dark,
    /// For a light background
    Light,
    /// Bright colors, and links underlined
    HighContrast,
    /// No colors
    Mono,
    /// White on black, for projectors
    Projector,
}

/// The symbols that the console draws with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SymbolSet {
    /// Unicode if the locale uses UTF-8, ASCII otherwise
    #[default]
    Auto,
    /// Check marks, circles, and rounded lines
    Unicode,
    /// ASCII characters only
    Ascii,
}
