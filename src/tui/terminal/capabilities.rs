//! The capabilities of a terminal, and the fallbacks for terminals without color or Unicode.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use crate::tui::theme;
use crate::tui::theme_name::SymbolSet;

/// The capabilities of the terminal, as the environment variables describe them.
#[allow(clippy::struct_excessive_bools, reason = "the capabilities are independent of each other")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether colors may be used. See <https://no-color.org>.
    pub has_color: bool,
    /// Whether the locale's character encoding is UTF-8.
    pub has_unicode: bool,
    /// Whether the cursor can be moved. A full-screen program needs it.
    pub has_cursor: bool,
    /// Whether the terminal understands the question for its colors. The Linux console doesn't.
    pub reports_colors: bool,
}

impl Capabilities {
    /// Reads `NO_COLOR`, the locale, and `TERM`. `variable` returns the value of a variable.
    pub fn from_lookup(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        Self {
            has_color: set("NO_COLOR").is_none(),
            has_unicode: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_none_or(|locale| is_utf8(&locale)),
            has_cursor: set("TERM").is_none_or(|term| term != "dumb"),
            reports_colors: set("TERM").is_some_and(|term| term != "dumb" && term != "linux"),
        }
    }

    /// Returns the capabilities with the symbols that the user chose.
    #[must_use]
    pub fn with_symbols(self, symbols: SymbolSet) -> Self {
        let has_unicode = match symbols {
            SymbolSet::Auto => self.has_unicode,
            SymbolSet::Unicode => true,
            SymbolSet::Ascii => false,
        };
        Self { has_unicode, ..self }
    }

    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Adapts a frame to this terminal. Every cell keeps its position.
    pub fn adapt(self, frame: &mut Buffer) {
        for cell in &mut frame.content {
            if !self.has_color {
                remove_color(cell);
            }
            if !self.has_unicode && !cell.symbol().is_ascii() {
                let symbol = ascii_fallback(cell.symbol());
                cell.set_symbol(symbol);
            }
        }
    }
}

/// Returns whether the encoding in a locale name is UTF-8. A locale name without an encoding doesn't use UTF-8.
fn is_utf8(locale: &str) -> bool {
    let encoding = locale.split_once('.').map_or("", |(_, rest)| rest.split('@').next().unwrap_or_default());
    encoding.replace('-', "").eq_ignore_ascii_case("utf8")
}

/// Removes the colors of a cell. Text that was accented only by its color becomes bold.
fn remove_color(cell: &mut Cell) {
    if Some(cell.fg) == theme::ACCENT.fg {
        cell.modifier.insert(Modifier::BOLD);
    }
    (cell.fg, cell.bg, cell.underline_color) = (Color::Reset, Color::Reset, Color::Reset);
}

/// Returns the ASCII character that replaces `symbol`.
fn ascii_fallback(symbol: &str) -> &'static str {
    match symbol {
        "✗" | "×" => "x",
        "☑" | "☒" => "X",
        "☐" | "▁" => "_",
        "◉" | "•" | "●" | "◆" => "*",
        "○" => "o",
        "▲" => "!",
        "▴" | "↑" => "^",
        "▼" | "▾" | "↓" => "v",
        "▸" | "▶" | "→" | "›" | "▌" => ">",
        "◀" | "←" | "‹" | "▐" => "<",
        "…" | "◌" => "~",
        "‘" | "’" => "'",
        "“" | "”" => "\"",
        "╱" => "/",
        "│" | "┃" | "┆" | "┇" | "┊" | "┋" | "╎" | "╏" | "▏" | "▕" => "|",
        "·" | "⊘" | "–" | "—" | "─" | "━" | "┄" | "┅" | "┈" | "┉" | "╌" | "╍" => "-",
        "✓" | "╭" | "╮" | "╰" | "╯" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => {
            "+"
        }
        "▂" | "▃" | "▄" | "▅" | "▆" | "▇" | "█" | "▉" | "▊" | "▋" | "▍" | "▎" => "#",
        _ if symbol.width() == 0 => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn capabilities(variables: &[(&str, &str)]) -> Capabilities {
        Capabilities::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn first_set_locale_variable_determines_the_encoding() {
        for (variables, has_unicode) in [
            (&[][..], true),
            (&[("LANG", "en_US.UTF-8")], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "de_DE.UTF-8@euro")], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "POSIX")], false),
            (&[("LANG", "en_US")], false),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[("LANG", "de_DE@euro")], false),
            (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
        ] {
            assert_eq!(capabilities(variables).has_unicode, has_unicode, "{variables:?}");
        }
    }

    #[test]
    fn empty_no_color_is_ignored() {
        assert!(capabilities(&[("NO_COLOR", "")]).has_color);
        assert!(!capabilities(&[("NO_COLOR", "0")]).has_color);
    }

    #[test]
    fn dumb_terminal_cannot_move_the_cursor() {
        assert!(!capabilities(&[("TERM", "dumb")]).has_cursor);
        assert!(capabilities(&[("TERM", "vt100")]).has_cursor && capabilities(&[]).has_cursor);
    }

    #[test]
    fn emphasis_is_kept_when_colors_are_removed() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 3, 1));
        frame.set_style(Rect::new(0, 0, 1, 1), theme::ACCENT);
        frame.set_style(Rect::new(1, 0, 1, 1), theme::ERROR.patch(theme::FOCUS).bg(Color::Blue));
        Capabilities { has_color: false, has_unicode: true, ..capabilities(&[]) }.adapt(&mut frame);
        let modifiers = [Modifier::BOLD, Modifier::REVERSED, Modifier::empty()];
        assert_eq!([0, 1, 2].map(|x| frame[(x, 0)].modifier), modifiers);
        assert!(frame.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
    }

    #[test]
    fn without_utf_8_every_symbol_becomes_one_ascii_character_in_place() {
        let mut frame = Buffer::with_lines(["✓ Größe 日本 ▌x▐", "╭─ 👩‍👩‍👧 ─╮ नि."]);
        Capabilities { has_color: true, has_unicode: false, ..capabilities(&[]) }.adapt(&mut frame);
        assert!(frame.content.iter().all(|cell| cell.symbol().is_ascii() && cell.symbol().len() == 1), "{frame:?}");
        let row = |y| (0..frame.area.width).map(|x| frame[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(0), "+ Gr??e ? ?  >x<");
        assert!(row(1).starts_with("+- ?  -+ ?"), "{}", row(1));
    }
}
