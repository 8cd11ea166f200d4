//! The positions of statements in the text of a policy.

/// A line and a column, both starting at 1.
type LineColumn = (u32, u32);

/// Returns the start of each statement and the position after its end, in text order.
pub fn statement_spans(text: &str) -> Vec<(LineColumn, LineColumn)> {
    let (mut line, mut column) = (1, 0);
    let (mut open, mut spans) = (Vec::new(), Vec::new());
    let (mut word, mut key, mut in_string, mut escaped) = (String::new(), String::new(), false, false);
    let mut start = None;
    for letter in text.chars() {
        if letter == '\n' {
            (line, column) = (line + 1, 0);
        } else {
            column += 1;
        }
        if in_string {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                other => word.push(other),
            }
            continue;
        }
        match letter {
            '"' => (in_string, word) = (true, String::new()),
            ':' if open.len() == 1 => key.clone_from(&word),
            '{' | '[' => {
                let is_statement = key == "Statement" && matches!(open[..], ['{'] | ['{', '[']);
                if letter == '{' && is_statement {
                    start = Some((line, column));
                }
                open.push(letter);
            }
            '}' | ']' => {
                open.pop();
                if matches!(open[..], ['{'] | ['{', '['])
                    && letter == '}'
                    && let Some(start) = start.take()
                {
                    spans.push((start, (line, column + 1)));
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_spans_are_found_in_any_layout() {
        assert_eq!(statement_spans(r#"{"Statement":{"Sid":"a}{","Action":"*"}}"#), [((1, 14), (1, 40))]);
        let many =
            "{\n  \"Id\": \"Statement\",\n  \"Statement\": [\n    {\"Condition\": {\"Bool\": {}}},\n    {\n    }]\n}";
        assert_eq!(statement_spans(many), [((4, 5), (4, 32)), ((5, 5), (6, 6))]);
        assert_eq!(statement_spans("no policy"), []);
    }
}
