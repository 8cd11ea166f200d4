//! The search of lists: terms, the columns that they name, and the rows that they match.

/// The separator of cells, so that a search term never matches across two cells.
const SEPARATOR: char = '\u{1}';

/// Returns the name of a column in searches, such as `key-id` for `Key ID`.
pub fn search_name(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Returns the searchable text of a row.
pub fn searchable_row(cells: impl Iterator<Item = String>) -> Box<str> {
    let mut row = String::new();
    for cell in cells {
        row.push_str(&cell.to_lowercase());
        row.push(SEPARATOR);
    }
    row.into()
}

/// A search: terms that a row must all contain, without regard to case. A term such as `status:disabled` has to be in
/// the column that it names. The name can be shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    terms: Vec<(Option<usize>, String)>,
}

impl Search {
    /// Parses the text of a search in columns with these [names](search_name).
    pub fn parse(text: &str, columns: &[String]) -> Self {
        Self { terms: text.to_lowercase().split_whitespace().map(|word| term(word, columns)).collect() }
    }

    /// Whether a [searchable row](searchable_row) contains every term.
    pub fn matches(&self, row: &str) -> bool {
        self.terms.iter().all(|(column, word)| match column {
            Some(column) => row.split(SEPARATOR).nth(*column).is_some_and(|cell| cell.contains(word)),
            None => row.contains(word),
        })
    }
}

/// Parses a search term: an optional column and the text to find.
fn term(word: &str, columns: &[String]) -> (Option<usize>, String) {
    let named = word.split_once(':').and_then(|(name, value)| {
        let column = columns.iter().position(|column| !name.is_empty() && column.starts_with(name))?;
        Some((Some(column), value.to_owned()))
    });
    named.unwrap_or((None, word.to_owned()))
}
