//! Renders a buffer as SVG.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::box_drawing::{PathSegment, Rect, Shape, shape};
use super::color::{CellStyle, ImageStyle, Rgb};
use super::{BASELINE, CELL_HEIGHT, CELL_WIDTH, FONT_FAMILY, FONT_SIZE, PADDING};

/// Returns an SVG image of `buffer` without a window frame. `title` is the title for screen readers.
///
/// The file contains plain colors and no CSS, because reverse, dim, and hidden are applied beforehand. Text remains
/// text, so it can be searched and copied.
pub fn svg(buffer: &Buffer, title: &str, style: &ImageStyle) -> String {
    let buffer = &style.themed(buffer);
    let rows: Vec<_> = (0..buffer.area.height).map(|row| row_elements(buffer, row, style)).collect();
    let mut out = String::new();
    // Backgrounds come first, because the background of a row could otherwise cover letters of the row above.
    for is_background in [true, false] {
        for element in rows.iter().flatten().filter(|element| (element.layer == Layer::Background) == is_background) {
            out.push_str(&element.svg);
        }
    }
    document((buffer.area.width, buffer.area.height), title, style, "", &out)
}

/// Returns an SVG image of a screen of `size` columns and rows with the graphical elements `body`.
///
/// `css` is its style sheet, which can be empty.
pub(in crate::flow) fn document(size: (u16, u16), title: &str, style: &ImageStyle, css: &str, body: &str) -> String {
    let (foreground, background) = (style.palette.foreground, style.palette.background);
    let width = f32::from(size.0) * CELL_WIDTH + 2.0 * PADDING;
    let height = f32::from(size.1) * CELL_HEIGHT + 2.0 * PADDING;
    let mut out = String::with_capacity(body.len() + css.len() + 512);
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
    );
    let _ = writeln!(out, "<title>{}</title>", escape_xml(title));
    if !css.is_empty() {
        let _ = writeln!(out, "<style>\n{css}</style>");
    }
    let _ = writeln!(out, r#"<rect width="{width}" height="{height}" fill="{background}"/>"#);
    let _ = writeln!(
        out,
        r#"<g fill="{foreground}" font-family="{FONT_FAMILY}, DejaVu Sans Mono, monospace" font-size="{FONT_SIZE}">"#
    );
    out.push_str(body);
    out.push_str("</g>\n</svg>\n");
    out
}

/// The layer of an element. Elements of a later layer are drawn over those of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::flow) enum Layer {
    /// The background colors of the cells.
    Background,
    /// Borders, blocks, symbols, and underlines.
    Shape,
    /// Text.
    Text,
}

/// A graphical element of a screen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::flow) struct Element {
    /// The layer of the element.
    pub layer: Layer,
    /// The SVG element, which ends with a line feed.
    pub svg: String,
}

/// Returns the graphical elements of a `row` of `buffer`, which is [themed](ImageStyle::themed), in the order of their
/// layers.
pub(in crate::flow) fn row_elements(buffer: &Buffer, row: u16, style: &ImageStyle) -> Vec<Element> {
    let row = Row::from_buffer(buffer, row, style);
    let mut elements = Vec::new();
    let mut add = |layer, svg| elements.push(Element { layer, svg });
    row.backgrounds.svg().for_each(|svg| add(Layer::Background, svg));
    row.foregrounds.svg().for_each(|svg| add(Layer::Shape, svg));
    for (foreground, path) in &row.strokes {
        add(Layer::Shape, format!("<path d=\"{path}\" fill=\"none\" stroke=\"{foreground}\"/>\n"));
    }
    row.texts.iter().for_each(|text| add(Layer::Text, text.svg(style.palette.foreground)));
    elements
}

/// The graphical elements of a row of cells.
#[derive(Default)]
struct Row {
    backgrounds: RectGroups,
    foregrounds: RectGroups,
    strokes: Vec<(Rgb, String)>,
    texts: Vec<TextRun>,
}

impl Row {
    fn from_buffer(buffer: &Buffer, row: u16, style: &ImageStyle) -> Self {
        let mut this = Self::default();
        let top = PADDING + f32::from(row) * CELL_HEIGHT;
        let mut column = 0;
        while column < buffer.area.width {
            let Some(cell) = buffer.cell((buffer.area.x + column, buffer.area.y + row)) else { break };
            let symbol = cell.symbol();
            let cells = u16::try_from(symbol.width()).unwrap_or(1).clamp(1, buffer.area.width - column);
            let cell_style = CellStyle::from_cell(cell, &style.palette);
            if cell_style.background != style.palette.background {
                let left = PADDING + f32::from(column) * CELL_WIDTH;
                let right = left + f32::from(cells) * CELL_WIDTH;
                this.backgrounds.add(cell_style.background, Rect::new(left, top, right, top + CELL_HEIGHT));
            }
            this.add(symbol, cell_style, (column, cells), top);
            column += cells;
        }
        this
    }

