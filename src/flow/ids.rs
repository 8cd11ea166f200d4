//! The IDs on screens: account IDs, key IDs, key store IDs, access key IDs, and request IDs.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use ratatui::buffer::Buffer;
use regex_lite::Regex;
use unicode_width::UnicodeWidthStr as _;

/// A complete account ID.
pub(super) const ACCOUNT_ID: &str = "\\b[0-9]{12}\\b";
const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const KEY_STORE_ID: &str = "cks-[0-9a-f]{17}";
/// An access key ID, or another unique ID of IAM.
const ACCESS_KEY_ID: &str = "\\b[A-Z0-9]{20,30}\\b";

/// The patterns of IDs that AWS generates, except account IDs: first complete ones, then those that a table cuts off.
pub(super) const GENERATED_IDS: [&str; 6] = [
    UUID,
    KEY_STORE_ID,
    ACCESS_KEY_ID,
    "\\b[0-9a-f]{8}(?:-[0-9a-f]{1,12}){1,4}\\b",
    "\\b[0-9a-f]{8}-?…",
    "\\bcks-[0-9a-f]{1,17}\\b",
];

static COMPLETE_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| any_of(&[UUID, KEY_STORE_ID, ACCESS_KEY_ID, ACCOUNT_ID]));
static ANY_ID: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(&[&GENERATED_IDS[..], &[ACCOUNT_ID]].concat()));

fn any_of(patterns: &[&str]) -> Option<Regex> {
    Regex::new(&patterns.join("|")).ok()
}

/// The number of characters from which a part of a known ID is hidden.
const MIN_PART: usize = 8;
/// The number of columns from which a value continues in the next row. A narrower one is a column of a table.
const MIN_WRAPPED_WIDTH: u16 = 12;
/// The maximum number of rows of an ID.
const MAX_ROWS: usize = 4;

/// Hides IDs on the screens of a console. It remembers the complete IDs, and hides parts of them, too.
#[derive(Debug, Default)]
pub(super) struct IdHider {
    known: BTreeSet<String>,
}

impl IdHider {
    /// Replaces the characters of IDs in some rows of a screen with `•`. Rows start at 0.
    ///
    /// These are complete IDs, IDs that are cut off at their end, IDs that continue in the next of these rows, and parts
    /// of complete IDs that these rows or those of earlier calls show.
    pub(super) fn hide(&mut self, frame: &mut Buffer, rows: Range<u16>) {
        let (Some(complete), Some(any)) = (COMPLETE_ID.as_ref(), ANY_ID.as_ref()) else { return };
        let words = rows.map(|row| words_of_row(frame, row)).collect::<Vec<_>>();
        let mut hidden = Vec::new();
        for text in wrapped_words(&words) {
            self.known.extend(complete.find_iter(&text.text).map(|found| found.as_str().to_owned()));
            hidden.extend(any.find_iter(&text.text).flat_map(|found| text.cells[found.range()].to_vec()));
        }
        for word in words.iter().flatten().filter(|word| self.is_part_of_known_id(&word.text.text)) {
            hidden.extend(&word.text.cells);
        }
        for (column, row) in hidden {
            if let Some(cell) = frame.cell_mut((column, row)) {
                cell.set_symbol("•");
            }
        }
    }

    fn is_part_of_known_id(&self, word: &str) -> bool {
        let part = word.trim_end_matches('…');
        part.len() >= MIN_PART && self.known.iter().any(|id| id.contains(part))
    }
}

/// A text, and the column and the row of the cell of each of its bytes.
#[derive(Clone, Debug, Default)]
struct PlacedText {
    text: String,
    cells: Vec<(u16, u16)>,
}

impl PlacedText {
    fn push(&mut self, symbol: &str, cell: (u16, u16)) {
        self.text.push_str(symbol);
        self.cells.resize(self.text.len(), cell);
    }

    fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.cells.extend(&other.cells);
    }

    /// Returns the first and the last column.
    fn columns(&self) -> (u16, u16) {
        let column = |cell: Option<&(u16, u16)>| cell.map_or(0, |(column, _)| *column);
        (column(self.cells.first()), column(self.cells.last()))
    }

    fn slice(&self, range: Range<usize>) -> Self {
        Self { text: self.text[range.clone()].to_owned(), cells: self.cells[range].to_vec() }
    }
}

/// A sequence of characters that IDs consist of, in one row.
#[derive(Debug)]
struct Word {
    text: PlacedText,
    /// The first and the last column of the value that the word is part of.
    value: (u16, u16),
    begins_value: bool,
    ends_value: bool,
}

