//! The colors of a terminal, and the contrast between them.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The brightness of dim text, in percent of its color, in xterm and most other terminals.
pub(super) const DIM_PERCENT: u16 = 66;

/// An RGB color, one byte per channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Returns the color that is `percent` of the way from `background` to this color.
    #[must_use]
    pub fn blend(self, background: Self, percent: u16) -> Self {
        let mix = |top: u8, bottom: u8| {
            let sum = u16::from(top) * percent + u16::from(bottom) * (100 - percent);
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, background.0), mix(self.1, background.1), mix(self.2, background.2))
    }

    /// Returns the relative luminance, from 0 for black to 1 for white.
    ///
    /// Source: [WCAG 2.2, relative luminance](https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Returns the contrast ratio of two colors, from 1 to 21.
///
/// Source: [WCAG 2.2, contrast ratio](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The colors of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// The default text color.
    pub foreground: Rgb,
    /// The background color.
    pub background: Rgb,
    /// The 16 ANSI colors.
    pub ansi: [Rgb; 16],
}

/// Creates the ANSI colors from their hexadecimal values.
const fn ansi(values: [u32; 16]) -> [Rgb; 16] {
    let mut colors = [Rgb(0, 0, 0); 16];
    let mut index = 0;
    while index < 16 {
        colors[index] = rgb(values[index]);
        index += 1;
    }
    colors
}

const fn rgb(value: u32) -> Rgb {
    let [_, red, green, blue] = value.to_be_bytes();
    Rgb(red, green, blue)
}

const XTERM: [Rgb; 16] = ansi([
    0x0000_0000,
    0x00cd_0000,
    0x0000_cd00,
    0x00cd_cd00,
    0x0000_00ee,
    0x00cd_00cd,
    0x0000_cdcd,
    0x00e5_e5e5,
    0x007f_7f7f,
    0x00ff_0000,
    0x0000_ff00,
    0x00ff_ff00,
    0x005c_5cff,
    0x00ff_00ff,
    0x0000_ffff,
    0x00ff_ffff,
]);

const SOLARIZED: [Rgb; 16] = ansi([
    0x0007_3642,
    0x00dc_322f,
    0x0085_9900,
    0x00b5_8900,
    0x0026_8bd2,
    0x00d3_3682,
    0x002a_a198,
    0x00ee_e8d5,
    0x0000_2b36,
    0x00cb_4b16,
    0x0058_6e75,
    0x0065_7b83,
    0x0083_9496,
    0x006c_71c4,
    0x0093_a1a1,
    0x00fd_f6e3,
]);

impl Palette {
    /// The default colors of xterm with a black background. Terminals that don't report their colors count as these.
    pub const XTERM_DARK: Self = Self { foreground: rgb(0x00e5_e5e5), background: rgb(0), ansi: XTERM };
    /// The default colors of xterm with a white background.
    pub const XTERM_LIGHT: Self = Self { foreground: rgb(0), background: rgb(0x00ff_ffff), ansi: XTERM };
    /// Solarized Dark.
    pub const SOLARIZED_DARK: Self =
        Self { foreground: rgb(0x0083_9496), background: rgb(0x0000_2b36), ansi: SOLARIZED };
    /// Solarized Light.
    pub const SOLARIZED_LIGHT: Self =
        Self { foreground: rgb(0x0065_7b83), background: rgb(0x00fd_f6e3), ansi: SOLARIZED };
    /// GitHub Light.
    pub const GITHUB_LIGHT: Self = Self {
        foreground: rgb(0x001f_2328),
        background: rgb(0x00ff_ffff),
        ansi: ansi([
            0x0024_292f,
            0x00cf_222e,
            0x0011_6329,
            0x004d_2d00,
            0x0009_69da,
            0x0082_50df,
            0x001b_7c83,
            0x006e_7781,
            0x0057_606a,
            0x00a4_0e26,
            0x001a_7f37,
            0x0063_3c01,
            0x0021_8bff,
            0x00a4_75f9,
            0x0031_92aa,
            0x008c_959f,
        ]),
    };
    /// Dracula.
    pub const DRACULA: Self = Self {
        foreground: rgb(0x00f8_f8f2),
        background: rgb(0x0028_2a36),
        ansi: ansi([
            0x0021_222c,
            0x00ff_5555,
            0x0050_fa7b,
            0x00f1_fa8c,
            0x00bd_93f9,
            0x00ff_79c6,
            0x008b_e9fd,
            0x00f8_f8f2,
            0x0062_72a4,
            0x00ff_6e6e,
            0x0069_ff94,
            0x00ff_ffa5,
            0x00d6_acff,
            0x00ff_92df,
            0x00a4_ffff,
            0x00ff_ffff,
        ]),
    };
    /// The dark colors of the images that the program makes.
    pub const IMAGE_DARK: Self = Self {
        foreground: rgb(0x00d5_dae2),
        background: rgb(0x0012_1720),
        ansi: ansi([
            0x001b_212b,
            0x00f0_6a6a,
            0x006c_c67a,
            0x00e3_b341,
            0x005a_a9f5,
            0x00c7_8dee,
            0x004f_c4cf,
            0x00c3_cad4,
            0x0076_8090,
            0x00ff_8f8a,
            0x008f_e09a,
            0x00f7_ce6b,
            0x008a_c4ff,
            0x00dc_b3ff,
            0x0080_e2ea,
            0x00f5_f7fa,
        ]),
    };
    /// The light colors of the images that the program makes.
    pub const IMAGE_LIGHT: Self = Self {
        foreground: rgb(0x001f_2933),
        background: rgb(0x00fb_fbfa),
        ansi: ansi([
            0x001f_2933,
            0x00c6_2a2f,
            0x0018_794e,
            0x0091_5b00,
            0x0005_5fb5,
            0x008e_4ec6,
            0x0007_7d8a,
            0x0068_7076,
            0x0080_8a93,
            0x00b4_1f24,
            0x0013_6c44,
            0x007a_4d00,
            0x0004_4f99,
            0x0079_38b2,
            0x0006_6b77,
            0x00ff_ffff,
        ]),
    };

