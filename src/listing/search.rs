//! The search of lists: terms, the columns that they name, and the rows that they match.

/// The separator of cells, so that a search term never matches across two cells.
const SEPARATOR: char = '\u{1}';

/// Returns the name of a column in searches, such as `key-id` for `Key ID`.
pub fn search_name(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Returns the searchable text of a row with this number of columns.
pub fn searchable_row(columns: usize, cell: impl Fn(usize) -> String) -> Box<str> {
    let mut row = String::with_capacity(256);
    for column in 0..columns {
        let mut text = cell(column);
        if text.is_ascii() {
            text.make_ascii_lowercase();
        } else {
            text = text.to_lowercase();
        }
        // A separator in a cell would move all later cells.
        row.extend(text.split(SEPARATOR));
        row.push(SEPARATOR);
    }
    row.into()
}

/// Returns a cell of a [searchable row](searchable_row).
pub fn searchable_cell(row: &str, column: usize) -> &str {
    row.split(SEPARATOR).nth(column).unwrap_or_default()
}

/// How a term matches a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The cell contains the term.
    #[default]
    Exact,
    /// The cell contains the characters of the term in order, with any others between them. A term that names its
    /// column still has to be contained.
    Fuzzy,
}

/// A search: terms that a row must all contain, without regard to case. A term such as `status:disabled` has to be in
/// the column that it names. The name can be shortened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Term>,
}

/// A text to find, and the column in which it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    column: Option<usize>,
    text: String,
}

impl Search {
    /// Parses the text of a search in columns with these [names](search_name).
    pub fn parse(text: &str, columns: &[String]) -> Self {
        Self { terms: text.to_lowercase().split_whitespace().map(|word| Term::parse(word, columns)).collect() }
    }

    /// Whether the search has no terms.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a [searchable row](searchable_row) contains every term.
    pub fn matches(&self, row: &str) -> bool {
        self.matches_with(row, Precision::Exact)
    }

    /// Whether a [searchable row](searchable_row) has a cell for every term.
    pub fn matches_with(&self, row: &str, precision: Precision) -> bool {
        self.terms.iter().all(|term| term.is_in_row(row, precision))
    }

    /// Returns the terms that are in a cell of a matching row, and how they match it.
    pub fn hits(&self, row: &str, column: usize, precision: Precision) -> Vec<(&str, Precision)> {
        let cell = searchable_cell(row, column);
        let terms = self.terms.iter().map(|term| (term, term.best_precision(row, precision)));
        terms
            .filter(|(term, precision)| term.is_in_cell(column, cell, *precision))
            .map(|(term, precision)| (term.text.as_str(), precision))
            .collect()
    }

    /// Returns the columns in which matching rows have terms, in order.
    pub fn matching_columns<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a str>,
        column_count: usize,
        precision: Precision,
    ) -> Vec<usize> {
        let mut missing: Vec<usize> = (0..column_count).collect();
        for row in rows {
            if missing.is_empty() || self.is_empty() {
                break;
            }
            let terms = self.terms.iter().map(|term| (term, term.best_precision(row, precision)));
            let terms: Vec<(&Term, Precision)> = terms.collect();
            let mut cells = row.split(SEPARATOR).enumerate();
            // Once a column is known to match, its other cells don't matter.
            missing.retain(|column| {
                let cell = cells.find(|(position, _)| position == column).map_or("", |(_, cell)| cell);
                !terms.iter().any(|(term, precision)| term.is_in_cell(*column, cell, *precision))
            });
        }
        let is_found = |column: &usize| !self.is_empty() && missing.binary_search(column).is_err();
        (0..column_count).filter(is_found).collect()
    }
}

impl Term {
    /// Parses a search term: an optional column and the text to find.
    fn parse(word: &str, columns: &[String]) -> Self {
        let named = word.split_once(':').and_then(|(name, value)| {
            let column = columns.iter().position(|column| !name.is_empty() && column.starts_with(name))?;
            Some(Self { column: Some(column), text: value.to_owned() })
        });
        named.unwrap_or_else(|| Self { column: None, text: word.to_owned() })
    }

    fn is_in_row(&self, row: &str, precision: Precision) -> bool {
        match (self.column, precision) {
            (Some(column), _) => row.split(SEPARATOR).nth(column).is_some_and(|cell| cell.contains(&self.text)),
            (None, Precision::Exact) => row.contains(&self.text),
            (None, Precision::Fuzzy) => contains_in_order(row, &self.text),
        }
    }

