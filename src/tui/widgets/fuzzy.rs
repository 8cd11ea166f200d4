//! Fuzzy search: finds texts that contain the typed characters in order, best matches first.

use std::cell::RefCell;
use std::collections::BTreeSet;

pub use nucleo_matcher::pattern::AtomKind as Matching;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::tui::theme;

thread_local! {
    /// The matcher of this thread. It keeps the memory that it works in, which is too large to allocate for each text.
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher::new(Config::DEFAULT));
}

/// A text that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuzzyMatch {
    /// The position of the text in the list.
    pub index: usize,
    /// The positions of the matching characters in the text, in bytes.
    pub bytes: BTreeSet<usize>,
}

/// Returns the texts that match `typed`, best matches first. Every word of `typed` has to match. Without words, all
/// texts match, in their order.
pub fn search(typed: &str, texts: &[String]) -> Vec<FuzzyMatch> {
    search_with(typed, texts, Matching::Fuzzy)
}

/// Returns the texts that contain every word of `typed`, as [`search`] does. It suits sentences, which contain almost any
/// characters in order.
pub fn search_words(typed: &str, texts: &[String]) -> Vec<FuzzyMatch> {
    search_with(typed, texts, Matching::Substring)
}

fn search_with(typed: &str, texts: &[String], matching: Matching) -> Vec<FuzzyMatch> {
    let pattern = pattern(typed, matching);
    let found = texts.iter().enumerate().filter_map(|(index, text)| {
        let (score, bytes) = find(&pattern, text)?;
        Some((score, FuzzyMatch { index, bytes }))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(score, found)| (std::cmp::Reverse(*score), found.index));
    found.into_iter().map(|(_, found)| found).collect()
}

/// Returns the positions of the characters of a text that match a word, in bytes.
pub fn positions(word: &str, text: &str, matching: Matching) -> BTreeSet<usize> {
    find(&pattern(word, matching), text).map(|(_, bytes)| bytes).unwrap_or_default()
}

fn pattern(typed: &str, matching: Matching) -> Pattern {
    Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, matching)
}

/// Returns how well a text matches, and the positions of its matching characters in bytes. `None` if a word doesn't match.
fn find(pattern: &Pattern, text: &str) -> Option<(u32, BTreeSet<usize>)> {
    let (mut characters, mut places) = (Vec::new(), Vec::new());
    let haystack = Utf32Str::new(text, &mut characters);
    let score = MATCHER.with_borrow_mut(|matcher| pattern.indices(haystack, matcher, &mut places))?;
    let places: BTreeSet<usize> = places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect();
    // The matcher counts graphemes, each of which is a byte in ASCII.
    let bytes = match haystack {
        Utf32Str::Ascii(_) => places,
        Utf32Str::Unicode(_) => {
            let graphemes = text.grapheme_indices(true).enumerate();
            graphemes.filter(|(place, _)| places.contains(place)).map(|(_, (byte, _))| byte).collect()
        }
    };
    Some((score, bytes))
}

/// Returns the style of a matching character whose other characters have this style: underlined, bold, and in accent. The
/// color of a state stays.
pub fn hit_style(style: Style) -> Style {
    let colored = if style.fg.is_some() { style } else { style.patch(theme::ACCENT) };
    colored.add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
}

/// Returns a text with its matching characters highlighted.
pub fn highlight(text: &str, bytes: &BTreeSet<usize>, style: Style) -> Vec<Span<'static>> {
    if bytes.is_empty() {
        return vec![Span::styled(text.to_owned(), style)];
    }
    let hit = hit_style(style);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (start, grapheme) in text.grapheme_indices(true) {
        let is_hit = bytes.range(start..start + grapheme.len()).next().is_some();
        let style = if is_hit { hit } else { style };
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(grapheme),
            _ => spans.push(Span::styled(grapheme.to_owned(), style)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(typed: &str, texts: &[&str]) -> Vec<usize> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        search(typed, &texts).into_iter().map(|found| found.index).collect()
    }

    #[test]
    fn characters_match_in_order_and_better_matches_come_first() {
        let texts = ["Customer managed keys", "Create key", "External key stores", "Create external key store"];
        assert_eq!(found("", &texts), [0, 1, 2, 3]);
        assert_eq!(found("crkey", &texts)[0], 1);
        assert_eq!(found("create store", &texts), [3]);
        assert_eq!(found("zz", &texts), [0_usize; 0]);
    }

    #[test]
    fn matching_characters_are_highlighted_even_beside_wide_ones() {
        let texts = vec!["日本 Größe".to_owned()];
        let found = search("grö", &texts);
        assert_eq!(found.len(), 1);
        let spans = highlight(&texts[0], &found[0].bytes, Style::new());
        let hits: Vec<_> = spans.iter().filter(|span| span.style != Style::new()).map(|span| &*span.content).collect();
        assert_eq!(hits, ["Grö"]);
    }

    proptest! {
        #[test]
        fn search_never_panics_and_highlighting_keeps_the_text(typed in ".{0,12}", texts in prop::collection::vec(".{0,30}", 0..6)) {
            for found in search(&typed, &texts) {
                let spans = highlight(&texts[found.index], &found.bytes, Style::new());
                let text: String = spans.iter().map(|span| &*span.content).collect();
                prop_assert_eq!(&text, &texts[found.index]);
            }
        }
    }
}
