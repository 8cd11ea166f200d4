//! A drawn buffer as SVG.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::boxes::{Rect, Shape, Step, shape};
use super::color::{BACKGROUND, FOREGROUND, Look, Rgb};
use super::{BASELINE, CELL_HEIGHT, CELL_WIDTH, FONT_FAMILY, FONT_SIZE, PADDING};

/// The picture of `buffer` as an SVG file, without a window around it; `title` is what a screen reader says.
///
/// Reverse, dim and hidden are worked out beforehand, so the file holds plain colours and no CSS. Text stays text: it
/// can be found and copied.
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f32::from(columns) * CELL_WIDTH + 2.0 * PADDING;
    let height = f32::from(rows) * CELL_HEIGHT + 2.0 * PADDING;
    let mut out = String::new();
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
    );
    let _ = writeln!(out, "<title>{}</title>", escaped(title));
    let _ = writeln!(out, r#"<rect width="{width}" height="{height}" fill="{BACKGROUND}"/>"#);
    let _ = writeln!(
        out,
        r#"<g fill="{FOREGROUND}" font-family="{FONT_FAMILY}, DejaVu Sans Mono, monospace" font-size="{FONT_SIZE}">"#
    );
    let rows: Vec<Row> = (0..rows).map(|row| Row::of(buffer, row)).collect();
    // All backgrounds come first, else one row's would cut the letters of the row above.
    for row in &rows {
        row.grounds.write(&mut out);
    }
    for row in &rows {
        row.inks.write(&mut out);
        row.lines.iter().for_each(|(ink, path)| {
            let _ = writeln!(out, r#"<path d="{path}" fill="none" stroke="{ink}"/>"#);
        });
        row.texts.iter().for_each(|text| text.write(&mut out));
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// What one row of cells is drawn as.
#[derive(Default)]
struct Row {
    grounds: Fills,
    inks: Fills,
    lines: Vec<(Rgb, String)>,
    texts: Vec<Text>,
}

impl Row {
    fn of(buffer: &Buffer, row: u16) -> Self {
        let mut this = Self::default();
        let top = PADDING + f32::from(row) * CELL_HEIGHT;
        let mut column = 0;
        while column < buffer.area.width {
            let Some(cell) = buffer.cell((buffer.area.x + column, buffer.area.y + row)) else { break };
            let symbol = cell.symbol();
            let cells = u16::try_from(symbol.width()).unwrap_or(1).clamp(1, buffer.area.width - column);
            this.add(symbol, Look::of(cell), (column, cells), top);
            column += cells;
        }
        this
    }

    fn add(&mut self, symbol: &str, look: Look, (column, cells): (u16, u16), top: f32) {
        let left = PADDING + f32::from(column) * CELL_WIDTH;
        let width = f32::from(cells) * CELL_WIDTH;
        let whole = Rect::new(left, top, left + width, top + CELL_HEIGHT);
        if look.ground != BACKGROUND {
            self.grounds.add(look.ground, whole);
        }
        match shape(symbol) {
            Some(Shape::Filled(rects)) => rects.into_iter().for_each(|rect| {
                let (right, bottom) = (rect.right + left, rect.bottom + top);
                self.inks.add(look.ink, Rect::new(rect.left + left, rect.top + top, right, bottom));
            }),
            Some(Shape::Shade(percent)) => self.inks.add(look.ink.over(look.ground, percent), whole),
            Some(Shape::Line(steps)) => self.line(look.ink, &steps, left, top),
            None => self.text(symbol, look, column, cells, top),
        }
        if let Some(color) = look.underline {
            self.inks.add(color, Rect::new(left, top + 17.0, left + width, top + 18.0));
        }
        if look.crossed_out {
            self.inks.add(look.ink, Rect::new(left, top + 10.0, left + width, top + 11.0));
        }
    }

    fn line(&mut self, ink: Rgb, steps: &[Step], left: f32, top: f32) {
        if self.lines.last().is_none_or(|(last, _)| *last != ink) {
            self.lines.push((ink, String::new()));
        }
        let Some((_, path)) = self.lines.last_mut() else { return };
        for step in steps {
            let (x, y) = (|x: f32| rounded(x + left), |y: f32| rounded(y + top));
            let _ = match *step {
                Step::Move(to_x, to_y) => write!(path, "M{} {}", x(to_x), y(to_y)),
                Step::To(to_x, to_y) => write!(path, "L{} {}", x(to_x), y(to_y)),
                Step::Bend(by_x, by_y, to_x, to_y) => {
                    write!(path, "Q{} {} {} {}", x(by_x), y(by_y), x(to_x), y(to_y))
                }
            };
        }
    }

    fn text(&mut self, symbol: &str, look: Look, column: u16, cells: u16, top: f32) {
        let face = Face { ink: look.ink, bold: look.bold, italic: look.italic };
        if let Some(last) = self.texts.last_mut()
            && last.continues(symbol, face, column, cells)
        {
            last.content.push_str(symbol);
            last.cells += cells;
        } else if symbol != " " {
            let wide = cells > 1;
            self.texts.push(Text { content: symbol.to_owned(), face, column, cells, top, wide });
        }
    }
}

/// What letters of one run have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Face {
    ink: Rgb,
    bold: bool,
    italic: bool,
}

/// A run of text that looks the same.
struct Text {
    content: String,
    face: Face,
    column: u16,
    cells: u16,
    top: f32,
    wide: bool,
}

impl Text {
    /// Whether `symbol` can be written on at the end. Wide glyphs stand alone, for their font's width is not known.
    /// So do characters that the font would fuse into a ligature, which a terminal does not.
    fn continues(&self, symbol: &str, face: Face, column: u16, cells: u16) -> bool {
        let fuses = self.content.chars().next_back().zip(symbol.chars().next()).is_some_and(|(last, next)| {
            last.is_ascii_punctuation() && next.is_ascii_punctuation() || last == 'w' && next == 'w'
        });
        self.face == face && self.column + self.cells == column && cells == 1 && !self.wide && !fuses
    }

    fn write(&self, out: &mut String) {
        let content = self.content.trim_end_matches(' ');
        let blanks = u16::try_from(self.content.len() - content.len()).unwrap_or_default();
        let x = PADDING + f32::from(self.column) * CELL_WIDTH;
        let _ = write!(out, r#"<text x="{x}" y="{}""#, self.top + BASELINE);
        if content.chars().nth(1).is_some() {
            let length = f32::from(self.cells - blanks) * CELL_WIDTH;
            let _ = write!(out, r#" textLength="{length}" xml:space="preserve""#);
        }
        if self.face.ink != FOREGROUND {
            let _ = write!(out, r#" fill="{}""#, self.face.ink);
        }
        if self.face.bold {
            out.push_str(r#" font-weight="bold""#);
        }
        if self.face.italic {
            out.push_str(r#" font-style="italic""#);
        }
        let _ = writeln!(out, ">{}</text>", escaped(content));
    }
}

/// Rectangles by colour; neighbours of the same height grow together.
#[derive(Default)]
struct Fills(Vec<(Rgb, Vec<Rect>)>);

impl Fills {
    fn add(&mut self, color: Rgb, rect: Rect) {
        if self.0.iter().all(|(known, _)| *known != color) {
            self.0.push((color, Vec::new()));
        }
        let Some((_, rects)) = self.0.iter_mut().find(|(known, _)| *known == color) else { return };
        // The two halves of a line overlap at the cell's centre, so touching is enough.
        let neighbour = rects.iter_mut().rev().take(8).find(|other| {
            same(other.top, rect.top)
                && same(other.bottom, rect.bottom)
                && rect.left <= other.right
                && other.left <= rect.right
        });
        match neighbour {
            Some(other) => {
                other.left = other.left.min(rect.left);
                other.right = other.right.max(rect.right);
            }
            None => rects.push(rect),
        }
    }

    fn write(&self, out: &mut String) {
        for (color, rects) in &self.0 {
            if let [rect] = rects.as_slice() {
                let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
                let _ = writeln!(
                    out,
                    r#"<rect x="{}" y="{}" width="{width}" height="{height}" fill="{color}"/>"#,
                    rect.left, rect.top
                );
                continue;
            }
            let path = rects.iter().fold(String::new(), |mut path, rect| {
                let _ = write!(path, "M{} {}H{}V{}H{}z", rect.left, rect.top, rect.right, rect.bottom, rect.left);
                path
            });
            let _ = writeln!(out, r#"<path d="{path}" fill="{color}"/>"#);
        }
    }
}

/// Hundredths of a pixel are enough.
fn rounded(pixels: f32) -> f32 {
    (pixels * 100.0).round() / 100.0
}

fn same(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.01
}

/// Text as XML holds it; control characters, which it can't hold, become U+FFFD.
fn escaped(text: &str) -> String {
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
    use proptest::prelude::*;
    use ratatui::layout;
    use ratatui::style::Style;

    fn styled(text: &str, style: Style) -> String {
        let mut buffer = Buffer::empty(layout::Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, text, style);
        svg(&buffer, "t")
    }

    fn count(picture: &str, part: &str) -> usize {
        picture.matches(part).count()
    }

    #[test]
    fn single_style_run_is_one_text_element_without_trailing_spaces() {
        let picture = styled("Create key", Style::new());
        assert_eq!(count(&picture, "<text"), 1, "{picture}");
        assert!(picture.contains(r#"textLength="90" xml:space="preserve">Create key</text>"#), "{picture}");
    }

    #[test]
    fn background_run_is_one_rectangle() {
        let picture = styled("selected", Style::new().on_blue());
        assert!(picture.contains(r##"<rect x="10" y="10" width="72" height="20" fill="#5aa9f5"/>"##), "{picture}");
    }

    #[test]
    fn border_is_one_rectangle_and_no_text() {
        let picture = styled("────────", Style::new());
        assert!(!picture.contains("<text"), "{picture}");
        assert!(picture.contains(r#"<rect x="10" y="19" width="72" height="1""#), "{picture}");
    }

    #[test]
    fn wide_glyphs_are_separate_runs_at_their_own_column() {
        let picture = styled("a日本b", Style::new());
        assert_eq!(count(&picture, "<text"), 4, "{picture}");
        assert!(picture.contains(r#"<text x="55" y="25">b"#), "{picture}");
    }

    #[test]
    fn ligature_characters_are_separate_runs() {
        assert_eq!(count(&styled("a->b", Style::new()), "<text"), 2);
        assert_eq!(count(&styled("www", Style::new()), "<text"), 3);
    }

    #[test]
    fn bold_underline_and_reverse_become_plain_attributes() {
        let picture = styled("x y", Style::new().bold().underlined().reversed());
        assert!(picture.contains(r##"fill="#121720" font-weight="bold">x y</text>"##), "{picture}");
        assert!(picture.contains(r##"<rect x="10" y="27" width="27" height="1" fill="#121720"/>"##), "{picture}");
    }

    proptest! {
        #[test]
        fn any_text_produces_valid_svg(text in "\\PC{0,20}", title in any::<String>()) {
            let mut buffer = Buffer::empty(layout::Rect::new(0, 0, 24, 1));
            buffer.set_string(0, 0, &text, Style::new());
            let picture = svg(&buffer, &title);
            prop_assert!(resvg::usvg::Tree::from_str(&picture, &resvg::usvg::Options::default()).is_ok(), "{}", picture);
        }
    }

    #[test]
    fn empty_buffer_produces_a_valid_image() {
        assert!(svg(&Buffer::empty(layout::Rect::ZERO), "").contains(r#"width="20" height="20""#));
    }
}