    fn add(&mut self, symbol: &str, cell_style: CellStyle, (column, cells): (u16, u16), top: f32) {
        let left = PADDING + f32::from(column) * CELL_WIDTH;
        let width = f32::from(cells) * CELL_WIDTH;
        let whole = Rect::new(left, top, left + width, top + CELL_HEIGHT);
        match shape(symbol) {
            Some(Shape::Filled(rects)) => rects.into_iter().for_each(|rect| {
                let (right, bottom) = (rect.right + left, rect.bottom + top);
                self.foregrounds.add(cell_style.foreground, Rect::new(rect.left + left, rect.top + top, right, bottom));
            }),
            Some(Shape::Shade(percent)) => {
                self.foregrounds.add(cell_style.foreground.blend(cell_style.background, percent), whole);
            }
            Some(Shape::Stroke(steps)) => self.add_stroke(cell_style.foreground, &steps, left, top),
            None => self.add_text(symbol, cell_style, column, cells, top),
        }
        if let Some(color) = cell_style.underline {
            self.foregrounds.add(color, Rect::new(left, top + 17.0, left + width, top + 18.0));
        }
        if cell_style.crossed_out {
            self.foregrounds.add(cell_style.foreground, Rect::new(left, top + 10.0, left + width, top + 11.0));
        }
    }

    fn add_stroke(&mut self, foreground: Rgb, steps: &[PathSegment], left: f32, top: f32) {
        if self.strokes.last().is_none_or(|(last, _)| *last != foreground) {
            self.strokes.push((foreground, String::new()));
        }
        let Some((_, path)) = self.strokes.last_mut() else { return };
        for step in steps {
            let (x, y) = (|x: f32| round_hundredths(x + left), |y: f32| round_hundredths(y + top));
            let _ = match *step {
                PathSegment::Move(to_x, to_y) => write!(path, "M{} {}", x(to_x), y(to_y)),
                PathSegment::Line(to_x, to_y) => write!(path, "L{} {}", x(to_x), y(to_y)),
                PathSegment::Quad(by_x, by_y, to_x, to_y) => {
                    write!(path, "Q{} {} {} {}", x(by_x), y(by_y), x(to_x), y(to_y))
                }
            };
        }
    }

    fn add_text(&mut self, symbol: &str, cell_style: CellStyle, column: u16, cells: u16, top: f32) {
        let font_style =
            FontStyle { foreground: cell_style.foreground, bold: cell_style.bold, italic: cell_style.italic };
        if let Some(last) = self.texts.last_mut()
            && last.can_append(symbol, font_style, column, cells)
        {
            last.content.push_str(symbol);
            last.cells += cells;
        } else if symbol != " " {
            let wide = cells > 1;
            self.texts.push(TextRun { content: symbol.to_owned(), font_style, column, cells, top, is_wide: wide });
        }
    }
}

/// The common style of all letters in a run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FontStyle {
    foreground: Rgb,
    bold: bool,
    italic: bool,
}

/// A run of text with the same style.
struct TextRun {
    content: String,
    font_style: FontStyle,
    column: u16,
    cells: u16,
    top: f32,
    is_wide: bool,
}

impl TextRun {
    /// Whether `symbol` can be appended to the run.
    ///
    /// Wide glyphs are separate runs, because the width of their font is unknown. Characters that the font would
    /// combine into a ligature are also separate runs, because terminals don't show ligatures.
    fn can_append(&self, symbol: &str, font_style: FontStyle, column: u16, cells: u16) -> bool {
        let forms_ligature = self.content.chars().next_back().zip(symbol.chars().next()).is_some_and(|(last, next)| {
            last.is_ascii_punctuation() && next.is_ascii_punctuation() || last == 'w' && next == 'w'
        });
        self.font_style == font_style
            && self.column + self.cells == column
            && cells == 1
            && !self.is_wide
            && !forms_ligature
    }

