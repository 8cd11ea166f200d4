//! Escaping, measuring, truncating, and wrapping of text for the terminal.

pub mod file;
pub mod highlight;
pub mod time;

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Returns `text` with control characters and invisible characters escaped as `\u{…}`. See [`is_hidden`].
///
/// The result can't move the cursor or hide other text.
pub fn escape_controls(text: &str) -> String {
    if !text.contains(is_hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether a character is a control character, changes the direction of text, or is invisible.
///
/// The joiners U+200C and U+200D aren't hidden, because Persian and emoji need them.
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Like [`escape_controls`], but keeps line breaks.
pub fn escape_controls_in_lines(text: &str) -> String {
    text.split('\n').map(escape_controls).collect::<Vec<_>>().join("\n")
}

/// Returns `text` without the byte order mark that some Windows editors write at the start of a file.
pub fn strip_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Like [`strip_byte_order_mark`], for a file whose encoding hasn't been checked yet.
pub fn strip_byte_order_mark_bytes(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// Returns the word of `known` that is most similar to `word`, or `None` if none is similar enough.
///
/// The distance is the number of characters that are inserted, deleted, replaced, or swapped with the next one, without
/// regard to case. It is at most a third of the length of `word`, but at least 1 and at most 3. Of several words at the
/// same distance, the first is returned.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).clamp(1, 3);
    let distances = known.into_iter().filter_map(|candidate| {
        let lowercase = candidate.to_lowercase();
        // The distance is at least the difference of the lengths, so that a very long word costs no time.
        let is_possible = lowercase.chars().count().abs_diff(length) <= limit;
        let distance = is_possible.then(|| strsim::damerau_levenshtein(&word, &lowercase))?;
        (distance <= limit).then_some((distance, candidate))
    });
    distances.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Returns a number with the word for what it counts, such as `1 screen` or `2 screens`.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns the number of columns that `text` occupies.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Truncates `text` to at most `columns` columns, and ends it with `…` if something was cut off.
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let grapheme_width = width(grapheme);
        if used + grapheme_width > columns - 1 {
            break;
        }
        used += grapheme_width;
        out.push_str(grapheme);
    }
    out.push('…');
    out
}

/// Truncates `text`, or pads it with spaces, to exactly `columns` columns.
pub fn fit(text: &str, columns: usize) -> String {
    let mut out = truncate(text, columns);
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Wraps `text` at spaces into lines of at most `columns` columns, and breaks words that are longer.
///
/// Spaces at the start of a line indent all the lines that it is wrapped into.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let words = paragraph.trim_start_matches(' ');
        let indent = (paragraph.len() - words.len()).min(columns / 2);
        let mut line = " ".repeat(indent);
        let mut used = 0;
        let columns = columns - indent;
        for word in words.split(' ') {
            let word_width = width(word);
            if used > 0 && used + 1 + word_width > columns {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            if word.is_ascii() && used + word_width <= columns {
                line.push_str(word);
                used += word_width;
                continue;
            }
            for grapheme in word.graphemes(true) {
                let grapheme_width = width(grapheme);
                if used + grapheme_width > columns && used > 0 {
                    lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                    used = 0;
                }
                line.push_str(grapheme);
                used += grapheme_width;
            }
        }
        lines.push(line);
    }
    lines
}

/// Wraps `text` like [`wrap`] into at most `max_lines` lines. If text was cut off, the last line ends with `mark`.
pub fn wrap_truncated(text: &str, columns: usize, max_lines: usize, mark: &str) -> Vec<String> {
    // Wrapping a very long text would be slow. This limit is far more than fits on the lines.
    let max_chars = columns.saturating_mul(max_lines + 1).saturating_mul(4);
    let (start, is_whole) = match text.char_indices().nth(max_chars) {
        Some((end, _)) => (&text[..end], false),
        None => (text, true),
    };
    let mut rows = wrap(start, columns);
    if (rows.len() > max_lines || !is_whole) && max_lines > 0 {
        rows.truncate(max_lines);
        if let Some(last) = rows.last_mut() {
            let room = columns.saturating_sub(width(mark));
            let mut used = 0;
            let fits = |grapheme: &&str| {
                used += width(grapheme);
                used <= room
            };
            *last = last.graphemes(true).take_while(fits).collect::<String>() + mark;
        }
    }
    rows
}

/// Returns bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn byte_order_mark_is_stripped_only_at_the_start() {
        assert_eq!(strip_byte_order_mark("\u{feff}{}"), "{}");
        assert_eq!(strip_byte_order_mark("a\u{feff}"), "a\u{feff}");
        assert_eq!(strip_byte_order_mark_bytes(b"\xef\xbb\xbf\xff"), b"\xff");
        assert_eq!(strip_byte_order_mark_bytes(b"\xef\xbb"), b"\xef\xbb");
    }

    #[test]
    fn nearest_word_ignores_case_and_is_at_most_a_third_of_the_length_away() {
        let known = ["Enter", "Escape", "Screenshot", "Screen"];
        for (word, expected) in [
            ("Enter", Some("Enter")),
            ("ENTER", Some("Enter")),
            ("Entr", Some("Enter")),
            ("Etner", Some("Enter")),
            ("Etnr", None),
            ("Scren", Some("Screen")),
            ("screensht", Some("Screenshot")),
            ("Scrnsht", None),
            ("Screenshooter", Some("Screenshot")),
            ("Screenshooters", None),
            ("", None),
            ("日本", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest("b", ["aa", "a", "c"]), Some("a"));
        assert_eq!(nearest(&"x".repeat(1_000_000), known), None);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape_controls("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(escape_controls("so\u{ad}ft\u{61c}\u{200b}\u{e0041}"), "so\\u{ad}ft\\u{61c}\\u{200b}\\u{e0041}");
        let joined = "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645} 👩\u{200d}🔬";
        assert_eq!(escape_controls(joined), joined);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(fit("日", 3), "日 ");
    }

    #[test]
    fn truncated_text_ends_with_the_mark() {
        assert_eq!(wrap_truncated("one two three", 20, 2, "…"), ["one two three"]);
        assert_eq!(wrap_truncated("one two three", 5, 3, "…"), ["one", "two", "three"]);
        assert_eq!(wrap_truncated("one two three", 5, 2, "…"), ["one", "two…"]);
        assert_eq!(wrap_truncated("one three four", 5, 2, "…"), ["one", "thre…"]);
        assert_eq!(wrap_truncated(&"x".repeat(200_000), 10, 1, "… more"), ["xxxx… more"]);
    }

    proptest! {
        #[test]
        fn truncate_never_exceeds_the_width(text in ".{0,60}", columns in 0usize..40) {
            let text = escape_controls(&text);
            prop_assert!(width(&truncate(&text, columns)) <= columns);
        }

        #[test]
        fn wrapping_keeps_every_word(words in prop::collection::vec("[a-z]{1,12}", 1..20), columns in 1usize..30) {
            let lines = wrap(&words.join(" "), columns);
            prop_assert!(lines.iter().all(|line| width(line) <= columns));
            let joined: String = lines.concat().split_whitespace().collect();
            prop_assert_eq!(joined, words.concat());
        }
    }
}