impl Word {
    /// Returns the continuation of this word in the next row, if there is one.
    fn continuation<'a>(&self, next_row: &'a [Self]) -> Option<&'a Self> {
        if self.text.text.ends_with('…') {
            return None;
        }
        let (first, last) = self.text.columns();
        // In a table, one space can separate columns.
        let in_column = next_row.iter().find(|next| next.text.columns().0 == first && next.text.columns().1 <= last);
        // The continuation of an indented line can begin further left.
        let in_value = next_row.iter().rfind(|next| next.begins_value && next.value.0 <= self.value.0);
        let in_value = in_value.filter(|next| self.ends_value && next.value.1 <= self.value.1);
        in_column
            .filter(|_| last - first + 1 >= MIN_WRAPPED_WIDTH)
            .or(in_value.filter(|_| self.value.1 - self.value.0 + 1 >= MIN_WRAPPED_WIDTH))
    }
}

/// Returns the words, and the texts that they form with their continuations in the next rows.
fn wrapped_words(rows: &[Vec<Word>]) -> Vec<PlacedText> {
    let mut texts = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for word in row {
            let mut text = word.text.clone();
            let mut last = word;
            for next_row in rows.iter().skip(index + 1).take(MAX_ROWS - 1) {
                let Some(next) = last.continuation(next_row) else { break };
                texts.push(text.clone());
                text.append(&next.text);
                last = next;
            }
            texts.push(text);
        }
    }
    texts
}

/// Returns the values in a row. Two spaces, a border, or a symbol separate them.
fn values_of_row(frame: &Buffer, row: u16) -> Vec<PlacedText> {
    let y = frame.area.y.saturating_add(row);
    let mut values = vec![PlacedText::default()];
    let mut x = frame.area.x;
    while let Some(cell) = frame.cell((x, y)) {
        let symbol = cell.symbol();
        if let Some(value) = values.last_mut() {
            if symbol.chars().all(is_border) || symbol == " " && value.text.ends_with(' ') {
                values.push(PlacedText::default());
            } else if symbol != " " || !value.text.is_empty() {
                value.push(symbol, (x, y));
            }
        }
        x += u16::try_from(symbol.width()).unwrap_or(1).max(1);
    }
    values
        .iter()
        .map(|value| value.slice(0..value.text.trim_end().len()))
        .filter(|value| !value.text.is_empty())
        .collect()
}

fn words_of_row(frame: &Buffer, row: u16) -> Vec<Word> {
    values_of_row(frame, row).iter().flat_map(words_of_value).collect()
}

fn words_of_value(value: &PlacedText) -> Vec<Word> {
    let columns = value.columns();
    let mut words = Vec::new();
    let mut start = 0;
    for part in value.text.split_inclusive(|character| !is_id_character(character)) {
        let length = part.trim_end_matches(|character| !is_id_character(character)).len();
        if length > 0 {
            let range = start..start + length;
            let (begins_value, ends_value) = (start == 0, range.end == value.text.len());
            words.push(Word { text: value.slice(range), value: columns, begins_value, ends_value });
        }
        start += part.len();
    }
    words
}

/// Whether this is a character of a border or a scroll bar, or a symbol such as `▼`.
fn is_border(character: char) -> bool {
    ('\u{2500}'..='\u{25ff}').contains(&character)
}

