//! Fuzzy search: finds texts that contain the typed characters in order, best matches first.

use std::collections::BTreeSet;

pub use frizbee::Matching;
use frizbee::{Config, Matcher, UnicodeMatching};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::tui::theme;

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
    let config = config(matching);
    let mut found: Option<Vec<(u64, FuzzyMatch)>> = None;
    for word in typed.split_whitespace() {
        let matches = Matcher::new(word, &config).match_list_indices(texts);
        let scores = matches.into_iter().filter_map(|one| {
            let index = usize::try_from(one.index).ok()?;
            let bytes = one.indices.into_iter().filter_map(|byte| usize::try_from(byte).ok()).collect();
            Some((u64::from(one.score), FuzzyMatch { index, bytes }))
        });
        found = Some(match found {
            None => scores.collect(),
            Some(earlier) => intersect(earlier, scores.collect()),
        });
    }
    let Some(mut found) = found else {
        return (0..texts.len()).map(|index| FuzzyMatch { index, bytes: BTreeSet::new() }).collect();
    };
    found.sort_by_key(|(score, found)| (std::cmp::Reverse(*score), found.index));
    found.into_iter().map(|(_, found)| found).collect()
}

/// Returns the texts that are in both lists, with the sum of their scores and the union of their positions.
fn intersect(earlier: Vec<(u64, FuzzyMatch)>, later: Vec<(u64, FuzzyMatch)>) -> Vec<(u64, FuzzyMatch)> {
    let mut later: std::collections::HashMap<usize, (u64, BTreeSet<usize>)> =
        later.into_iter().map(|(score, found)| (found.index, (score, found.bytes))).collect();
    let join = |(score, mut found): (u64, FuzzyMatch)| {
        let (other, bytes) = later.remove(&found.index)?;
        found.bytes.extend(bytes);
        Some((score + other, found))
    };
    earlier.into_iter().filter_map(join).collect()
}

/// Returns the positions of the characters of a text that match a word, in bytes.
pub fn positions(word: &str, text: &str, matching: Matching) -> BTreeSet<usize> {
    let found = Matcher::new(word, &config(matching)).match_one_indices(text, 0);
    let positions = found.into_iter().flat_map(|found| found.indices);
    positions.filter_map(|byte| usize::try_from(byte).ok()).collect()
}

fn config(matching: Matching) -> Config {
    Config::default().matching(matching).max_typos(Some(0)).unicode(UnicodeMatching::Smart)
}

/// Returns the style of a matching character whose other characters have this style: underlined, bold, and in accent. The
/// color of a state stays.
pub fn hit_style(style: Style) -> Style {
    let colored = if style.fg.is_some() { style } else { style.patch(theme::ACCENT) };
    colored.add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
}

/// Returns a text with its matching characters highlighted.
pub fn highlight(text: &str, bytes: &BTreeSet<usize>, style: Style) -> Vec<Span<'static>> {
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
