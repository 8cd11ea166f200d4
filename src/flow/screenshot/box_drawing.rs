//! Borders, blocks, and form symbols as shapes.
//!
//! Fonts leave gaps between the rows, and JetBrains Mono doesn't have all of these characters. Shapes meet exactly at
//! the edges of the cells.

use super::{CELL_HEIGHT, CELL_WIDTH};

/// The point where the lines of a cell cross, chosen so that a line of one pixel covers whole pixels.
const CENTER: (f32, f32) = (4.5, 9.5);

/// The lines from the center for U+2500 to U+257F: up, right, down, and left, with one hexadecimal digit each.
///
/// 0 is no line, 1 is light, 2 is heavy, and 3 is double. Arcs and diagonals have no lines and are drawn separately.
/// Source: the character names in the Unicode Character Database.
const ARMS: [u16; 128] = [
    0x0101, 0x0202, 0x1010, 0x2020, 0x0101, 0x0202, 0x1010, 0x2020, 0x0101, 0x0202, 0x1010, 0x2020, 0x0110, 0x0210,
    0x0120, 0x0220, 0x0011, 0x0012, 0x0021, 0x0022, 0x1100, 0x1200, 0x2100, 0x2200, 0x1001, 0x1002, 0x2001, 0x2002,
    0x1110, 0x1210, 0x2110, 0x1120, 0x2120, 0x2210, 0x1220, 0x2220, 0x1011, 0x1012, 0x2011, 0x1021, 0x2021, 0x2012,
    0x1022, 0x2022, 0x0111, 0x0112, 0x0211, 0x0212, 0x0121, 0x0122, 0x0221, 0x0222, 0x1101, 0x1102, 0x1201, 0x1202,
    0x2101, 0x2102, 0x2201, 0x2202, 0x1111, 0x1112, 0x1211, 0x1212, 0x2111, 0x1121, 0x2121, 0x2112, 0x2211, 0x1122,
    0x1221, 0x2212, 0x1222, 0x2122, 0x2221, 0x2222, 0x0101, 0x0202, 0x1010, 0x2020, 0x0303, 0x3030, 0x0310, 0x0130,
    0x0330, 0x0013, 0x0031, 0x0033, 0x1300, 0x3100, 0x3300, 0x1003, 0x3001, 0x3003, 0x1310, 0x3130, 0x3330, 0x1013,
    0x3031, 0x3033, 0x0313, 0x0131, 0x0333, 0x1303, 0x3101, 0x3303, 0x1313, 0x3131, 0x3333, 0x0000, 0x0000, 0x0000,
    0x0000, 0x0000, 0x0000, 0x0000, 0x0001, 0x1000, 0x0100, 0x0010, 0x0002, 0x2000, 0x0200, 0x0020, 0x0201, 0x1020,
    0x0102, 0x2010,
];

/// A filled rectangle in a cell, in pixels from the top left corner of the cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    /// The left edge.
    pub left: f32,
    /// The top edge.
    pub top: f32,
    /// The right edge.
    pub right: f32,
    /// The bottom edge.
    pub bottom: f32,
}

impl Rect {
    /// Creates a rectangle from its edges.
    pub(super) const fn new(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { left, top, right, bottom }
    }
}

/// The shape of a character.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    /// Rectangles filled with the text color.
    Filled(Vec<Rect>),
    /// The whole cell, filled with a color that is this percentage of the way from the background to the text color.
    Shade(u16),
    /// A line of one pixel along an SVG path, in pixels from the top left corner of the cell.
    Stroke(Vec<PathSegment>),
}

/// A segment of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PathSegment {
    /// Moves to the point without drawing.
    Move(f32, f32),
    /// Draws a straight line to the point.
    Line(f32, f32),
    /// Draws a quadratic curve to the second point, with the first point as its control point.
    Quad(f32, f32, f32, f32),
}

/// Returns the shape of `symbol`, or `None` if the font renders it.
pub(super) fn shape(symbol: &str) -> Option<Shape> {
    let mut chars = symbol.chars();
    let character = chars.next()?;
    if chars.next().is_some() {
        return None;
    }
    match character {
        '\u{2500}'..='\u{257f}' => Some(box_drawing(character)),
        '\u{2580}'..='\u{259f}' => Some(block(character)),
        '\u{2800}'..='\u{28ff}' => Some(Shape::Filled(braille(character))),
        _ => form_symbol(character),
    }
}

