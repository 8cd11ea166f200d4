//! Status indicators: a symbol and a word. The color only supports the symbol.

use std::borrow::Cow;

use ratatui::style::Style;

use crate::tui::theme;

/// The symbols of status indicators, with their styles.
const SYMBOLS: [(&str, Style); 6] = [
    ("✓", theme::SUCCESS),
    ("✗", theme::ERROR),
    ("▲", theme::WARNING),
    ("◌", theme::WARNING),
    ("⊘", theme::WARNING),
    ("●", theme::INFO),
];

/// Returns the indicator of a state, such as `✓ Connected`. A state without a symbol stays as it is. The state may be
/// followed by a note in parentheses.
pub fn indicator(word: &str) -> String {
    let symbol = match word.split(" (").next().unwrap_or_default() {
        "Connected" | "Enabled" | "Working" => "✓",
        "Failed" | "Failing" | "Unavailable" => "✗",
        "Active" | "Pending deletion" | "Pending replica deletion" => "▲",
        "Connecting" | "Disconnecting" | "Creating" | "Updating" | "Pending import" | "Waiting" => "◌",
        "Disconnected" | "Disabled" | "Ended" => "⊘",
        _ => return word.to_owned(),
    };
    format!("{symbol} {word}")
}

/// Returns `words` with the symbol that tells the same as the color of `style`, unless they start with a symbol.
pub fn with_symbol(words: &str, style: Style) -> Cow<'_, str> {
    let symbol = match style.fg {
        color if color == theme::SUCCESS.fg => "✓",
        color if color == theme::ERROR.fg => "✗",
        color if color == theme::WARNING.fg => "▲",
        _ => return Cow::Borrowed(words),
    };
    let has_symbol = words.trim_start().starts_with(|first: char| !first.is_alphanumeric() && !first.is_ascii());
    if has_symbol { Cow::Borrowed(words) } else { Cow::Owned(format!("{symbol} {words}")) }
}

/// Returns the style of a text that starts with the symbol of an indicator.
pub fn style(text: &str) -> Style {
    let symbol = text.split(' ').next().unwrap_or_default();
    SYMBOLS.iter().find(|(known, _)| *known == symbol).map_or(theme::TEXT, |(_, style)| *style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicator_has_a_symbol_and_a_word_and_its_symbol_determines_the_style() {
        for (word, expected, expected_style) in [
            ("Connected", "✓ Connected", theme::SUCCESS),
            ("Failed", "✗ Failed", theme::ERROR),
            ("Disabled", "⊘ Disabled", theme::WARNING),
            ("Something new", "Something new", theme::TEXT),
            ("", "", theme::TEXT),
        ] {
            assert!(expected_style == theme::TEXT || with_symbol(word, expected_style).contains(' '));
            assert_eq!(with_symbol(expected, expected_style), expected);
            let indicator = indicator(word);
            assert_eq!((indicator.as_str(), style(&indicator)), (expected, expected_style));
        }
    }
}
