//! The style of terminal cells in words, such as `bold red on black`, in tapes and golden files.
//!
//! The words are the colors `black`, `red`, `green`, `yellow`, `blue`, `magenta`, `cyan`, `gray`, `darkgray`, `lightred`,
//! `lightgreen`, `lightyellow`, `lightblue`, `lightmagenta`, `lightcyan`, and `white`, a number from 0 to 255, or `#`
//! with six hexadecimal digits; `on` and a color for the background; and `bold`, `dim`, `italic`, `underlined`,
//! `reversed`, `hidden`, `crossed-out`, and `blinking`.

use std::fmt::Write as _;

use ratatui::style::{Color, Modifier, Style};

use crate::text::nearest;

const MODIFIERS: [(&str, Modifier); 8] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
    ("hidden", Modifier::HIDDEN),
    ("crossed-out", Modifier::CROSSED_OUT),
    ("blinking", Modifier::SLOW_BLINK),
];

const COLORS: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "darkgray",
    "lightred",
    "lightgreen",
    "lightyellow",
    "lightblue",
    "lightmagenta",
    "lightcyan",
    "white",
];

/// Describes a style. The result is empty for the default style, and the background comes last.
pub fn describe(style: Style) -> String {
    let mut words = String::new();
    for (word, modifier) in MODIFIERS {
        if style.add_modifier.contains(modifier) {
            let _ = write!(words, "{word} ");
        }
    }
    if let Some(color) = style.fg.filter(|color| *color != Color::Reset) {
        let _ = write!(words, "{} ", describe_color(color));
    }
    if let Some(color) = style.bg.filter(|color| *color != Color::Reset) {
        let _ = write!(words, "on {} ", describe_color(color));
    }
    words.truncate(words.trim_end().len());
    words
}

fn describe_color(color: Color) -> String {
    color.to_string().to_lowercase()
}

/// Parses words such as `red bold on black`.
///
/// # Errors
/// A message with the nearest right word.
pub fn parse(text: &str) -> Result<Style, String> {
    let (mut style, mut is_background) = (Style::new(), false);
    if text.trim().is_empty() {
        return Err("write the style, such as red bold".to_owned());
    }
    for word in text.split_whitespace() {
        if word == "on" && !is_background {
            is_background = true;
        } else if let Some((_, modifier)) = MODIFIERS.into_iter().find(|(known, _)| *known == word && !is_background) {
            style = style.add_modifier(modifier);
        } else {
            let color = parse_color(word)?;
            style = if is_background { style.bg(color) } else { style.fg(color) };
            is_background = false;
        }
    }
    if is_background { Err("write a color after on".to_owned()) } else { Ok(style) }
}

fn parse_color(word: &str) -> Result<Color, String> {
    let is_known = COLORS.contains(&word) || word.starts_with('#') || word.parse::<u8>().is_ok();
    word.parse().ok().filter(|_| is_known).ok_or_else(|| {
        let words = || COLORS.into_iter().chain(MODIFIERS.map(|(word, _)| word)).chain(["on"]);
        match nearest(word, words()) {
            Some(near) => format!("`{word}` is not a style; did you mean {near}?"),
            None => format!("`{word}` is not a style; use {}", words().collect::<Vec<_>>().join(", ")),
        }
    })
}

/// Whether a cell of the style `actual` has everything that `expected` asks for.
pub fn contains(actual: Style, expected: Style) -> bool {
    let has_color = |actual: Option<Color>, expected: Option<Color>| expected.is_none() || actual == expected;
    has_color(actual.fg, expected.fg)
        && has_color(actual.bg, expected.bg)
        && actual.add_modifier.contains(expected.add_modifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_described_by_words_that_parse_to_it() {
        for color in COLORS.into_iter().chain(["17", "#0a0b0c"]) {
            let style = Style::new().fg(color.parse().unwrap()).bg(Color::Blue).add_modifier(Modifier::BOLD);
            assert_eq!(describe(style), format!("bold {color} on blue"));
            assert_eq!(parse(&describe(style)), Ok(style));
        }
        for (word, modifier) in MODIFIERS {
            assert_eq!(parse(word), Ok(Style::new().add_modifier(modifier)));
            assert_eq!(describe(Style::new().add_modifier(modifier)), word);
        }
        assert_eq!(describe(Style::reset()), "");
    }

    #[test]
    fn unknown_words_are_refused_with_the_nearest_one() {
        assert_eq!(parse("bold rad"), Err("`rad` is not a style; did you mean red?".to_owned()));
        assert!(parse("heavy-blue-thing").unwrap_err().contains("use black, red"));
        assert_eq!(parse(" "), Err("write the style, such as red bold".to_owned()));
        assert_eq!(parse("red on"), Err("write a color after on".to_owned()));
    }

    #[test]
    fn expected_style_can_leave_out_what_does_not_matter() {
        let actual = Style::reset().fg(Color::Red).add_modifier(Modifier::BOLD | Modifier::DIM);
        assert!(contains(actual, parse("red bold").unwrap()) && contains(actual, parse("dim").unwrap()));
        assert!(!contains(actual, parse("green").unwrap()) && !contains(actual, parse("italic").unwrap()));
    }
}
