//! The accounts of a class: what each student has done so far, and the page that shows it to the trainer.

mod counts;
mod page;
mod page_server;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::counts::RequestCounts;
pub use self::page_server::ProgressServer;
use crate::bundled::BundledAws;
use crate::text::escape_controls;

/// The account of a student, which a server of its own serves.
#[derive(Clone, Debug)]
pub struct Student {
    /// The name of the account and of its profile, such as `student-01`.
    pub name: String,
    /// The URL of the server.
    pub url: String,
    /// The account.
    pub aws: BundledAws,
    /// What the server has counted.
    pub counts: Arc<RequestCounts>,
}

/// What a student has done since the server started. It contains no secrets and nothing that the student entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StudentProgress {
    /// The name of the account.
    pub name: String,
    /// The time of the last request.
    pub last_request: Option<Timestamp>,
    /// The number of requests.
    pub requests: u64,
    /// The number of requests that failed.
    pub errors: u64,
    /// The number of KMS keys that were created.
    pub keys_created: u64,
    /// The number of key stores that were created.
    pub key_stores_created: u64,
    /// The number of key stores that are connected now. `None` if the account can't be read.
    pub key_stores_connected: Option<u64>,
}

impl Student {
    fn progress(&self) -> StudentProgress {
        let counts = self.counts.get();
        StudentProgress {
            name: self.name.clone(),
            last_request: counts.last_request,
            requests: counts.requests,
            errors: counts.errors,
            keys_created: counts.keys_created,
            key_stores_created: counts.key_stores_created,
            key_stores_connected: self.aws.connected_key_stores().ok(),
        }
    }
}

/// The progress of all students at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassProgress {
    /// The time.
    pub time: Timestamp,
    /// The students, in the order of their numbers.
    pub students: Vec<StudentProgress>,
}

/// The headings of the columns.
const COLUMNS: [&str; 7] =
    ["Account", "Last request", "Requests", "Errors", "Keys created", "Key stores created", "Key stores connected"];

impl ClassProgress {
    /// Returns the progress of these students.
    pub fn of(students: &[Student], time: Timestamp) -> Self {
        Self { time, students: students.iter().map(Student::progress).collect() }
    }

    /// Returns the rows of the table, with a cell for each of the [`COLUMNS`].
    fn rows(&self) -> impl Iterator<Item = [String; 7]> {
        self.students.iter().map(|student| {
            let connected = student.key_stores_connected;
            [
                // The progress can come from another program on the port.
                escape_controls(&student.name),
                student.last_request.map_or_else(|| "-".to_owned(), |last| self.time_since(last)),
                student.requests.to_string(),
                student.errors.to_string(),
                student.keys_created.to_string(),
                student.key_stores_created.to_string(),
                connected.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            ]
        })
    }

    /// Returns how long ago a time is, such as `4 min ago`.
    fn time_since(&self, time: Timestamp) -> String {
        let seconds = self.time.duration_since(time).as_secs().max(0);
        match seconds {
            0..60 => format!("{seconds} s ago"),
            60..3600 => format!("{} min ago", seconds / 60),
            _ => format!("{} h ago", seconds / 3600),
        }
    }

    /// Returns the progress as a table of text.
    pub fn to_text(&self) -> String {
        let rows: Vec<[String; 7]> = self.rows().collect();
        let mut text = String::new();
        let widths: [usize; 7] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].len());
            cells.chain([COLUMNS[column].len()]).max().unwrap_or(0)
        });
        for row in std::iter::once(&COLUMNS.map(str::to_owned)).chain(&rows) {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn student(name: &str, last_request: Option<&str>) -> StudentProgress {
        StudentProgress {
            name: name.to_owned(),
            last_request: last_request.map(|time| time.parse().unwrap()),
            requests: 12,
            errors: 1,
            keys_created: 2,
            key_stores_created: 0,
            key_stores_connected: Some(2),
        }
    }

    fn class() -> ClassProgress {
        let students = vec![
            student("student-01", Some("2026-03-02T10:11:00Z")),
            student("student-02", None),
            student("<b>&\"", Some("2026-03-02T10:14:59Z")),
        ];
        ClassProgress { time: "2026-03-02T10:15:00Z".parse().unwrap(), students }
    }

    #[test]
    fn text_has_a_line_for_each_student() {
        let text = class().to_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], "student-01  4 min ago     12        1       2             0                   2");
        assert!(lines[2].starts_with("student-02  -  ") && lines[3].contains("1 s ago"), "{text}");
    }

    #[test]
    fn page_needs_no_script_and_escapes_names() {
        let html = class().to_html();
        assert!(html.contains("<meta http-equiv=\"refresh\" content=\"5\">"), "{html}");
        assert!(html.contains("<td>&lt;b&gt;&amp;&quot;</td>") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("<script") && !html.contains("http://"), "{html}");
        assert_eq!(html.matches("<tr>").count(), 4);
    }

    #[test]
    fn json_can_be_read_again() {
        let json = serde_json::to_string(&class()).unwrap();
        assert!(json.contains("\"lastRequest\":\"2026-03-02T10:11:00Z\""), "{json}");
        assert_eq!(serde_json::from_str::<ClassProgress>(&json).unwrap(), class());
    }
}
