//! Excerpts of a body that isn't an AWS response, such as the error page of a corporate proxy.

/// The maximum number of bytes to examine.
const MAX_BYTES: usize = 64 << 10;
/// The maximum length of an excerpt, in characters.
const MAX_CHARS: usize = 200;

/// Truncates `text` to `max` characters and appends the number of characters that were cut.
pub fn truncate(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}

/// Whether a body is an HTML page.
pub fn is_html(body: &[u8]) -> bool {
    let start: Vec<u8> = body.iter().copied().skip_while(|byte| !byte.is_ascii_graphic()).take(9).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with(b"<!doctype") || start.starts_with(b"<html") || start.starts_with(b"<head")
}

/// Returns the beginning of a body, without tags, scripts, styles, and control characters, or `None` if it has no text.
pub fn text_excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BYTES)]);
    let text = strip_tags(&text);
    let text = text.replace("&nbsp;", " ").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
    let is_noise = |letter: char| letter.is_control() || letter == '\u{fffd}' || letter == '\u{feff}';
    let words: Vec<&str> = text.split(|letter: char| letter.is_whitespace() || is_noise(letter)).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(MAX_CHARS).collect();
    let is_cut = short.len() < words.len() || body.len() > MAX_BYTES;
    words.chars().any(char::is_alphanumeric).then(|| if is_cut { format!("{short}…") } else { short })
}

/// Whether a tag, given without its `<`, can occur inside a word or sentence.
fn is_inline_tag(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split(|letter: char| !letter.is_ascii_alphanumeric()).next();
    name.is_some_and(|name| ["a", "b", "code", "em", "i", "span", "strong"].contains(&&*name.to_ascii_lowercase()))
}

/// Returns the text between the tags of a page.
fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_BYTES));
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        let name = tag[1..].split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let is_tag = tag[1..].starts_with(|letter: char| letter.is_ascii_alphabetic() || "/!?".contains(letter));
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map(|end| end + 3)
        } else if matches!(&*name, "script" | "style") {
            // Converting to ASCII lowercase keeps byte offsets valid.
            tag.to_ascii_lowercase().find(&format!("</{name}")).map(|end| end + 1)
        } else if is_tag {
            tag.find('>').map(|end| end + 1)
        } else {
            out.push('<');
            Some(1)
        };
        if is_tag && !is_inline_tag(&tag[1..]) {
            out.push(' ');
        }
        rest = end.map_or("", |end| &tag[end..]);
        // The closing tag of a script or style starts at its slash here.
        if matches!(&*name, "script" | "style") && !rest.is_empty() {
            rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_page_is_reduced_to_its_text() {
        let page = "\u{feff}<!DOCTYPE html>\n<html><head><TITLE>Blocked</TITLE><style>p { color: red }</style>\n\
            <script src=x>if (a < b) { alert('<p>') }</SCRIPT ></head><body><!-- <p>no</p> --><p class=\"a\">Ask&nbsp;IT &amp; \
            wait: 1 < 2.</p></body></html>";
        assert!(is_html(page.as_bytes()));
        assert_eq!(text_excerpt(page.as_bytes()).unwrap(), "Blocked Ask IT & wait: 1 < 2.");
        assert_eq!(text_excerpt(b"<p>cut <b").unwrap(), "cut");
        assert_eq!(text_excerpt(b"<script>never closed").as_deref(), None);
    }

    #[test]
    fn body_without_text_has_no_excerpt() {
        for body in [&b""[..], b"  \n", b"\xff\xfe\x00", b"<html></html>", b"{}"] {
            assert_eq!(text_excerpt(body), None, "{body:?}");
        }
        assert_eq!(text_excerpt(b"a\xffb\x1b[2Jc").unwrap(), "a b [2Jc");
    }

    #[test]
    fn excerpt_is_limited_in_length() {
        let excerpt = text_excerpt("é".repeat(100_000).as_bytes()).unwrap();
        assert_eq!(excerpt, format!("{}…", "é".repeat(200)));
        assert_eq!(truncate("ééé", 2), "éé… (1 more characters)");
        assert_eq!(truncate("éé", 2), "éé");
    }

    proptest! {
        #[test]
        fn text_excerpt_never_panics_and_removes_tags(body in "[<>/!\\-a-zA-Zé &;]{0,80}(<script>|</style|<b>|<!--)?.{0,20}") {
            let excerpt = text_excerpt(body.as_bytes()).unwrap_or_default();
            prop_assert!(excerpt.chars().count() <= MAX_CHARS + 1);
            prop_assert!(!excerpt.contains("<b>") && !excerpt.contains("<script>"));
        }
    }
}
