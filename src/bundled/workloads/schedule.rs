//! When a workload runs.

use jiff::civil::Time;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The hours of each day in which a workload runs, in UTC, such as `07:00-19:00`. They can pass midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DailyHours {
    start: Time,
    end: Time,
}

impl TryFrom<String> for DailyHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid =
            || format!("`{text}` isn't a part of the day; write two different times in UTC, such as 07:00-19:00");
        let parse = |time: &str| Time::strptime("%H:%M", time).map_err(|_| invalid());
        let (start, end) = text.split_once('-').ok_or_else(invalid)?;
        let (start, end) = (parse(start)?, parse(end)?);
        if start == end { Err(invalid()) } else { Ok(Self { start, end }) }
    }
}

impl From<DailyHours> for String {
    fn from(hours: DailyHours) -> Self {
        format!("{}-{}", hours.start.strftime("%H:%M"), hours.end.strftime("%H:%M"))
    }
}

impl DailyHours {
    fn contain(&self, time: Time) -> bool {
        if self.start < self.end {
            (self.start..self.end).contains(&time)
        } else {
            time >= self.start || time < self.end
        }
    }
}

/// Returns the first time from `earliest` on at which a workload runs, for an interval and the hours of the day.
///
/// The seconds of a run are those of the interval since midnight UTC, so that the runs of a day are at the same times
/// every day.
pub fn next_run(earliest: Timestamp, every: SignedDuration, hours: Option<&DailyHours>) -> Timestamp {
    let every_millis = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let millis = earliest.as_millisecond();
    let aligned = millis.saturating_add((-millis).rem_euclid(every_millis));
    let next = Timestamp::from_millisecond(aligned).unwrap_or(Timestamp::MAX);
    let Some(hours) = hours else { return next };
    let local = Offset::UTC.to_datetime(next);
    if hours.contain(local.time()) {
        return next;
    }
    let start = Offset::UTC.to_timestamp(local.date().to_datetime(hours.start)).unwrap_or(next);
    if start < next { start.saturating_add(SignedDuration::from_hours(24)).unwrap_or(next) } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(earliest: &str, minutes: i64, hours: Option<&str>) -> String {
        let hours = hours.map(|hours| DailyHours::try_from(hours.to_owned()).unwrap());
        next_run(earliest.parse().unwrap(), SignedDuration::from_mins(minutes), hours.as_ref()).to_string()
    }

    #[test]
    fn runs_are_at_multiples_of_the_interval() {
        assert_eq!(next("2026-03-02T10:07:00Z", 15, None), "2026-03-02T10:15:00Z");
        assert_eq!(next("2026-03-02T10:15:00Z", 15, None), "2026-03-02T10:15:00Z");
        assert_eq!(next("2026-03-02T23:50:00Z", 30, None), "2026-03-03T00:00:00Z");
    }

    #[test]
    fn runs_are_in_the_hours_of_the_day() {
        for (earliest, hours, expected) in [
            ("2026-03-02T10:07:00Z", "07:00-19:00", "2026-03-02T10:15:00Z"),
            ("2026-03-02T19:00:00Z", "07:00-19:00", "2026-03-03T07:00:00Z"),
            ("2026-03-02T03:00:00Z", "07:00-19:00", "2026-03-02T07:00:00Z"),
            ("2026-03-02T23:10:00Z", "22:00-02:00", "2026-03-02T23:15:00Z"),
            ("2026-03-02T01:55:00Z", "22:00-02:00", "2026-03-02T22:00:00Z"),
            ("2026-03-02T01:40:00Z", "22:00-02:00", "2026-03-02T01:45:00Z"),
        ] {
            assert_eq!(next(earliest, 15, Some(hours)), expected, "{earliest} {hours}");
        }
    }

    #[test]
    fn invalid_hours_are_refused() {
        for text in ["", "7-19", "07:00", "07:00-07:00", "07:00-25:00", "07:00 - 19:00"] {
            let error = DailyHours::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains("such as 07:00-19:00"), "{text}: {error}");
        }
        assert_eq!(String::from(DailyHours::try_from("22:00-02:30".to_owned()).unwrap()), "22:00-02:30");
    }
}
