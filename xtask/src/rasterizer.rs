//! Converts an SVG image to PNG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

/// The name of the font in `fonts`.
const FONT_FAMILY: &str = "JetBrains Mono";
static REGULAR: &[u8] = include_bytes!("../fonts/JetBrainsMono-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/JetBrainsMono-Bold.ttf");

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
pub enum RasterizeError {
    /// The text is not valid SVG.
    #[error("the image is not valid SVG: {0}")]
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
/// Returns a [`RasterizeError`] if `svg` is not valid SVG or its size can't be rendered.
pub fn png(svg: &str) -> Result<Vec<u8>, RasterizeError> {
    let options =
        usvg::Options { font_family: FONT_FAMILY.to_owned(), fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options)?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    let mut pixels = pixmap(width, height).ok_or(RasterizeError::Size { width, height })?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| RasterizeError::Encode(error.to_string()))
}

fn pixmap(width: f32, height: f32) -> Option<Pixmap> {
    let size = usvg::Size::from_wh(width, height)?.to_int_size();
    Pixmap::new(size.width(), size.height())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use xks_console::flow::animation::animated_svg;
    use xks_console::flow::recording::Recording;
    use xks_console::flow::screenshot::{self, ImageStyle};

    fn svg(buffer: &Buffer) -> String {
        screenshot::svg(buffer, "", &ImageStyle::default())
    }

    fn animation(recording: &Recording) -> String {
        animated_svg(recording, &ImageStyle::default())
    }

    fn at(milliseconds: i64) -> SignedDuration {
        SignedDuration::from_millis(milliseconds)
    }

    fn decode(png: &[u8]) -> Pixmap {
        Pixmap::decode_png(png).unwrap()
    }

    #[test]
    fn rendering_is_deterministic() {
        let image = svg(&Buffer::with_lines(["╭ a ╮", "╰ b ╯"]));
        assert_eq!(png(&image).unwrap(), png(&image).unwrap());
    }

    #[test]
    fn regular_and_bold_text_render_differently() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        let blank = png(&svg(&buffer)).unwrap();
        buffer.set_string(0, 0, "M", Style::new());
        let regular = png(&svg(&buffer)).unwrap();
        buffer.set_string(0, 0, "M", Style::new().bold());
        let bold = png(&svg(&buffer)).unwrap();
        assert_ne!(blank, regular);
        assert_ne!(regular, bold);
    }

    #[test]
    fn borders_of_adjacent_rows_join_without_a_gap() {
        let image = decode(&png(&svg(&Buffer::with_lines(["│", "│"]))).unwrap());
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
            let with = png(&svg(&Buffer::with_lines([mark]))).unwrap();
            let without = png(&svg(&Buffer::with_lines([" "]))).unwrap();
            // The font doesn't have this character, so it shows what a missing glyph looks like.
            let missing = png(&svg(&Buffer::with_lines(["\u{2139}"]))).unwrap();
            assert!(with != without && with != missing, "{mark}");
        }
    }

    #[test]
    fn invalid_svg_is_rejected_with_a_reason() {
        assert!(png("nonsense").unwrap_err().to_string().contains("not valid SVG"));
    }

    #[test]
    fn animation_without_motion_looks_like_its_last_frame() {
        let mut recording = Recording::new("Demo", (8, 2));
        let mut last = Buffer::empty(Rect::ZERO);
        let frames = [("first", Style::new().on_blue()), ("second", Style::new().reversed()), ("third", Style::new())];
        for (time, (text, style)) in (0..).step_by(100).zip(frames) {
            last = Buffer::with_lines(["╭──────╮", "│      │"]);
            last.set_string(1, 1, text, style);
            recording.frame(at(time), last.clone());
        }
        assert_eq!(png(&animation(&recording)).unwrap(), png(&svg(&last)).unwrap());
    }

    #[test]
    fn title_of_the_last_section_is_below_the_last_frame() {
        let mut recording = Recording::new("Demo", (20, 1));
        recording.frame(at(0), Buffer::with_lines(["one"]));
        recording.marker(at(500), "Open a key");
        recording.frame(at(500), Buffer::with_lines(["two"]));
        recording.marker(at(1_000), "Create <another> key, which has a long title");
        recording.finish(at(4_000));
        let mut last = Buffer::with_lines(["two                 ", "", "Create <another> ke…"]);
        last.set_style(Rect::new(0, 2, 20, 1), Style::new().bold());
        assert_eq!(png(&animation(&recording)).unwrap(), png(&svg(&last)).unwrap());
    }

    #[test]
    fn empty_recording_can_be_rasterized() {
        assert!(png(&animation(&Recording::new("", (4, 1)))).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_produces_valid_svg(
            texts in proptest::collection::vec((0_i64..2_000, "\\PC{0,20}"), 0..6),
            title in any::<String>(),
        ) {
            let mut recording = Recording::new(title.clone(), (24, 1));
            recording.marker(at(0), title.clone());
            let mut now = 0;
            for (pause, text) in texts {
                now += pause;
                let mut frame = Buffer::empty(Rect::new(0, 0, 24, 1));
                frame.set_string(0, 0, &text, Style::new());
                let image = screenshot::svg(&frame, &title, &ImageStyle::default());
                prop_assert!(usvg::Tree::from_str(&image, &usvg::Options::default()).is_ok(), "{}", image);
                recording.frame(at(now), frame);
            }
            let image = animation(&recording);
            prop_assert!(usvg::Tree::from_str(&image, &usvg::Options::default()).is_ok(), "{}", image);
        }
    }
}
