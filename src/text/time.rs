//! Times as the console, its lists, and its copies show them: in UTC, so that they sort by time when they are sorted as
//! text.

use jiff::Timestamp;

/// Formats a time to the minute, such as `2026-11-30 09:05 UTC`.
pub fn to_minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Formats a time to the second.
pub fn to_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Formats a time to the millisecond.
pub fn to_millisecond(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_text_and_name_their_zone() {
        let at: Timestamp = "2026-11-30T09:05:07.042Z".parse().unwrap();
        assert_eq!(to_minute(at), "2026-11-30 09:05 UTC");
        assert_eq!(to_second(at), "2026-11-30 09:05:07 UTC");
        assert_eq!(to_millisecond(at), "2026-11-30 09:05:07.042 UTC");
    }
}
