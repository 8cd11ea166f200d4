//! The themes: how each role is drawn.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

use super::palette::{DIM_PERCENT, Palette, contrast};
use super::{ACCENT, ERROR, INFO, SELECTED, SUCCESS, VALUE, WARNING};
use crate::tui::theme_name::ThemeName;

/// The minimum contrast between text and its background.
///
/// Source: [WCAG 2.2, contrast (minimum)](https://www.w3.org/TR/WCAG22/#contrast-minimum).
const MIN_CONTRAST: f64 = 4.5;

/// The styles of the roles in one terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    name: ThemeName,
    /// The colors that stand for a role while a page is drawn, with their styles in this theme.
    roles: [(Color, Style); 6],
    /// The style that is added to selected rows.
    selected: Modifier,
    /// Whether secondary text is dim.
    has_dim: bool,
    /// The default colors, if the theme doesn't use those of the terminal.
    canvas: Option<(Color, Color)>,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(ThemeName::Auto, &Palette::XTERM_DARK)
    }
}

impl Theme {
    /// Creates the theme for a terminal with these colors. A role whose color has too little contrast in this palette
    /// gets another color, or the color of the text.
    pub fn new(name: ThemeName, palette: &Palette) -> Self {
        let name = match name {
            ThemeName::Auto if palette.is_light() => ThemeName::Light,
            ThemeName::Auto => ThemeName::Dark,
            other => other,
        };
        let canvas = (name == ThemeName::Projector).then_some((Color::White, Color::Black));
        // A terminal whose own text has less contrast can't show more.
        let (text, background) = match canvas {
            Some((text, background)) => {
                (palette.resolve(text, palette.foreground), palette.resolve(background, palette.background))
            }
            None => (palette.foreground, palette.background),
        };
        let least = contrast(text, background).min(MIN_CONTRAST);
        let is_readable = |color: &&Color| contrast(palette.resolve(**color, text), background) >= least;
        let pick = |choices: &[Color]| match choices.iter().find(is_readable) {
            Some(color) => Style::new().fg(*color),
            None => Style::new().add_modifier(Modifier::BOLD),
        };
        let role = |color: Color| role_style(name, color, pick);
        let stand_in = |style: Style| style.fg.unwrap_or_default();
        let has_dim = matches!(name, ThemeName::Dark | ThemeName::Light | ThemeName::Mono)
            && contrast(palette.foreground.blend(palette.background, DIM_PERCENT), palette.background) >= MIN_CONTRAST;
        Self {
            name,
            roles: [ACCENT, SUCCESS, WARNING, ERROR, INFO, VALUE].map(stand_in).map(|color| (color, role(color))),
            selected: match name {
                ThemeName::HighContrast | ThemeName::Mono => Modifier::REVERSED,
                _ => Modifier::empty(),
            },
            has_dim,
            canvas,
        }
    }

    /// Returns the name of the theme. It is never [`ThemeName::Auto`].
    pub fn name(&self) -> ThemeName {
        self.name
    }

    /// Replaces the roles in a finished frame with their styles.
    pub fn apply(&self, frame: &mut Buffer) {
        for cell in &mut frame.content {
            self.apply_to_cell(cell);
        }
    }

    fn apply_to_cell(&self, cell: &mut Cell) {
        if let Some((_, style)) = self.roles.iter().find(|(stand_in, _)| *stand_in == cell.fg) {
            cell.fg = style.fg.unwrap_or_default();
            // A line below empty cells, such as those beside a row, would mean nothing.
            let hidden = if cell.symbol() == " " { Modifier::UNDERLINED } else { Modifier::empty() };
            cell.modifier.insert(style.add_modifier - hidden);
            // The contrast of a color is known only if it isn't dim.
            cell.modifier.remove(Modifier::DIM);
        }
        if Some(cell.underline_color) == SELECTED.underline_color {
            cell.underline_color = Color::Reset;
            cell.modifier.insert(self.selected);
        }
        if !self.has_dim {
            cell.modifier.remove(Modifier::DIM);
        }
        if let Some((text, background)) = self.canvas {
            if cell.fg == Color::Reset {
                cell.fg = text;
            }
            if cell.bg == Color::Reset {
                cell.bg = background;
            }
        }
    }
}

