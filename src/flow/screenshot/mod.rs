//! Pictures of the console: a drawn [`Buffer`](ratatui::buffer::Buffer) as SVG, and the SVG as PNG.
//!
//! Both come out the same, byte for byte, on each run and each machine: nothing here reads the time, the environment
//! or a font of the system. The font is JetBrains Mono, shipped in `assets/fonts` under the SIL Open Font License.
//! Borders, blocks and the marks that this font lacks are drawn as shapes, so that lines join from cell to cell.

mod box_drawing;
mod color;
mod png;
mod svg;

pub use png::{ScreenshotError, png};
pub use svg::svg;

/// Width of a cell in pixels: the advance of JetBrains Mono at [`FONT_SIZE`].
const CELL_WIDTH: f32 = 9.0;
/// Height of a cell in pixels.
const CELL_HEIGHT: f32 = 20.0;
/// Size of the font in pixels.
const FONT_SIZE: f32 = 15.0;
/// Where in a cell its text stands, in pixels from the top.
const BASELINE: f32 = 15.0;
/// Room around the screen, in pixels.
const PADDING: f32 = 10.0;
/// The name of the font in `assets/fonts`.
const FONT_FAMILY: &str = "JetBrains Mono";
