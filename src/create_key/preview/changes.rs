//! The lines that differ between two texts, such as the generated and the edited key policy.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// The most lines, without those at the start and the end that both texts have, of which the smallest difference is
/// looked for. Of more, all count as changed, because the time grows with the square.
const MAX_LINES: usize = 1_000;

/// What happened to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineChange {
    /// Both texts have the line.
    Unchanged,
    /// Only the second text has the line.
    Added,
    /// Only the first text has the line.
    Removed,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLine {
    /// What happened to the line.
    pub change: LineChange,
    /// The line, without its line break.
    pub text: String,
    /// The line number in the first text, starting at 1.
    pub before: Option<usize>,
    /// The line number in the second text, starting at 1.
    pub after: Option<usize>,
}

/// Compares two texts line by line. Line breaks at the end of the texts don't count.
pub fn compare(before: &str, after: &str) -> Vec<ChangedLine> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let is_same = |(one, other): &(&&str, &&str)| one == other;
    let start = before.iter().zip(&after).take_while(is_same).count();
    let ends = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = ends.take_while(is_same).count();
    let (before_end, after_end) = (before.len() - end, after.len() - end);
    let mut lines = Vec::with_capacity(after.len());
    push_unchanged(&mut lines, &before, 0..start, 0);
    push_changes(&mut lines, (&before, start..before_end), (&after, start..after_end));
    push_unchanged(&mut lines, &before, before_end..before.len(), after_end);
    lines
}

type Part<'a> = (&'a [&'a str], Range<usize>);

fn push_changes(lines: &mut Vec<ChangedLine>, (before, old): Part, (after, new): Part) {
    if old.len() + new.len() > MAX_LINES {
        push_lines(lines, LineChange::Removed, before, old);
        push_lines(lines, LineChange::Added, after, new);
        return;
    }
    for operation in capture_diff_slices(Algorithm::Myers, &before[old.clone()], &after[new.clone()]) {
        let (tag, old_part, new_part) = operation.as_tag_tuple();
        let old_part = old.start + old_part.start..old.start + old_part.end;
        let new_part = new.start + new_part.start..new.start + new_part.end;
        if tag == DiffTag::Equal {
            push_unchanged(lines, before, old_part, new_part.start);
        } else {
            push_lines(lines, LineChange::Removed, before, old_part);
            push_lines(lines, LineChange::Added, after, new_part);
        }
    }
}

fn push_unchanged(lines: &mut Vec<ChangedLine>, text: &[&str], before: Range<usize>, after: usize) {
    for (offset, index) in before.enumerate() {
        lines.push(ChangedLine {
            change: LineChange::Unchanged,
            text: text[index].to_owned(),
            before: Some(index + 1),
            after: Some(after + offset + 1),
        });
    }
}

fn push_lines(lines: &mut Vec<ChangedLine>, change: LineChange, text: &[&str], part: Range<usize>) {
    for index in part {
        let number = |of: LineChange| (change == of).then_some(index + 1);
        lines.push(ChangedLine {
            change,
            text: text[index].to_owned(),
            before: number(LineChange::Removed),
            after: number(LineChange::Added),
        });
    }
}

/// Returns the numbers of the lines of `after` that aren't in `before`, starting at 1.
pub fn changed_lines(before: &str, after: &str) -> Vec<usize> {
    if before == after {
        return Vec::new();
    }
    let added = compare(before, after).into_iter().filter(|line| line.change == LineChange::Added);
    added.filter_map(|line| line.after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edited_line_is_removed_and_added() {
        let lines = compare("{\n  \"a\": 1\n}\n", "{\n  \"a\": 2,\n  \"b\": 3\n}");
        let described: Vec<_> =
            lines.iter().map(|line| (line.change, line.text.as_str(), line.before, line.after)).collect();
        assert_eq!(
            described,
            [
                (LineChange::Unchanged, "{", Some(1), Some(1)),
                (LineChange::Removed, "  \"a\": 1", Some(2), None),
                (LineChange::Added, "  \"a\": 2,", None, Some(2)),
                (LineChange::Added, "  \"b\": 3", None, Some(3)),
                (LineChange::Unchanged, "}", Some(3), Some(4)),
            ]
        );
        assert_eq!(changed_lines("a\nb\nc", "a\nx\nc\nd"), [2, 4]);
        assert!(changed_lines("a\nb\n", "a\n").is_empty());
    }

    #[test]
    fn long_texts_without_a_common_line_are_replaced() {
        let text = |letter: char| {
            let lines: Vec<String> = (0..600).map(|number| format!("{letter}{number}")).collect();
            format!("{{\n{}\n}}", lines.join("\n"))
        };
        let lines = compare(&text('a'), &text('b'));
        let count = |change| lines.iter().filter(|line| line.change == change).count();
        assert_eq!((count(LineChange::Unchanged), count(LineChange::Removed), count(LineChange::Added)), (2, 600, 600));
    }

    proptest! {
        #[test]
        fn comparison_contains_both_texts(
            before in prop::collection::vec("[ab]{0,2}", 0..12),
            after in prop::collection::vec("[ab]{0,2}", 0..12),
        ) {
            let (before, after) = (before.join("\n"), after.join("\n"));
            let lines = compare(&before, &after);
            let texts = |without: LineChange| {
                lines.iter().filter(move |line| line.change != without).map(|line| line.text.as_str()).collect::<Vec<_>>()
            };
            prop_assert_eq!(texts(LineChange::Added), before.lines().collect::<Vec<_>>());
            prop_assert_eq!(texts(LineChange::Removed), after.lines().collect::<Vec<_>>());
            let numbers: Vec<usize> = lines.iter().filter_map(|line| line.after).collect();
            prop_assert_eq!(numbers, (1..=after.lines().count()).collect::<Vec<_>>());
        }
    }
}
