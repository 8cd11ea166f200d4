//! The page with the progress of a class, in HTML without scripts.

use std::fmt::Write as _;

use super::{COLUMNS, ClassProgress};

/// How often a browser loads the page again, in seconds.
const REFRESH_SECONDS: u8 = 5;

const STYLE: &str = "body{font-family:system-ui,sans-serif;margin:2em;color-scheme:light dark}\
                     table{border-collapse:collapse}th,td{padding:.4em .9em;text-align:right;border-bottom:1px solid}\
                     th:first-child,td:first-child{text-align:left}";

impl ClassProgress {
    /// Returns the page. It loads itself again every few seconds.
    pub fn to_html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">\n<title>Progress</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>Progress</h1>\n<table>\n<thead>\n<tr>"
        );
        for column in COLUMNS {
            let _ = write!(html, "<th scope=\"col\">{column}</th>");
        }
        html.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in self.rows() {
            html.push_str("<tr>");
            for cell in &row {
                let _ = write!(html, "<td>{}</td>", escape(cell));
            }
            html.push_str("</tr>\n");
        }
        let _ = writeln!(
            html,
            "</tbody>\n</table>\n<p>{} UTC, since the server started.</p>\n</body>\n</html>",
            self.time.strftime("%Y-%m-%d %H:%M:%S")
        );
        html
    }
}

/// Escapes text for the contents of an element.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
