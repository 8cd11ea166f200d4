//! File paths as users enter them: typed, or dropped on the terminal, which inserts a shell-quoted path or a URL.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// Resolves an entered path. Returns it unchanged if a file with exactly that name exists. Otherwise, applies
/// [`unquote`] and expands a leading `~` to `home`.
pub fn resolve(entered: &str, home: Option<&Path>) -> PathBuf {
    let as_entered = Path::new(entered);
    if as_entered.symlink_metadata().is_ok() {
        return as_entered.to_owned();
    }
    let path = unquote(entered);
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// Removes the quotes, backslashes, URL encoding, and surrounding spaces that terminals and file managers add:
/// `'/a b'`, `"/a b"`, `/a\ b`, `file:///a%20b`. Text that a shell wouldn't read as one word is only trimmed.
pub fn unquote(entered: &str) -> PathBuf {
    let word = parse_shell_word(entered).unwrap_or_else(|| entered.trim().to_owned());
    path_from_file_url(&word).unwrap_or_else(|| word.into())
}

/// Returns the path in a local `file` URL (RFC 8089).
fn path_from_file_url(text: &str) -> Option<PathBuf> {
    let (scheme, rest) = text.split_once(':')?;
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, _) = rest.split_once('/')?;
            (host.is_empty() || host.eq_ignore_ascii_case("localhost")).then_some(&rest[host.len()..])?
        }
        None => rest,
    };
    let is_file = scheme.eq_ignore_ascii_case("file") && path.starts_with('/');
    is_file.then(|| OsString::from_vec(percent_decode_str(path).collect()).into())
}

/// Parses a single shell word and removes its quotes and surrounding spaces (POSIX, *Shell Command Language*, section
/// 2.2).
fn parse_shell_word(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.trim_start().chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, '\\') => word.push(characters.next()?),
            (Some('"'), '\\') => {
                word.push(characters.next_if(|next| matches!(next, '"' | '\\' | '$' | '`')).unwrap_or('\\'));
            }
            (None, blank) if blank.is_whitespace() => {
                return characters.all(char::is_whitespace).then_some(word);
            }
            (_, other) => word.push(other),
        }
    }
    quote.is_none().then_some(word)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use percent_encoding::percent_encode_byte;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_escapes_and_file_urls_are_removed_from_dropped_paths() {
        for (entered, path) in [
            ("/a/c.json", "/a/c.json"),
            (" /a/c.json ", "/a/c.json"),
            ("'/a b/c.json' ", "/a b/c.json"),
            ("\"/a b/c.json\"", "/a b/c.json"),
            ("/a\\ b/c.json ", "/a b/c.json"),
            ("'/it'\\''s/c.json'", "/it's/c.json"),
            (r#""/a \"b\" \c""#, r#"/a "b" \c"#),
            ("file:///a%20b/c.json", "/a b/c.json"),
            ("FILE://localhost/a+b/c%25.json\n", "/a+b/c%.json"),
            ("file:/a%20b", "/a b"),
            ("'file:///a%20b/c.json'", "/a b/c.json"),
        ] {
            assert_eq!(resolve(entered, None), Path::new(path), "{entered}");
        }
    }

    #[test]
    fn text_that_is_not_a_quoted_path_is_kept_unchanged() {
        for entered in
            ["/a b/c.json", "'/a' '/b'", "/it's", "/a\\", "file://elsewhere/a", "file:a", "https://x/a", "c:d"]
        {
            assert_eq!(resolve(entered, None), Path::new(entered));
        }
    }

    #[test]
    fn leading_tilde_expands_to_the_home_directory() {
        let home = Some(Path::new("/home/ada"));
        for (entered, path) in [
            ("~/x", "/home/ada/x"),
            ("~/a\\ b ", "/home/ada/a b"),
            ("\"~/a b\"", "/home/ada/a b"),
            ("~", "/home/ada"),
            ("~eve/x", "~eve/x"),
            ("/a/~/x", "/a/~/x"),
        ] {
            assert_eq!(resolve(entered, home), Path::new(path), "{entered}");
        }
        assert_eq!(resolve("~/x", None), Path::new("~/x"));
    }

    #[test]
    fn existing_file_with_the_exact_name_is_preferred() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["'c d'", "c\\ d", "c d ", "file:c"] {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            assert_eq!(resolve(path.to_str().unwrap(), None), path);
        }
    }

    proptest! {
        #[test]
        fn unquote_reverses_every_quoting_style(path in "/[^\u{0}]{0,24}", blanks in "[ \r\n]{0,2}") {
            let expected = Path::new(&path);
            let single = format!("'{}'", path.replace('\'', r"'\''"));
            let double: String = path.chars().flat_map(|letter| match letter {
                '"' | '\\' | '$' | '`' => vec!['\\', letter],
                _ => vec![letter],
            }).collect();
            let escaped: String = path.chars().flat_map(|letter| ['\\', letter]).collect();
            let url: String = path.bytes().map(percent_encode_byte).collect();
            let url = format!("file://{}", url.replace("%2F", "/"));
            for entered in [single, format!("\"{double}\""), escaped, url] {
                prop_assert_eq!(unquote(&format!("{entered}{blanks}")), expected, "{}", entered);
            }
        }

        #[test]
        fn file_url_with_non_utf8_bytes_resolves_to_a_path(bytes in prop::collection::vec(1_u8.., 0..8)) {
            let url: String = bytes.iter().map(|byte| percent_encode_byte(*byte)).collect();
            let path = unquote(&format!("file:///{url}"));
            prop_assert_eq!(path.as_os_str().as_bytes(), [b"/", bytes.as_slice()].concat());
        }
    }
}
