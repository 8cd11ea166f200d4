//! An SVG picture as PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use super::FONT_FAMILY;

static REGULAR: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Bold.ttf");

/// Pixels of the PNG for each pixel of the SVG, so that text stays sharp on dense screens.
const SCALE: f32 = 2.0;

/// The shipped fonts and no others, else pictures would differ from machine to machine.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for font in [REGULAR, BOLD] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_monospace_family(FONT_FAMILY);
    Arc::new(fonts)
});

/// A picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    /// The SVG text is not SVG.
    #[error("the picture is not valid SVG: {0}; give it what `screenshot::svg` made")]
    Svg(#[from] usvg::Error),
    /// The picture is empty or too large for memory.
    #[error("a picture of {width} by {height} pixels can't be drawn; use a screen of fewer cells")]
    Size {
        /// Width in pixels of the PNG.
        width: f32,
        /// Height in pixels of the PNG.
        height: f32,
    },
    /// The pixels could not be packed as PNG.
    #[error("the picture could not be packed as PNG: {0}")]
    Encode(String),
}

/// The picture `svg` as the bytes of a PNG file, at two pixels to each of the SVG's.
///
/// Text is drawn with the shipped font alone; a character that it lacks, such as a Chinese one, is a crossed box.
///
/// # Errors
/// [`ScreenshotError`] when `svg` is not SVG or its size can't be drawn.
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
    use crate::flow::screenshot::svg;
    use ratatui::buffer::Buffer;
    use ratatui::style::Style;

    fn decode(png: &[u8]) -> Pixmap {
        Pixmap::decode_png(png).unwrap()
    }

    #[test]
    fn rendering_is_deterministic() {
        let image = svg(&Buffer::with_lines(["╭ a ╮", "╰ b ╯"]), "twice");
        assert_eq!(png(&image).unwrap(), png(&image).unwrap());
    }

    #[test]
    fn regular_and_bold_text_render_differently() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 2, 1));
        let blank = png(&svg(&buffer, "")).unwrap();
        buffer.set_string(0, 0, "M", Style::new());
        let regular = png(&svg(&buffer, "")).unwrap();
        buffer.set_string(0, 0, "M", Style::new().bold());
        let bold = png(&svg(&buffer, "")).unwrap();
        assert_ne!(blank, regular);
        assert_ne!(regular, bold);
    }

    #[test]
    fn borders_of_adjacent_rows_join_without_a_gap() {
        let image = decode(&png(&svg(&Buffer::with_lines(["│", "│"]), "")).unwrap());
        // Two pixels for each of the padding, then the middle of the first cell.
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
            let with = png(&svg(&Buffer::with_lines([mark]), "")).unwrap();
            let without = png(&svg(&Buffer::with_lines([" "]), "")).unwrap();
            // Not in the font, so what it gives is what a missing glyph looks like.
            let missing = png(&svg(&Buffer::with_lines(["\u{2139}"]), "")).unwrap();
            assert!(with != without && with != missing, "{mark}");
        }
    }

    #[test]
    fn invalid_svg_is_rejected_with_a_reason() {
        assert!(png("nonsense").unwrap_err().to_string().contains("not valid SVG"));
    }
}
