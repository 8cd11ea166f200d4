//! Screenshots of the console: renders a [`Buffer`](ratatui::buffer::Buffer) as SVG.
//!
//! The image is identical, byte for byte, on every run and every machine, because rendering doesn't depend on the time,
//! the environment, or system fonts. Text is in JetBrains Mono, or another monospace font if the viewer doesn't have it.
//! Borders, blocks, and symbols that this font doesn't have are drawn as shapes, so that lines join from cell to cell.

mod box_drawing;
mod color;
mod svg;

pub use color::ImageStyle;
pub use svg::svg;
pub(super) use svg::{Element, Layer, document, row_elements};

/// The width of a cell in pixels, which is the advance width of JetBrains Mono at [`FONT_SIZE`].
const CELL_WIDTH: f32 = 9.0;
/// The height of a cell in pixels.
const CELL_HEIGHT: f32 = 20.0;
/// The font size in pixels.
const FONT_SIZE: f32 = 15.0;
/// The baseline of the text in a cell, in pixels from the top.
const BASELINE: f32 = 15.0;
/// The padding around the screen, in pixels.
const PADDING: f32 = 10.0;
/// The name of the font.
const FONT_FAMILY: &str = "JetBrains Mono";