/// Returns the style of a role: the first readable color of the theme for it.
fn role_style(name: ThemeName, stand_in: Color, pick: impl Fn(&[Color]) -> Style) -> Style {
    use Color::{Blue, Cyan, Green, LightBlue, LightCyan, LightGreen, LightMagenta, LightRed, LightYellow, Magenta};
    use Color::{Red, Yellow};
    if name == ThemeName::Mono {
        let is_plain = stand_in == Green;
        return if is_plain { Style::new() } else { Style::new().add_modifier(Modifier::BOLD) };
    }
    let is_bright = matches!(name, ThemeName::HighContrast | ThemeName::Projector);
    let style = match (stand_in, is_bright, name == ThemeName::Light) {
        (Cyan, true, _) => pick(&[LightCyan, Cyan, LightBlue, Blue]),
        (Cyan, _, true) => pick(&[Blue, LightBlue, Cyan]),
        (Cyan, ..) => pick(&[Cyan, LightCyan, LightBlue, Blue]),
        (Green, true, _) => pick(&[LightGreen, Green]),
        (Green, ..) => pick(&[Green, LightGreen]),
        (Yellow, true, _) => pick(&[LightYellow, Yellow, Magenta]),
        (Yellow, ..) => pick(&[Yellow, LightYellow, Magenta, LightMagenta]),
        (Red, true, _) => pick(&[LightRed, Red]),
        (Red, ..) => pick(&[Red, LightRed]),
        (Blue, true, _) => pick(&[LightBlue, LightCyan, Blue]),
        (Blue, ..) => pick(&[Blue, LightBlue, Cyan]),
        (_, true, _) => pick(&[LightMagenta, Magenta]),
        _ => pick(&[Magenta, LightMagenta]),
    };
    match (name, stand_in) {
        (ThemeName::HighContrast, Cyan) => style.add_modifier(Modifier::UNDERLINED),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::super::{FOCUS, HEADING, PRIMARY, SECONDARY, TEXT};
    use super::*;

    const NAMES: [ThemeName; 6] = [
        ThemeName::Auto,
        ThemeName::Dark,
        ThemeName::Light,
        ThemeName::HighContrast,
        ThemeName::Mono,
        ThemeName::Projector,
    ];
    const ROLES: [Style; 13] =
        [TEXT, SECONDARY, HEADING, FOCUS, ACCENT, PRIMARY, SUCCESS, WARNING, ERROR, INFO, VALUE, SELECTED, ACCENT];

    fn drawn(theme: Theme, role: Style) -> Cell {
        let mut frame = Buffer::empty(Rect::new(0, 0, 1, 1));
        frame.set_string(0, 0, "x", role);
        theme.apply(&mut frame);
        frame[(0, 0)].clone()
    }

    #[test]
    fn every_role_in_every_theme_has_enough_contrast_in_every_reference_palette() {
        for (palette_name, palette) in Palette::REFERENCES {
            for name in NAMES {
                let theme = Theme::new(name, &palette);
                for role in ROLES {
                    let ratio = palette.contrast_of(&drawn(theme, role));
                    let most = contrast(palette.foreground, palette.background);
                    assert!(ratio >= most.min(MIN_CONTRAST), "{palette_name}, {name:?}, {role:?}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn mono_theme_has_no_color() {
        for role in ROLES {
            let cell = drawn(Theme::new(ThemeName::Mono, &Palette::XTERM_DARK), role);
            assert_eq!((cell.fg, cell.bg, cell.underline_color), (Color::Reset, Color::Reset, Color::Reset));
        }
    }

    #[test]
    fn auto_theme_follows_the_background_of_the_terminal() {
        assert_eq!(Theme::new(ThemeName::Auto, &Palette::DRACULA).name(), ThemeName::Dark);
        let light = Theme::new(ThemeName::Auto, &Palette::GITHUB_LIGHT);
        assert_eq!((light.name(), drawn(light, ACCENT).fg), (ThemeName::Light, Color::Blue));
        assert_eq!(drawn(Theme::default(), ACCENT).fg, Color::Cyan);
    }

    #[test]
    fn selected_row_is_reversed_where_color_carries_no_meaning() {
        for (name, is_reversed) in [
            (ThemeName::Dark, false),
            (ThemeName::Light, false),
            (ThemeName::Mono, true),
            (ThemeName::HighContrast, true),
        ] {
            let cell = drawn(Theme::new(name, &Palette::XTERM_DARK), SELECTED);
            assert_eq!(cell.modifier.contains(Modifier::REVERSED), is_reversed, "{name:?}");
            assert!(cell.modifier.contains(Modifier::BOLD));
        }
    }

    #[test]
    fn dim_text_is_kept_only_where_it_is_readable() {
        let is_dim = |palette| drawn(Theme::new(ThemeName::Auto, palette), SECONDARY).modifier.contains(Modifier::DIM);
        assert!(is_dim(&Palette::XTERM_DARK) && is_dim(&Palette::XTERM_LIGHT) && is_dim(&Palette::DRACULA));
        assert!(!is_dim(&Palette::SOLARIZED_DARK) && !is_dim(&Palette::SOLARIZED_LIGHT));
    }
}