fn is_id_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_…".contains(character)
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::flow::tape::screen_text;

    fn screen(rows: &[&str]) -> Buffer {
        let mut frame = Buffer::empty(Rect::new(0, 0, 80, u16::try_from(rows.len()).unwrap()));
        for (y, row) in (0..).zip(rows) {
            frame.set_string(0, y, row, Style::new());
        }
        frame
    }

    /// Returns the screen without IDs, with one `•` for each sequence of `•`.
    fn hide(ids: &mut IdHider, rows: &[&str]) -> Vec<String> {
        let mut frame = screen(rows);
        let height = frame.area.height;
        ids.hide(&mut frame, 0..height);
        let text = screen_text(&frame);
        for (row, shown) in rows.iter().zip(text.lines()) {
            assert_eq!(row.trim_end().width(), shown.width(), "{shown}");
        }
        let dots = Regex::new("•+").unwrap();
        text.lines().map(|row| dots.replace_all(row, "•").into_owned()).collect()
    }

    fn assert_hidden(rows: &[&str], expected: &[&str]) {
        assert_eq!(hide(&mut IdHider::default(), rows), expected);
    }

    #[test]
    fn ids_in_a_row_are_hidden_and_words_are_kept() {
        assert_hidden(
            &[
                "日本 111122223333 key 1234abcd-12ab-34cd-56ef-1234567890ab",
                "cks-1234567890abcdef0 AKIAZQW7WNXN4YND5O4A",
            ],
            &["日本 • key •", "• •"],
        );
        let words = [
            "payments-2026 2026-03-02 cks-demo facade… SYMMETRIC_DEFAULT",
            "Customer managed keys  Mar 02, 2026 10:15",
        ];
        assert_hidden(&words, &words);
    }

    #[test]
    fn ids_that_a_table_cuts_off_are_hidden() {
        assert_hidden(
            &[
                "KMS › Customer managed keys › ed6b914b-364a-4b2e-9e37-4a9c…",
                "▸ ☐ payments           92a6da02-4a62-44… Enabled",
                "  ☐ app-logs           c5b38e98-cdf2-… Enabled",
                "  ☐ orders             c5b38e98-… cks-2892dd67… 1431923d… Enabled",
            ],
            &[
                "KMS › Customer managed keys › •…",
                "▸ ☐ payments           •… Enabled",
                "  ☐ app-logs           •-… Enabled",
                "  ☐ orders             • •… • Enabled",
            ],
        );
    }

    #[test]
    fn ids_that_continue_in_the_next_rows_are_hidden() {
        assert_hidden(
            &[
                "  ARN                       arn:aws:kms:us-west-2:111122223",
                "                            333:key/b8132d6e-6c7b-4172-ac28",
                "                            -32dc4ea4d9c7",
                "  Status                    Enabled",
                "  Request ID                523b013e-7761-42c0-80df-92ad618",
                "                            44a86                         ▼",
            ],
            &[
                "  ARN                       arn:aws:kms:us-west-2:•",
                "                            •:key/•",
                "                            •",
                "  Status                    Enabled",
                "  Request ID                •",
                "                            •                         ▼",
            ],
        );
        assert_hidden(
            &[
                "│    \"arn\": \"arn:aws:iam::1111│",
                "│22223333:user/Admin\"         │",
                "│  ARN  arn:aws:kms:us-west-2:111122223333:key/ed6b914b-364│",
                "│       a-4b2e-9e37-4a9cdf23f17c│",
            ],
            &[
                "│    \"arn\": \"arn:aws:iam::•│",
                "│•:user/Admin\"         │",
                "│  ARN  arn:aws:kms:us-west-2:•:key/•│",
                "│       •│",
            ],
        );
    }

    #[test]
    fn ids_that_continue_in_a_column_of_a_table_are_hidden() {
        assert_hidden(
            &[
                "  ☐ customer-db        ed6b914b-364a-4b2 Enabled          External key store",
                "                       e-9e37-4a9cdf23f1",
                "                       7c",
                "  ☐ eu-analytics       b9e80dfa-cb7a-4a5 Enabled          External key store",
            ],
            &[
                "  ☐ customer-db        • Enabled          External key store",
                "                       •",
                "                       •",
                "  ☐ eu-analytics       • Enabled          External key store",
            ],
        );
    }

    #[test]
    fn columns_of_numbers_are_not_ids() {
        let rows = ["Requests  Errors", "123456    100001", "789012    200002"];
        assert_hidden(&rows, &rows);
    }

    #[test]
    fn parts_of_ids_that_an_earlier_screen_shows_are_hidden() {
        let mut ids = IdHider::default();
        let part = ["-4b2e-9e37-4a9cdf23f17c exists", "│7-4a9cdf23f17c  1111222  11112222  364a"];
        assert_eq!(hide(&mut ids, &part), part);
        hide(&mut ids, &["key/ed6b914b-364a-4b2e-9e37-4a9cdf23f17c of 111122223333"]);
        // Seven characters can be a word or a number.
        assert_eq!(hide(&mut ids, &part), ["• exists", "│•  1111222  •  364a"]);
        assert_eq!(hide(&mut ids, &["10001111 20260302 customer"]), ["10001111 20260302 customer"]);
    }

    #[test]
    fn only_the_rows_of_the_range_are_changed() {
        let mut frame = screen(&["111122223333", "111122223333"]);
        IdHider::default().hide(&mut frame, 1..2);
        assert_eq!(screen_text(&frame), "111122223333\n••••••••••••\n");
        IdHider::default().hide(&mut frame, 2..5);
    }
}
