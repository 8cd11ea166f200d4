//! Asks the terminal for its colors, and reads its replies.
//!
//! Source: [XTerm Control Sequences](https://invisible-island.net/xterm/ctlseqs/ctlseqs.html), *Operating System
//! Commands* 4, 10, and 11.

use crate::tui::theme::{Palette, Rgb};

/// A color of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorSlot {
    /// The default text color.
    Foreground,
    /// The background color.
    Background,
    /// An ANSI color, from 0 to 15.
    Ansi(u8),
}

/// The reply of a terminal to the question for one of its colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColorReport {
    /// The color that the terminal was asked for.
    pub slot: ColorSlot,
    /// Its value.
    pub color: Rgb,
}

impl ColorReport {
    /// Parses the text of an operating system command, such as `11;rgb:1e1e/1e1e/1e1e`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (slot, value) = match text.split_once(';')? {
            ("10", value) => (ColorSlot::Foreground, value),
            ("11", value) => (ColorSlot::Background, value),
            ("4", rest) => {
                let (index, value) = rest.split_once(';')?;
                (ColorSlot::Ansi(index.parse().ok().filter(|index| *index < 16)?), value)
            }
            _ => return None,
        };
        Some(Self { slot, color: parse_color(value)? })
    }

    /// Stores the color in `palette`.
    pub fn store_in(self, palette: &mut Palette) {
        match self.slot {
            ColorSlot::Foreground => palette.foreground = self.color,
            ColorSlot::Background => palette.background = self.color,
            ColorSlot::Ansi(index) => {
                if let Some(color) = palette.ansi.get_mut(usize::from(index)) {
                    *color = self.color;
                }
            }
        }
    }
}

/// Parses a color such as `rgb:1e1e/1e1e/1e1e`, with one to four hexadecimal digits per channel, or `rgba:…`.
fn parse_color(text: &str) -> Option<Rgb> {
    let channels = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:"))?;
    let mut channels = channels.split('/').map(parse_channel);
    Some(Rgb(channels.next()??, channels.next()??, channels.next()??))
}

/// Scales one to four hexadecimal digits to a byte.
fn parse_channel(digits: &str) -> Option<u8> {
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok().filter(|length| (1..=4).contains(length))?)? - 1;
    let value = u32::from_str_radix(digits, 16).ok()?;
    u8::try_from((value * 255 + most / 2) / most).ok()
}

/// Returns the sequence that asks a terminal for all of its colors.
pub(super) fn query() -> String {
    let slots = ["10", "11"].map(str::to_owned).into_iter().chain((0..16).map(|index| format!("4;{index}")));
    slots.fold(String::new(), |query, slot| query + "\x1b]" + &slot + ";?\x1b\\")
}

/// Returns the palette to assume until the terminal replies. rxvt and others announce a light background in
/// `COLORFGBG`, for example as `0;15`.
pub(super) fn assumed_palette(color_fg_bg: Option<&str>) -> Palette {
    let background = color_fg_bg.and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
    match background {
        Some(7 | 9..=15) => Palette::XTERM_LIGHT,
        _ => Palette::XTERM_DARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_terminals_are_parsed() {
        for (text, expected) in [
            ("10;rgb:ffff/8080/0000", Some((ColorSlot::Foreground, Rgb(255, 128, 0)))),
            ("11;rgb:1e/1e/1e", Some((ColorSlot::Background, Rgb(0x1e, 0x1e, 0x1e)))),
            ("11;rgba:f/f/f/0", Some((ColorSlot::Background, Rgb(255, 255, 255)))),
            ("4;15;rgb:000/fff/800", Some((ColorSlot::Ansi(15), Rgb(0, 255, 128)))),
            ("4;16;rgb:00/00/00", None),
            ("11;?", None),
            ("11;rgb:12345/0/0", None),
            ("11;rgb:00/00", None),
            ("11;rgb:+1/00/00", None),
            ("52;c;ZGRk", None),
            ("", None),
        ] {
            let report = ColorReport::parse(text.as_bytes()).map(|report| (report.slot, report.color));
            assert_eq!(report, expected, "{text}");
        }
    }

    #[test]
    fn light_background_is_assumed_only_if_the_environment_announces_it() {
        for (value, is_light) in [
            (None, false),
            (Some("15;0"), false),
            (Some("0;15"), true),
            (Some("0;default;15"), true),
            (Some("x"), false),
        ] {
            assert_eq!(assumed_palette(value).is_light(), is_light, "{value:?}");
        }
    }
}