    /// The reference palettes with their names.
    pub const REFERENCES: [(&'static str, Self); 8] = [
        ("xterm dark", Self::XTERM_DARK),
        ("xterm light", Self::XTERM_LIGHT),
        ("Solarized Dark", Self::SOLARIZED_DARK),
        ("Solarized Light", Self::SOLARIZED_LIGHT),
        ("GitHub Light", Self::GITHUB_LIGHT),
        ("Dracula", Self::DRACULA),
        ("image dark", Self::IMAGE_DARK),
        ("image light", Self::IMAGE_LIGHT),
    ];

    /// Whether the background is lighter than the text.
    pub fn is_light(&self) -> bool {
        self.background.luminance() > self.foreground.luminance()
    }

    /// Returns the RGB value of a terminal color. `default` is the value of [`Color::Reset`].
    pub fn resolve(&self, color: Color, default: Rgb) -> Rgb {
        let index = match color {
            Color::Reset => return default,
            Color::Rgb(red, green, blue) => return Rgb(red, green, blue),
            Color::Indexed(index) => return self.indexed(index),
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Blue => 4,
            Color::Magenta => 5,
            Color::Cyan => 6,
            Color::Gray => 7,
            Color::DarkGray => 8,
            Color::LightRed => 9,
            Color::LightGreen => 10,
            Color::LightYellow => 11,
            Color::LightBlue => 12,
            Color::LightMagenta => 13,
            Color::LightCyan => 14,
            Color::White => 15,
        };
        self.ansi[index]
    }

    /// Returns the contrast between the text of a cell and its background, with reverse and dim applied.
    pub fn contrast_of(&self, cell: &Cell) -> f64 {
        let (mut text, mut background) =
            (self.resolve(cell.fg, self.foreground), self.resolve(cell.bg, self.background));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut text, &mut background);
        }
        if cell.modifier.contains(Modifier::DIM) {
            text = text.blend(background, DIM_PERCENT);
        }
        contrast(text, background)
    }

    /// Returns a color of the xterm palette: 16 ANSI colors, a 6x6x6 color cube, and 24 shades of gray.
    fn indexed(&self, index: u8) -> Rgb {
        match index {
            0..=15 => self.ansi[usize::from(index)],
            16..=231 => {
                let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
                let cube = index - 16;
                Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            232..=255 => {
                let gray = 8 + 10 * (index - 232);
                Rgb(gray, gray, gray)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_of_black_and_white_is_21_to_1() {
        assert!((contrast(rgb(0), rgb(0x00ff_ffff)) - 21.0).abs() < 0.01);
        // The published contrast of Solarized's body text on its dark background.
        let solarized = Palette::SOLARIZED_DARK;
        assert!((contrast(solarized.foreground, solarized.background) - 4.75).abs() < 0.01);
    }

    #[test]
    fn indexed_colors_match_the_xterm_palette() {
        let palette = Palette::XTERM_DARK;
        assert_eq!(palette.indexed(16), Rgb(0, 0, 0));
        assert_eq!(palette.indexed(208), Rgb(255, 135, 0));
        assert_eq!(palette.indexed(231), Rgb(255, 255, 255));
        assert_eq!(palette.indexed(255), Rgb(238, 238, 238));
    }

    #[test]
    fn light_palettes_are_recognized_by_their_background() {
        let light = Palette::REFERENCES.iter().filter(|(_, palette)| palette.is_light()).map(|(name, _)| *name);
        assert_eq!(light.collect::<Vec<_>>(), ["xterm light", "Solarized Light", "GitHub Light", "image light"]);
    }
}