fn box_drawing(character: char) -> Shape {
    let ((x, y), (w, h)) = (CENTER, (CELL_WIDTH, CELL_HEIGHT));
    let arc = |from: (f32, f32), to: (f32, f32)| {
        // The curve spans the shorter half of the cell; the rest of the longer half is straight.
        let vertical = if from.1 > y { y + x } else { y - x };
        Shape::Stroke(vec![
            PathSegment::Move(from.0, from.1),
            PathSegment::Line(x, vertical),
            PathSegment::Quad(x, y, to.0, to.1),
        ])
    };
    let diagonal = |rising: bool, falling: bool| {
        let mut path = Vec::new();
        if rising {
            path.extend([PathSegment::Move(0.0, h), PathSegment::Line(w, 0.0)]);
        }
        if falling {
            path.extend([PathSegment::Move(0.0, 0.0), PathSegment::Line(w, h)]);
        }
        Shape::Stroke(path)
    };
    match character {
        '╭' => arc((x, h), (w, y)),
        '╮' => arc((x, h), (0.0, y)),
        '╯' => arc((x, 0.0), (0.0, y)),
        '╰' => arc((x, 0.0), (w, y)),
        '╱' => diagonal(true, false),
        '╲' => diagonal(false, true),
        '╳' => diagonal(true, true),
        '┄' | '┅' | '┆' | '┇' => Shape::Filled(dashes(arms(character), 3.0)),
        '┈' | '┉' | '┊' | '┋' => Shape::Filled(dashes(arms(character), 4.0)),
        '╌' | '╍' | '╎' | '╏' => Shape::Filled(dashes(arms(character), 2.0)),
        _ => Shape::Filled(junction(arms(character))),
    }
}

fn arms(character: char) -> [u16; 4] {
    let code = ARMS.get((character as usize).wrapping_sub(0x2500)).copied().unwrap_or_default();
    [code >> 12, code >> 8 & 0xf, code >> 4 & 0xf, code & 0xf]
}

fn thickness(weight: u16) -> f32 {
    match weight {
        0 => 0.0,
        2 => 2.0,
        _ => 1.0,
    }
}

/// Computes each arm as if it pointed right, with `near` (up) and `far` (down) beside it, and then rotates it.
fn junction([up, right, down, left]: [u16; 4]) -> Vec<Rect> {
    let ((x, y), (w, h)) = (CENTER, (CELL_WIDTH, CELL_HEIGHT));
    let mut rects = Vec::new();
    // Left comes before right, so that the parts of a long line are merged into one rectangle.
    for (from, across, near) in arm_strokes(left, up, down, right) {
        rects.push(Rect::new(0.0, y + near, x - from, y + near + across));
    }
    for (from, across, near) in arm_strokes(right, up, down, left) {
        rects.push(Rect::new(x + from, y + near, w, y + near + across));
    }
    for (from, across, near) in arm_strokes(down, left, right, up) {
        rects.push(Rect::new(x + near, y + from, x + near + across, h));
    }
    for (from, across, near) in arm_strokes(up, left, right, down) {
        rects.push(Rect::new(x + near, 0.0, x + near + across, y - from));
    }
    rects
}

/// Returns the strokes of an arm.
///
/// Each stroke has the distance of its start from the center (negative beyond the center), its thickness, and its
/// position across the arm. `near` and `far` are the arms on either side, and `opposite` is the arm that continues it.
fn arm_strokes(weight: u16, near: u16, far: u16, opposite: u16) -> Vec<(f32, f32, f32)> {
    match weight {
        0 => Vec::new(),
        3 => {
            let rail = |same: u16, other: u16| match (same, other) {
                (3, _) => 0.5,
                (0, 3) => -1.5,
                (0, 0) => 0.0,
                _ => -0.5,
            };
            vec![(rail(near, far), 1.0, -1.5), (rail(far, near), 1.0, 0.5)]
        }
        _ => {
            let thick = thickness(weight);
            let from = match (near, far) {
                (3, 3) if opposite == 0 => 0.5,
                (3, 3) | (0, 0) => 0.0,
                (3, _) | (_, 3) => -1.5,
                _ => -thickness(near.max(far)) / 2.0,
            };
            vec![(from, thick, -thick / 2.0)]
        }
    }
}

