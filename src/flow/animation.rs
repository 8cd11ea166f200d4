//! Converts a recording to an animated SVG image.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::recording::{EventKind, Recording, format_decimal};
use super::screenshot::{Element, ImageStyle, Layer, document, row_elements};
use crate::text;

/// The rows below the screen for the title of the current section: a blank row and the title.
const CAPTION_ROWS: u16 = 2;

/// How long the last frame is shown if the recording ends with it.
const LAST_FRAME: SignedDuration = SignedDuration::from_secs(2);

/// Returns an SVG image that plays `recording` in a loop, in the look of [`screenshot::svg`](super::screenshot::svg).
///
/// The image contains no scripts and no external files, so it can be embedded with `<img>`. A viewer that doesn't
/// animate, or that prefers reduced motion, shows the last frame. If the recording has markers, the title of the
/// current section is shown below the screen.
///
/// Each graphical element is contained once, however many frames show it. The file is identical, byte for byte, on
/// every run and every machine.
pub fn animated_svg(recording: &Recording, style: &ImageStyle) -> String {
    let scenes = scenes(recording);
    let size = scenes.first().map_or(recording.size, |scene| (scene.screen.area.width, scene.screen.area.height));
    let mut css = Stylesheet::new(&scenes, milliseconds(recording.duration()));
    let mut body = String::new();
    for ((_, spans), elements) in group_elements(&scenes, style) {
        if spans.is_always(scenes.len()) {
            body.extend(elements);
            continue;
        }
        let hidden = if spans.contains_last(scenes.len()) { "" } else { r#" visibility="hidden""# };
        let _ = writeln!(body, r#"<g class="{}"{hidden}>"#, css.class(&spans));
        body.extend(elements);
        body.push_str("</g>\n");
    }
    document(size, &recording.title, style, &css.finish(), &body)
}

/// A screen with its caption, and the time at which it appears.
struct Scene {
    /// The time since the start in milliseconds.
    at: u128,
    screen: Buffer,
}

/// Returns the scenes of `recording`. Only the last of the scenes with the same time is kept.
fn scenes(recording: &Recording) -> Vec<Scene> {
    let has_markers = recording.events.iter().any(|event| matches!(event.kind, EventKind::Marker(_)));
    let mut scenes: Vec<Scene> = Vec::new();
    let (mut frame, mut caption) = (recording.fit(&Buffer::default()).into_owned(), "");
    for event in &recording.events {
        match &event.kind {
            EventKind::Frame(next) => frame = recording.fit(next).into_owned(),
            EventKind::Marker(title) => caption = title,
        }
        let screen = if has_markers { with_caption(&frame, caption) } else { Cow::Borrowed(&frame) };
        let at = milliseconds(event.at);
        if scenes.last().is_some_and(|last| last.at >= at) {
            scenes.pop();
        }
        if scenes.last().is_none_or(|last| last.screen != *screen) {
            scenes.push(Scene { at, screen: screen.into_owned() });
        }
    }
    scenes
}

/// Returns `frame` with rows for the title of the section below it.
fn with_caption<'a>(frame: &Buffer, caption: &str) -> Cow<'a, Buffer> {
    let Rect { width, height, .. } = frame.area;
    let mut screen = Buffer::empty(Rect { height: height.saturating_add(CAPTION_ROWS), ..frame.area });
    for (target, cell) in screen.content.iter_mut().zip(frame.content()) {
        target.clone_from(cell);
    }
    if let Some(row) = screen.area.height.checked_sub(1) {
        screen.set_string(0, row, text::truncate(caption, width.into()), Style::new().bold());
    }
    Cow::Owned(screen)
}

fn milliseconds(time: SignedDuration) -> u128 {
    u128::try_from(time.as_millis()).unwrap_or_default()
}

/// The scenes that show an element, as ranges of scene numbers without the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Spans(Vec<(usize, usize)>);

impl Spans {
    fn add(&mut self, scene: usize) {
        match self.0.last_mut() {
            Some((_, end)) if *end >= scene => *end = scene + 1,
            _ => self.0.push((scene, scene + 1)),
        }
    }

    fn is_always(&self, scene_count: usize) -> bool {
        self.0 == [(0, scene_count)]
    }

    fn contains_last(&self, scene_count: usize) -> bool {
        self.0.last().is_some_and(|(_, end)| *end == scene_count)
    }
}

/// Groups the elements of all scenes by layer and by the scenes that show them.
fn group_elements(scenes: &[Scene], style: &ImageStyle) -> BTreeMap<(Layer, Spans), Vec<String>> {
    let mut numbers: HashMap<(u16, Element), usize> = HashMap::new();
    let mut elements: Vec<((u16, Element), Spans)> = Vec::new();
    for (number, scene) in scenes.iter().enumerate() {
        let screen = style.themed(&scene.screen);
        for row in 0..screen.area.height {
            for element in row_elements(&screen, row, style) {
                let key = (row, element);
                let index = *numbers.entry(key).or_insert_with_key(|key| {
                    elements.push((key.clone(), Spans::default()));
                    elements.len() - 1
                });
                elements[index].1.add(number);
            }
        }
    }
    // The sort is stable, so the elements of a row keep their order.
    elements.sort_by_key(|((row, _), _)| *row);
    let mut groups: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((_, element), spans) in elements {
        groups.entry((element.layer, spans)).or_default().push(element.svg);
    }
    groups
}

/// The CSS of the animation.
struct Stylesheet<'a> {
    scenes: &'a [Scene],
    /// The length of the animation in milliseconds.
    duration: u128,
    classes: BTreeMap<Spans, String>,
    out: String,
}

impl<'a> Stylesheet<'a> {
    fn new(scenes: &'a [Scene], end: u128) -> Self {
        let last = scenes.last().map_or(0, |scene| scene.at);
        let duration = if end > last { end } else { last + milliseconds(LAST_FRAME) };
        Self { scenes, duration, classes: BTreeMap::new(), out: String::new() }
    }

    /// Returns the class of the elements that the scenes `spans` show.
    fn class(&mut self, spans: &Spans) -> String {
        if let Some(name) = self.classes.get(spans) {
            return name.clone();
        }
        let name = format!("s{}", self.classes.len());
        let _ = write!(self.out, ".{name}{{animation-name:{name}}}@keyframes {name}{{");
        if spans.0.first().is_none_or(|(start, _)| *start > 0) {
            self.out.push_str("0%{visibility:hidden}");
        }
        for (start, end) in &spans.0 {
            let _ = write!(self.out, "{}{{visibility:visible}}", self.offset(*start));
            if *end < self.scenes.len() {
                let _ = write!(self.out, "{}{{visibility:hidden}}", self.offset(*end));
            }
        }
        self.out.push_str("}\n");
        self.classes.insert(spans.clone(), name.clone());
        name
    }

    /// Returns the time of a scene as a percentage of the animation. The first scene is shown from the start.
    fn offset(&self, scene: usize) -> String {
        let at = if scene == 0 { 0 } else { self.scenes.get(scene).map_or(self.duration, |scene| scene.at) };
        format!("{}%", format_decimal(at * 10_000_000 / self.duration.max(1), 5))
    }

    fn finish(self) -> String {
        // The type selector is weaker than the classes, so it doesn't reset their animation names.
        if self.out.is_empty() {
            return self.out;
        }
        let seconds = format_decimal(self.duration, 3);
        format!(
            "@media (prefers-reduced-motion:no-preference){{\ng{{animation:{seconds}s step-end infinite}}\n{}}}\n",
            self.out
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::screenshot::svg;

    fn render(recording: &Recording) -> String {
        animated_svg(recording, &ImageStyle::default())
    }

    fn still(frame: &Buffer, title: &str) -> String {
        svg(frame, title, &ImageStyle::default())
    }

    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn at(milliseconds: i64) -> SignedDuration {
        SignedDuration::from_millis(milliseconds)
    }

    fn record<'a>(frames: impl IntoIterator<Item = &'a [&'a str]>, size: (u16, u16)) -> Recording {
        let mut recording = Recording::new("Demo", size);
        for (index, lines) in (0..).zip(frames) {
            recording.frame(at(index * 500), Buffer::with_lines(lines.iter().copied()));
        }
        recording
    }

    fn count(image: &str, part: &str) -> usize {
        image.matches(part).count()
    }

    #[test]
    fn single_frame_is_a_plain_screenshot() {
        let recording = record([&["╭───╮", "╰───╯"][..]], (5, 2));
        assert_eq!(render(&recording), still(&Buffer::with_lines(["╭───╮", "╰───╯"]), "Demo"));
    }

    #[test]
    fn elements_are_shown_exactly_while_a_frame_contains_them() {
        let mut recording = record([&["one"][..], &["two"], &["one"]], (3, 1));
        recording.finish(at(2_000));
        let image = render(&recording);
        assert!(image.contains("g{animation:2s step-end infinite}"), "{image}");
        let one = "{0%{visibility:visible}25%{visibility:hidden}50%{visibility:visible}}";
        let two = "{0%{visibility:hidden}25%{visibility:visible}50%{visibility:hidden}}";
        assert!(image.contains(&format!(".s0{{animation-name:s0}}@keyframes s0{one}")), "{image}");
        assert!(image.contains(&format!(".s1{{animation-name:s1}}@keyframes s1{two}")), "{image}");
        assert_eq!((count(&image, ">one<"), count(&image, ">two<")), (1, 1), "{image}");
        assert!(image.contains("<g class=\"s0\">\n<text"), "{image}");
        assert!(image.contains("<g class=\"s1\" visibility=\"hidden\">\n<text"), "{image}");
    }

    #[test]
    fn last_frame_is_shown_for_a_while_if_the_recording_ends_with_it() {
        let image = render(&record([&["one"][..], &["two"]], (3, 1)));
        assert!(image.contains("animation:2.5s "), "{image}");
    }

    #[test]
    fn marker_titles_are_captions_below_the_screen() {
        let mut recording = record([&["one"][..]], (20, 1));
        recording.marker(at(500), "Open a key");
        recording.frame(at(500), Buffer::with_lines(["two"]));
        recording.marker(at(1_000), "Create <another> key, which has a long title");
        recording.finish(at(4_000));
        let image = render(&recording);
        assert!(image.contains(r#"height="80""#), "{image}");
        assert!(image.contains(">Open a key<"), "{image}");
        assert!(image.contains(">Create &lt;another&gt; ke…<"), "{image}");
    }

    #[test]
    fn size_grows_with_the_changes_and_not_with_the_frames() {
        let lines: Vec<String> = (0..30).map(|row| format!("│ row {row} ─ {} │", "content ".repeat(8))).collect();
        let mut recording = Recording::new("Demo", (90, 30));
        for index in 0..50 {
            let mut lines = lines.clone();
            lines[usize::try_from(index).unwrap() % 30] = format!("│ > change {index}");
            recording.frame(at(index * 40), Buffer::with_lines(lines));
        }
        let (image, frame) = (render(&recording), still(&Buffer::with_lines(lines), "Demo"));
        assert!(image.len() < 5 * frame.len(), "{} bytes, and {} for one frame", image.len(), frame.len());
        assert_eq!(image, render(&recording.clone()));
    }

    #[test]
    fn empty_recording_is_a_valid_image() {
        let image = render(&Recording::new("", (4, 1)));
        assert!(image.contains(r#"width="56""#) && !image.contains("<style>"), "{image}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_recording_produces_valid_svg(
            texts in proptest::collection::vec((0_i64..2_000, "\\PC{0,12}"), 0..6),
            title in any::<String>(),
        ) {
            let mut recording = Recording::new("random", (10, 1));
            recording.marker(at(0), title);
            let mut now = 0;
            for (pause, text) in texts {
                now += pause;
                let mut frame = Buffer::empty(Rect::new(0, 0, 10, 1));
                frame.set_string(0, 0, &text, Style::new());
                recording.frame(at(now), frame);
            }
            let image = render(&recording);
            prop_assert_eq!(image, render(&recording));
            let scenes = scenes(&recording);
            let groups = group_elements(&scenes, &ImageStyle::default());
            for (number, scene) in scenes.iter().enumerate() {
                let shown = groups.iter().filter(|((_, spans), _)| {
                    spans.0.iter().any(|(start, end)| (*start..*end).contains(&number))
                });
                let shown: BTreeSet<_> = shown.flat_map(|(_, elements)| elements.clone()).collect();
                let (style, height) = (ImageStyle::default(), scene.screen.area.height);
                let screen = style.themed(&scene.screen);
                let rows = (0..height).flat_map(|row| row_elements(&screen, row, &style));
                prop_assert_eq!(shown, rows.map(|element| element.svg).collect::<BTreeSet<_>>());
            }
        }
    }
}
