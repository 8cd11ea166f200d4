//! Converts an SVG image to PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use super::FONT_FAMILY;

static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Bold.ttf");

/// PNG pixels per SVG pixel, so that text is sharp on high-density screens.
const SCALE: f32 = 2.0;

/// Only the bundled fonts, because system fonts would make the images differ between machines.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [REGULAR, BOLD] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_monospace_family(FONT_FAMILY);
    Arc::new(fonts)
});

/// The reason why an image couldn't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    /// The text is not valid SVG.
    #[error("the image is not valid SVG: {0}; use the output of `screenshot::svg`")]
    Svg(#[from] usvg::Error),
    /// The image is empty or too large.
    #[error("can't render an image of {width} by {height} pixels; use a smaller screen")]
    Size {
        /// The width of the PNG in pixels.
        width: f32,
        /// The height of the PNG in pixels.
        height: f32,
    },
    /// The pixels couldn't be encoded as PNG.
    #[error("couldn't encode the image as PNG: {0}")]
    Encode(String),
}

/// Returns the image `svg` as a PNG file with twice the width and height.
///
/// Text is rendered only with the bundled font. A character that the font doesn't have, such as a Chinese one, is shown
/// as a crossed box.
///
/// # Errors
/// Returns a [`ScreenshotError`] if `svg` is not valid SVG or its size can't be rendered.
pub fn png(svg: &str) -> Result<Vec<u8>, ScreenshotError> {
    let options =
        usvg::Options { font_family: FONT_FAMILY.to_owned(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options)?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    let mut pixels = pixmap(width, height).ok_or(ScreenshotError::Size { width, height })?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| ScreenshotError::Encode(error.to_string()))
}

fn pixmap(width: f32, height: f32) -> Option<Pixmap> {
    let size = usvg::Size::from_wh(width, height)?.to_int_size();
    Pixmap::new(size.width(), size.height())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::screenshot::{ImageStyle, svg};
    use ratatui::buffer::Buffer;
    use ratatui::style::Style;

    fn decode(png: &[u8]) -> Pixmap {
        Pixmap::decode_png(png).unwrap()
    }

    #[test]
    fn rendering_is_deterministic() {
        let image = svg(&Buffer::with_lines(["╭ a ╮", "╰ b ╯"]), "twice", &ImageStyle::default());
        assert_eq!(png(&image).unwrap(), png(&image).unwrap());
    }

    #[test]
    fn regular_and_bold_text_render_differently() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 2, 1));
        let blank = png(&svg(&buffer, "", &ImageStyle::default())).unwrap();
        buffer.set_string(0, 0, "M", Style::new());
        let regular = png(&svg(&buffer, "", &ImageStyle::default())).unwrap();
        buffer.set_string(0, 0, "M", Style::new().bold());
        let bold = png(&svg(&buffer, "", &ImageStyle::default())).unwrap();
        assert_ne!(blank, regular);
        assert_ne!(regular, bold);
    }

    #[test]
    fn borders_of_adjacent_rows_join_without_a_gap() {
        let image = decode(&png(&svg(&Buffer::with_lines(["│", "│"]), "", &ImageStyle::default())).unwrap());
        // Twice the padding, then the middle of the first cell.
        let column = 28;
        let from = 20;
        let ink = image.pixel(column, from).unwrap();
        assert!((from..from + 80).all(|row| image.pixel(column, row) == Some(ink)));
        assert_ne!(image.pixel(column - 4, from + 9), Some(ink));
    }

    #[test]
    fn bundled_font_or_shapes_cover_the_console_symbols() {
        for mark in ["●", "✓", "✗", "▸", "▾", "…", "·", "→", "○", "◉", "☐", "☑", "⚠", "▲", "▼"]
        {
            let with = png(&svg(&Buffer::with_lines([mark]), "", &ImageStyle::default())).unwrap();
            let without = png(&svg(&Buffer::with_lines([" "]), "", &ImageStyle::default())).unwrap();
            // The font doesn't have this character, so it shows what a missing glyph looks like.
            let missing = png(&svg(&Buffer::with_lines(["\u{2139}"]), "", &ImageStyle::default())).unwrap();
            assert!(with != without && with != missing, "{mark}");
        }
    }

    #[test]
    fn invalid_svg_is_rejected_with_a_reason() {
        assert!(png("nonsense").unwrap_err().to_string().contains("not valid SVG"));
    }
}