fn dashes([up, right, ..]: [u16; 4], count: f32) -> Vec<Rect> {
    let ((x, y), (w, h)) = (CENTER, (CELL_WIDTH, CELL_HEIGHT));
    let half = thickness(up.max(right)) / 2.0;
    let mut rects = Vec::new();
    let mut index = 0.0;
    while index < count {
        let span = |length: f32| ((index + 0.2) * length / count, (index + 0.8) * length / count);
        rects.push(if right == 0 {
            let (top, bottom) = span(h);
            Rect::new(x - half, top, x + half, bottom)
        } else {
            let (left, right) = span(w);
            Rect::new(left, y - half, right, y + half)
        });
        index += 1.0;
    }
    rects
}

fn block(character: char) -> Shape {
    let (w, h) = (CELL_WIDTH, CELL_HEIGHT);
    let eighths = |from: char| f32::from(u8::try_from(character as u32 - from as u32 + 1).unwrap_or(8)) / 8.0;
    let whole = |left, top, right, bottom| Shape::Filled(vec![Rect::new(left, top, right, bottom)]);
    let quadrants = |upper_left: bool, upper_right: bool, lower_left: bool, lower_right: bool| {
        let corners = [
            (upper_left, Rect::new(0.0, 0.0, w / 2.0, h / 2.0)),
            (upper_right, Rect::new(w / 2.0, 0.0, w, h / 2.0)),
            (lower_left, Rect::new(0.0, h / 2.0, w / 2.0, h)),
            (lower_right, Rect::new(w / 2.0, h / 2.0, w, h)),
        ];
        Shape::Filled(corners.into_iter().filter_map(|(there, rect)| there.then_some(rect)).collect())
    };
    match character {
        '▀' => whole(0.0, 0.0, w, h / 2.0),
        '▁'..='█' => whole(0.0, h * (1.0 - eighths('▁')), w, h),
        // The widths of these characters decrease from seven eighths.
        '▉'..='▏' => whole(0.0, 0.0, w * (1.0 - eighths('▉')), h),
        '▐' => whole(w / 2.0, 0.0, w, h),
        '░' => Shape::Shade(25),
        '▒' => Shape::Shade(50),
        '▓' => Shape::Shade(75),
        '▔' => whole(0.0, 0.0, w, h / 8.0),
        '▕' => whole(w * 7.0 / 8.0, 0.0, w, h),
        '▖' => quadrants(false, false, true, false),
        '▗' => quadrants(false, false, false, true),
        '▘' => quadrants(true, false, false, false),
        '▙' => quadrants(true, false, true, true),
        '▚' => quadrants(true, false, false, true),
        '▛' => quadrants(true, true, true, false),
        '▜' => quadrants(true, true, false, true),
        '▝' => quadrants(false, true, false, false),
        '▞' => quadrants(false, true, true, false),
        _ => quadrants(false, true, true, true),
    }
}