    /// Returns how the term matches a row that has to match with this precision: exactly, if possible.
    fn best_precision(&self, row: &str, precision: Precision) -> Precision {
        let is_fuzzy = precision == Precision::Fuzzy && self.column.is_none() && !row.contains(&self.text);
        if is_fuzzy { Precision::Fuzzy } else { Precision::Exact }
    }

    fn is_in_cell(&self, column: usize, cell: &str, precision: Precision) -> bool {
        let is_here = !self.text.is_empty() && self.column.is_none_or(|own| own == column);
        is_here
            && match precision {
                Precision::Exact => cell.contains(&self.text),
                Precision::Fuzzy => contains_in_order(cell, &self.text),
            }
    }
}

/// Returns whether a cell of a row contains these characters in order.
fn contains_in_order(row: &str, characters: &str) -> bool {
    if characters.is_ascii() {
        return has_subsequence(row.bytes(), characters.as_bytes(), SEPARATOR as u8);
    }
    has_subsequence(row.chars(), &characters.chars().collect::<Vec<_>>(), SEPARATOR)
}

/// Returns whether one of the parts between separators contains these items in order.
fn has_subsequence<T: Copy + PartialEq>(mut row: impl Iterator<Item = T>, items: &[T], separator: T) -> bool {
    let mut found = 0;
    items.is_empty()
        || row.any(|item| {
            if item == separator {
                found = 0;
            } else if item == items[found] {
                found += 1;
            }
            found == items.len()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [[&str; 3]; 3] =
        [["payments-db", "12ab", "Enabled"], ["Ledger", "34cd", "Disabled"], ["paid-bills", "56ef", "Enabled"]];

    fn search(text: &str) -> Search {
        Search::parse(text, &["alias", "key-id", "status"].map(str::to_owned))
    }

    fn row(index: usize) -> Box<str> {
        searchable_row(3, |column| ROWS[index][column].to_owned())
    }

    fn found(text: &str, precision: Precision) -> Vec<usize> {
        (0..ROWS.len()).filter(|index| search(text).matches_with(&row(*index), precision)).collect()
    }

    #[test]
    fn fuzzy_term_needs_its_characters_in_order_in_one_cell() {
        assert_eq!(found("ptdb", Precision::Exact), [0_usize; 0]);
        assert_eq!(found("ptdb", Precision::Fuzzy), [0]);
        assert_eq!(found("PTDB", Precision::Fuzzy), [0]);
        assert_eq!(found("bdp", Precision::Fuzzy), [0_usize; 0]);
        assert_eq!(found("ptdb12", Precision::Fuzzy), [0_usize; 0], "not across two cells");
        assert_eq!(found("pdi enbl", Precision::Fuzzy), [2]);
    }

    #[test]
    fn term_that_names_its_column_is_never_fuzzy() {
        assert_eq!(found("status:enbl", Precision::Fuzzy), [0_usize; 0]);
        assert_eq!(found("status:disabled ldgr", Precision::Fuzzy), [1]);
    }

    #[test]
    fn columns_are_those_in_which_the_terms_are() {
        let columns = |text: &str, precision, rows: &[usize]| {
            let rows: Vec<_> = rows.iter().map(|index| row(*index)).collect();
            search(text).matching_columns(rows.iter().map(|row| &**row), 3, precision)
        };
        assert_eq!(columns("e", Precision::Exact, &[0, 1, 2]), [0, 1, 2]);
        assert_eq!(columns("e", Precision::Exact, &[0]), [0, 2]);
        assert_eq!(columns("stat:e", Precision::Exact, &[0, 1, 2]), [2]);
        assert_eq!(columns("key-id:", Precision::Exact, &[0, 1, 2]), [0_usize; 0]);
        assert_eq!(columns("", Precision::Exact, &[0, 1, 2]), [0_usize; 0]);
        // "ed" is contained only in the status, although the alias has its characters in order.
        assert_eq!(columns("pdb ed", Precision::Fuzzy, &[0]), [0, 2]);
        assert_eq!(search("pdb ed").hits(&row(0), 0, Precision::Fuzzy), [("pdb", Precision::Fuzzy)]);
        assert_eq!(search("pdb ed").hits(&row(0), 2, Precision::Fuzzy), [("ed", Precision::Exact)]);
    }
}
