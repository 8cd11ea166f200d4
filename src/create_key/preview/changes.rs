//! The lines that differ between two texts, such as the generated and the edited key policy.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::aws::policy;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::text::plural;

/// The most lines, without those at the start and the end that both texts have, of which the smallest difference is
/// looked for. Of more, all count as changed, because the time grows with the square.
const MAX_LINES: usize = 1_000;

/// What an edited key policy of a draft is compared with.
pub const GENERATED_POLICY: &str = "generated policy";

/// The most unchanged lines in a row that are shown. Of more, only those beside a change are.
const MAX_UNCHANGED_LINES: usize = 6;

/// The number of unchanged lines that are shown beside a change if not all are.
const CONTEXT_LINES: usize = 2;

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

impl LineChange {
    /// Returns the symbol at the start of the line: `+`, `-`, or a space.
    pub fn symbol(self) -> char {
        match self {
            Self::Unchanged => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
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

/// The lines that differ between two key policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChanges {
    lines: Vec<ChangedLine>,
}

/// A row of a comparison that leaves out most unchanged lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonRow<'a> {
    /// A line.
    Line(&'a ChangedLine),
    /// This number of unchanged lines, which are left out.
    Unchanged(usize),
}

impl PolicyChanges {
    /// Compares two key policies. If both are JSON, spaces and line breaks in them don't count.
    pub fn between(before: &str, after: &str) -> Self {
        let lines = match (policy::indented(before), policy::indented(after)) {
            (Some(before), Some(after)) => compare(&before, &after),
            _ => compare(before, after),
        };
        Self { lines }
    }

    /// Compares the edited key policy of a draft with the generated one. `None` if the policy isn't edited.
    pub fn of_draft(draft: &KeyDraft, account: &AccountState) -> Option<Self> {
        let edited = draft.edited_policy.as_ref()?;
        Some(Self::between(&draft.generated_policy(account), edited))
    }

    /// Returns whether the policies differ.
    pub fn is_empty(&self) -> bool {
        self.changed_lines().next().is_none()
    }

    /// Returns the lines that only one of the policies has.
    pub fn changed_lines(&self) -> impl Iterator<Item = &ChangedLine> {
        self.lines.iter().filter(|line| line.change != LineChange::Unchanged)
    }

    /// Returns how many lines differ, such as `3 lines added, 1 removed compared with the generated policy`. `before`
    /// names the first policy.
    pub fn summary(&self, before: &str) -> String {
        let count = |change| self.lines.iter().filter(|line| line.change == change).count();
        let lines = |count| plural(count, "line", "lines");
        let changes = match (count(LineChange::Added), count(LineChange::Removed)) {
            (0, 0) => "No lines changed".to_owned(),
            (added, 0) => format!("{} added", lines(added)),
            (0, removed) => format!("{} removed", lines(removed)),
            (added, removed) => format!("{} added, {removed} removed", lines(added)),
        };
        format!("{changes} compared with the {before}")
    }

    /// Returns the summary and the rows as text. `before` names the first policy.
    pub fn report(&self, before: &str) -> String {
        format!("{}.\n\n{}\n", self.summary(before), self.to_text())
    }

    /// Returns the rows to show. Where more than six lines in a row are unchanged, only those beside a change are kept.
    pub fn rows(&self) -> Vec<ComparisonRow<'_>> {
        let mut rows = Vec::new();
        let is_same_run = |one: &ChangedLine, other: &ChangedLine| {
            (one.change == LineChange::Unchanged) == (other.change == LineChange::Unchanged)
        };
        let mut before = 0;
        for run in self.lines.chunk_by(is_same_run) {
            let after = self.lines.len() - before - run.len();
            let is_unchanged = run.first().is_some_and(|line| line.change == LineChange::Unchanged);
            if is_unchanged && run.len() > MAX_UNCHANGED_LINES {
                let start = if before > 0 { CONTEXT_LINES } else { 0 };
                let end = run.len() - if after > 0 { CONTEXT_LINES } else { 0 };
                rows.extend(run[..start].iter().map(ComparisonRow::Line));
                rows.push(ComparisonRow::Unchanged(end - start));
                rows.extend(run[end..].iter().map(ComparisonRow::Line));
            } else {
                rows.extend(run.iter().map(ComparisonRow::Line));
            }
            before += run.len();
        }
        rows
    }

    /// Returns the rows as text: added lines start with `+`, removed ones with `-`.
    fn to_text(&self) -> String {
        let text = |row: ComparisonRow| match row {
            ComparisonRow::Line(line) => format!("{} {}", line.change.symbol(), line.text),
            ComparisonRow::Unchanged(_) => row.to_string(),
        };
        self.rows().into_iter().map(text).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for ComparisonRow<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Line(line) => formatter.write_str(&line.text),
            Self::Unchanged(count) => write!(formatter, "… {count} unchanged lines"),
        }
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

    fn numbered(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("line {number}")).collect()
    }

    #[test]
    fn only_unchanged_lines_beside_a_change_are_kept() {
        let before = numbered(30);
        let mut after = before.clone();
        after[9] = "changed".to_owned();
        after.remove(16);
        let changes = PolicyChanges::between(&before.join("\n"), &after.join("\n"));
        let expected = "… 7 unchanged lines\n  line 8\n  line 9\n- line 10\n+ changed\n  line 11\n  line 12\n  line 13\n  \
                        line 14\n  line 15\n  line 16\n- line 17\n  line 18\n  line 19\n… 11 unchanged lines";
        assert_eq!(changes.to_text(), expected);
        assert_eq!(changes.summary("generated policy"), "1 line added, 2 removed compared with the generated policy");
    }

    #[test]
    fn spaces_in_json_do_not_count_and_text_that_is_not_json_is_compared_as_it_is() {
        let spaced = PolicyChanges::between("{\"a\":1,\"b\":[]}", "{ \"a\": 1,\n\n\"b\": [] }");
        assert!(spaced.is_empty());
        assert_eq!(spaced.summary("current policy"), "No lines changed compared with the current policy");
        let broken = PolicyChanges::between("{\n\"a\":1\n}", "{\n\"a\":1\n");
        assert_eq!(broken.to_text(), "  {\n  \"a\":1\n- }");
        assert_eq!(broken.summary("current policy"), "1 line removed compared with the current policy");
    }

    proptest! {
        #[test]
        fn rows_count_every_line_and_keep_all_changes(
            before in prop::collection::vec("[ab]", 0..40),
            after in prop::collection::vec("[ab]", 0..40),
        ) {
            let changes = PolicyChanges::between(&before.join("\n"), &after.join("\n"));
            let rows = changes.rows();
            let lines = |row: &ComparisonRow| if let ComparisonRow::Unchanged(count) = row { *count } else { 1 };
            prop_assert_eq!(rows.iter().map(lines).sum::<usize>(), changes.lines.len());
            let is_change = |row: &&ComparisonRow| {
                matches!(row, ComparisonRow::Line(line) if line.change != LineChange::Unchanged)
            };
            prop_assert_eq!(rows.iter().filter(is_change).count(), changes.changed_lines().count());
            prop_assert!(rows.iter().all(|row| *row != ComparisonRow::Unchanged(0)));
        }

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