fn braille(character: char) -> Vec<Rect> {
    let bits = character as u32 - 0x2800;
    // Each bit of the character is the dot at this column and row.
    let dots: [(f32, f32); 8] =
        [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
    let there = dots.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    there
        .map(|(_, (column, row))| (2.0 + 4.0 * column, 2.0 + 4.5 * row))
        .map(|(x, y)| Rect::new(x, y, x + 2.0, y + 2.0))
        .collect()
}

/// Returns the shape of a form symbol, so that all states of a form field have the same size.
fn form_symbol(character: char) -> Option<Shape> {
    let square = [
        PathSegment::Move(1.0, 6.5),
        PathSegment::Line(8.0, 6.5),
        PathSegment::Line(8.0, 13.5),
        PathSegment::Line(1.0, 13.5),
        PathSegment::Line(1.0, 6.5),
    ];
    let ring = |radius: f32| {
        // A parabola approximates an eighth of a circle; its control point is tan(22.5°) along the tangent.
        let (x, y) = (CENTER.0, 10.0);
        let (flat, bend) = (std::f32::consts::FRAC_1_SQRT_2 * radius, 0.414_213_57 * radius);
        let point = |(dx, dy): (f32, f32)| (x + dx, y + dy);
        let around = [
            ((bend, -radius), (flat, -flat)),
            ((radius, -bend), (radius, 0.0)),
            ((radius, bend), (flat, flat)),
            ((bend, radius), (0.0, radius)),
            ((-bend, radius), (-flat, flat)),
            ((-radius, bend), (-radius, 0.0)),
            ((-radius, -bend), (-flat, -flat)),
            ((-bend, -radius), (0.0, -radius)),
        ];
        let eighths = around.map(|(bend, to)| (point(bend), point(to)));
        std::iter::once(PathSegment::Move(x, y - radius))
            .chain(eighths.map(|(bend, to)| PathSegment::Quad(bend.0, bend.1, to.0, to.1)))
    };
    let mut path = Vec::new();
    match character {
        '○' | '◯' => path.extend(ring(4.0)),
        '⊘' => {
            path.extend(ring(4.0));
            path.extend([PathSegment::Move(1.7, 12.8), PathSegment::Line(7.3, 7.2)]);
        }
        '◉' => {
            for radius in [4.0, 1.6, 1.0, 0.4] {
                path.extend(ring(radius));
            }
        }
        '☐' => path.extend(square),
        '☑' => {
            path.extend(square);
            path.extend([PathSegment::Move(2.4, 9.8), PathSegment::Line(4.1, 11.8), PathSegment::Line(6.8, 8.0)]);
        }
        '☒' => {
            path.extend(square);
            path.extend([
                PathSegment::Move(2.6, 8.0),
                PathSegment::Line(6.4, 12.0),
                PathSegment::Move(6.4, 8.0),
                PathSegment::Line(2.6, 12.0),
            ]);
        }
        _ => return None,
    }
    Some(Shape::Stroke(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rects(symbol: &str) -> Vec<Rect> {
        match shape(symbol) {
            Some(Shape::Filled(rects)) => rects,
            other => panic!("{symbol} has the shape {other:?}"),
        }
    }

    #[test]
    fn horizontal_line_reaches_both_edges() {
        let rects = rects("─");
        assert!(rects.iter().any(|rect| rect.left == 0.0 && rect.right >= CENTER.0));
        assert!(rects.iter().any(|rect| rect.right == CELL_WIDTH && rect.left <= CENTER.0));
    }

    #[test]
    fn every_line_character_touches_exactly_the_edges_in_its_name() {
        for character in '\u{2500}'..='\u{257f}' {
            let dashed = "┄┅┆┇┈┉┊┋╌╍╎╏".contains(character);
            let Some(Shape::Filled(rects)) = shape(&character.to_string()) else { continue };
            let touched = [
                rects.iter().any(|rect| rect.top == 0.0),
                rects.iter().any(|rect| rect.right == CELL_WIDTH),
                rects.iter().any(|rect| rect.bottom == CELL_HEIGHT),
                rects.iter().any(|rect| rect.left == 0.0),
            ];
            assert_eq!(touched, arms(character).map(|weight| weight > 0 && !dashed), "{character}");
            assert!(
                rects.iter().all(|rect| rect.left < rect.right && rect.top < rect.bottom),
                "{character}: {rects:?}"
            );
        }
    }

    #[test]
    fn double_upper_left_corner_is_two_nested_corners() {
        // The outer lines start at the outer corner, the inner lines where they meet.
        assert_eq!(
            rects("╔"),
            [
                Rect::new(3.0, 8.0, 9.0, 9.0),
                Rect::new(5.0, 10.0, 9.0, 11.0),
                Rect::new(3.0, 8.0, 4.0, 20.0),
                Rect::new(5.0, 10.0, 6.0, 20.0),
            ]
        );
    }

    #[test]
    fn block_characters_fill_the_fraction_in_their_name() {
        assert_eq!(rects("█"), [Rect::new(0.0, 0.0, 9.0, 20.0)]);
        assert_eq!(rects("▄"), [Rect::new(0.0, 10.0, 9.0, 20.0)]);
        assert_eq!(rects("▌"), [Rect::new(0.0, 0.0, 4.5, 20.0)]);
        assert_eq!(rects("▏"), [Rect::new(0.0, 0.0, 1.125, 20.0)]);
        assert_eq!(rects("▟").len(), 3);
    }

    #[test]
    fn letters_have_no_shape() {
        assert_eq!(shape("a"), None);
        assert_eq!(shape("●"), None);
        assert_eq!(shape("─\u{301}"), None);
        assert_eq!(shape(""), None);
    }
}