    /// Returns the SVG element in a group with the text color `inherited`.
    fn svg(&self, inherited: Rgb) -> String {
        let mut out = String::new();
        let content = self.content.trim_end_matches(' ');
        let spaces = u16::try_from(self.content.len() - content.len()).unwrap_or_default();
        let x = PADDING + f32::from(self.column) * CELL_WIDTH;
        let _ = write!(out, r#"<text x="{x}" y="{}""#, self.top + BASELINE);
        if content.chars().nth(1).is_some() {
            let length = f32::from(self.cells - spaces) * CELL_WIDTH;
            let _ = write!(out, r#" textLength="{length}" xml:space="preserve""#);
        }
        if self.font_style.foreground != inherited {
            let _ = write!(out, r#" fill="{}""#, self.font_style.foreground);
        }
        if self.font_style.bold {
            out.push_str(r#" font-weight="bold""#);
        }
        if self.font_style.italic {
            out.push_str(r#" font-style="italic""#);
        }
        let _ = writeln!(out, ">{}</text>", escape_xml(content));
        out
    }
}

/// Rectangles grouped by color. Adjacent rectangles of the same height are merged.
#[derive(Default)]
struct RectGroups(Vec<(Rgb, Vec<Rect>)>);

impl RectGroups {
    fn add(&mut self, color: Rgb, rect: Rect) {
        if self.0.iter().all(|(known, _)| *known != color) {
            self.0.push((color, Vec::new()));
        }
        let Some((_, rects)) = self.0.iter_mut().find(|(known, _)| *known == color) else { return };
        // The two halves of a line overlap at the center of the cell, so they touch.
        let neighbor = rects.iter_mut().rev().take(8).find(|other| {
            approx_eq(other.top, rect.top)
                && approx_eq(other.bottom, rect.bottom)
                && rect.left <= other.right
                && other.left <= rect.right
        });
        match neighbor {
            Some(other) => {
                other.left = other.left.min(rect.left);
                other.right = other.right.max(rect.right);
            }
            None => rects.push(rect),
        }
    }

    /// Returns an SVG element for each color.
    fn svg(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(color, rects)| {
            if let [rect] = rects.as_slice() {
                let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
                return format!(
                    "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>\n",
                    rect.left, rect.top
                );
            }
            let path = rects.iter().fold(String::new(), |mut path, rect| {
                let _ = write!(path, "M{} {}H{}V{}H{}z", rect.left, rect.top, rect.right, rect.bottom, rect.left);
                path
            });
            format!("<path d=\"{path}\" fill=\"{color}\"/>\n")
        })
    }
}

/// Rounds to hundredths of a pixel, which is precise enough.
fn round_hundredths(pixels: f32) -> f32 {
    (pixels * 100.0).round() / 100.0
}

fn approx_eq(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.01
}

/// Escapes text for XML. Control characters, which XML can't contain, become U+FFFD.
fn escape_xml(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push(character),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout;
    use ratatui::style::Style;

    fn render(text: &str, style: Style) -> String {
        let mut buffer = Buffer::empty(layout::Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, text, style);
        svg(&buffer, "t", &ImageStyle::default())
    }

    fn count(svg_text: &str, part: &str) -> usize {
        svg_text.matches(part).count()
    }

    #[test]
    fn single_style_run_is_one_text_element_without_trailing_spaces() {
        let svg_text = render("Create key", Style::new());
        assert_eq!(count(&svg_text, "<text"), 1, "{svg_text}");
        assert!(svg_text.contains(r#"textLength="90" xml:space="preserve">Create key</text>"#), "{svg_text}");
    }

    #[test]
    fn light_image_has_dark_text_on_a_light_background() {
        use crate::tui::theme::{ACCENT, Palette};
        use crate::tui::theme_name::ThemeName;
        let mut buffer = Buffer::empty(layout::Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, "Next", ACCENT);
        let image = svg(&buffer, "t", &ImageStyle::new(ThemeName::Light));
        let light = Palette::IMAGE_LIGHT;
        assert!(image.contains(&format!(r#"fill="{}"/>"#, light.background)), "{image}");
        assert!(image.contains(&format!(r#"<g fill="{}""#, light.foreground)), "{image}");
        // The accent of the light theme is blue.
        assert!(image.contains(&format!(r#"fill="{}">Next"#, light.ansi[4])), "{image}");
    }

    #[test]
    fn background_run_is_one_rectangle() {
        let svg_text = render("selected", Style::new().on_blue());
        assert!(svg_text.contains(r##"<rect x="10" y="10" width="72" height="20" fill="#5aa9f5"/>"##), "{svg_text}");
    }

    #[test]
    fn border_is_one_rectangle_and_no_text() {
        let svg_text = render("────────", Style::new());
        assert!(!svg_text.contains("<text"), "{svg_text}");
        assert!(svg_text.contains(r#"<rect x="10" y="19" width="72" height="1""#), "{svg_text}");
    }

    #[test]
    fn wide_glyphs_are_separate_runs_at_their_own_column() {
        let svg_text = render("a日本b", Style::new());
        assert_eq!(count(&svg_text, "<text"), 4, "{svg_text}");
        assert!(svg_text.contains(r#"<text x="55" y="25">b"#), "{svg_text}");
    }

    #[test]
    fn ligature_characters_are_separate_runs() {
        assert_eq!(count(&render("a->b", Style::new()), "<text"), 2);
        assert_eq!(count(&render("www", Style::new()), "<text"), 3);
    }

    #[test]
    fn bold_underline_and_reverse_become_plain_attributes() {
        let svg_text = render("x y", Style::new().bold().underlined().reversed());
        assert!(svg_text.contains(r##"fill="#121720" font-weight="bold">x y</text>"##), "{svg_text}");
        assert!(svg_text.contains(r##"<rect x="10" y="27" width="27" height="1" fill="#121720"/>"##), "{svg_text}");
    }

    #[test]
    fn empty_buffer_produces_a_valid_image() {
        assert!(
            svg(&Buffer::empty(layout::Rect::ZERO), "", &ImageStyle::default()).contains(r#"width="20" height="20""#)
        );
    }
}
