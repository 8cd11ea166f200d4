use proptest::prelude::*;

use super::*;

/// Returns the tokens of all lines with their text, without spaces.
fn tokens(language: Language, text: &str) -> Vec<(Token, &str)> {
    let lines = highlight(language, text);
    let parts = lines.into_iter().flatten().map(|(token, range)| (token, text[range].trim()));
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

#[test]
fn json_keys_and_values_have_different_tokens() {
    use Token::{Key, Keyword, Number, Punctuation, String};
    assert_eq!(
        tokens(Language::Json, "{\"a\" :\n\"b\\\"\", \"c\": [-1.5e3, true]}"),
        [
            (Punctuation, "{"),
            (Key, "\"a\""),
            (Punctuation, ":"),
            (String, "\"b\\\"\""),
            (Punctuation, ","),
            (Key, "\"c\""),
            (Punctuation, ":"),
            (Punctuation, "["),
            (Number, "-1.5e3"),
            (Punctuation, ","),
            (Keyword, "true"),
            (Punctuation, "]}"),
        ]
    );
}

#[test]
fn unclosed_json_string_ends_with_its_line() {
    use Token::{Key, Keyword, Punctuation, String, Text};
    assert_eq!(
        tokens(Language::Json, "\"Sid\": \"half\n\"Effect\": nul null"),
        [
            (Key, "\"Sid\""),
            (Punctuation, ":"),
            (String, "\"half"),
            (Key, "\"Effect\""),
            (Punctuation, ":"),
            (Text, "nul"),
            (Keyword, "null"),
        ]
    );
}

#[test]
fn shell_commands_options_and_variables_have_tokens() {
    use Token::{Comment, Keyword, Option, Punctuation, String, Text, Variable};
    let command = "# Creates a key.\nKEY_ID=$(aws kms create-key \\\n  --tags '[{\"a\":\n1}]' --policy=x#y)\n\
                   aws kms --key-id \"$KEY_ID!\" ${X}";
    assert_eq!(
        tokens(Language::Shell, command),
        [
            (Comment, "# Creates a key."),
            (Variable, "KEY_ID"),
            (Punctuation, "=$("),
            (Keyword, "aws"),
            (Text, "kms create-key"),
            (Punctuation, "\\"),
            (Option, "--tags"),
            (String, "'[{\"a\":"),
            (String, "1}]'"),
            (Option, "--policy"),
            (Punctuation, "="),
            (Text, "x#y"),
            (Punctuation, ")"),
            (Keyword, "aws"),
            (Text, "kms"),
            (Option, "--key-id"),
            (String, "\""),
            (Variable, "$KEY_ID"),
            (String, "!\""),
            (Variable, "${X}"),
        ]
    );
}

#[test]
fn hcl_blocks_arguments_and_references_have_tokens() {
    use Token::{Comment, Key, Keyword, Number, Punctuation, String, Variable};
    let text = "# Requires\nresource \"aws_kms_alias\" \"a\" {\n  name = \"$${x}${var.y}\"\n  \
                target_key_id = aws_kms_key.a.id\n  policy = jsonencode({ \"a:b\" = 30, c = true })\n}";
    assert_eq!(
        tokens(Language::Hcl, text),
        [
            (Comment, "# Requires"),
            (Keyword, "resource"),
            (String, "\"aws_kms_alias\""),
            (String, "\"a\""),
            (Punctuation, "{"),
            (Key, "name"),
            (Punctuation, "="),
            (String, "\"$${x}"),
            (Variable, "${var.y}"),
            (String, "\""),
            (Key, "target_key_id"),
            (Punctuation, "="),
            (Variable, "aws_kms_key.a.id"),
            (Key, "policy"),
            (Punctuation, "="),
            (Keyword, "jsonencode"),
            (Punctuation, "({"),
            (Key, "\"a:b\""),
            (Punctuation, "="),
            (Number, "30"),
            (Punctuation, ","),
            (Key, "c"),
            (Punctuation, "="),
            (Keyword, "true"),
            (Punctuation, "})"),
            (Punctuation, "}"),
        ]
    );
}

#[test]
fn sentences_have_no_tokens_of_their_own() {
    assert_eq!(
        tokens(Language::Words, "The role \"A\" can\n1."),
        [(Token::Text, "The role \"A\" can"), (Token::Text, "1.")]
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9 \n\"'\\\\$%{}()=#:,.é/*`;-]{0,40}",
        prop::collection::vec(
            prop::sample::select(vec![
                "aws", " ", "\n", "--x", "=", "\"", "'", "\\", "$", "{", "}", "(", ")", "#", "//", "/*", "*/", "日",
                "1e", "true"
            ]),
            0..20
        )
        .prop_map(|parts| parts.concat()),
    ]
}

#[test]
fn changed_lines_of_a_difference_have_tokens() {
    use Token::{Added, Comment, Removed, Text};
    assert_eq!(
        tokens(Language::Difference, "1 line added.\n\n… 2 unchanged lines\n- old -\n+\n+ new\n  - kept"),
        [
            (Text, "1 line added."),
            (Comment, "… 2 unchanged lines"),
            (Removed, "- old -"),
            (Added, "+"),
            (Added, "+ new"),
            (Text, "- kept"),
        ]
    );
}

proptest! {
    #[test]
    fn ranges_cover_the_whole_text(text in any_text()) {
        for language in [Language::Shell, Language::Json, Language::Hcl, Language::Difference, Language::Words] {
            let lines = highlight(language, &text);
            let mut position = 0;
            for (line, expected) in lines.iter().zip(text.split('\n')) {
                let start = position;
                for (_, range) in line {
                    prop_assert!(range.start == position && range.end > range.start, "{:?} {:?}", language, lines);
                    position = range.end;
                }
                prop_assert_eq!(&text[start..position], expected);
                position += 1;
            }
            prop_assert_eq!(lines.len(), text.split('\n').count());
        }
    }
}
