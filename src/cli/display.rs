//! Options of the screen.

use crate::tui::theme_name::{SymbolSet, ThemeName};

/// The options of how the console looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct DisplayOptions {
    /// Use these colors
    #[arg(long, value_name = "THEME", value_enum, global = true)]
    pub theme: Option<ThemeName>,
    /// Use these characters for borders, marks, and charts
    #[arg(long, value_name = "SET", value_enum, global = true)]
    pub symbols: Option<SymbolSet>,
    /// Adapt the console to screen readers
    #[arg(long, global = true)]
    pub accessible: bool,
    /// Don't respond to the mouse
    #[arg(long, global = true)]
    pub no_mouse: bool,
}
