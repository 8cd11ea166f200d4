//! Steps of a clock: how far it moves forward, as people write it.

use jiff::fmt::friendly::{Spacing, SpanPrinter};
use jiff::{SignedDuration, Span, SpanRelativeTo, SpanRound, Unit};

/// The largest step: ten years. An account can't be ahead by more than that in total, either.
pub const MAX: SignedDuration = SignedDuration::from_hours(3653 * 24);

/// Why a text isn't a step of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidStep {
    /// It isn't a time in whole seconds.
    Malformed,
    /// It is negative or zero.
    Backward,
    /// It is longer than [`MAX`].
    TooLong,
}

/// Parses a step such as `+7d`, `+1w`, or `+1d12h`. Days have 24 hours, and `m` are minutes.
///
/// # Errors
/// [`InvalidStep`].
pub fn parse(text: &str) -> Result<SignedDuration, InvalidStep> {
    let span: Span = text.parse().map_err(|_| InvalidStep::Malformed)?;
    // Months and years have no fixed length, so they aren't accepted.
    let step = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| InvalidStep::Malformed)?;
    match () {
        () if !step.is_positive() => Err(InvalidStep::Backward),
        () if !text.starts_with('+') || step.subsec_nanos() != 0 => Err(InvalidStep::Malformed),
        () if step > MAX => Err(InvalidStep::TooLong),
        () => Ok(step),
    }
}

/// Returns a step in days, hours, minutes, and seconds, such as `7 d` or `1 d 12 h`.
pub fn format(step: SignedDuration) -> String {
    let round = SpanRound::new().largest(Unit::Day).smallest(Unit::Second).days_are_24_hours();
    let span = Span::try_from(step).and_then(|span| span.round(round)).unwrap_or_default();
    SpanPrinter::new().spacing(Spacing::BetweenUnitsAndDesignators).span_to_string(&span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_parsed_and_formatted() {
        for (text, hours, formatted) in [
            ("+7d", 168, "7 d"),
            ("+1w", 168, "7 d"),
            ("+12h", 12, "12 h"),
            ("+1d12h", 36, "1 d 12 h"),
            ("+120m", 2, "2 h"),
            ("+3653d", 87_672, "3653 d"),
        ] {
            let step = SignedDuration::from_hours(hours);
            assert_eq!((parse(text), format(step)), (Ok(step), formatted.to_owned()), "{text}");
        }
        assert_eq!(format(parse("+1d90s").unwrap()), "1 d 1 m 30 s");
        assert_eq!(parse("+1.5h"), Ok(SignedDuration::from_mins(90)));
    }

    #[test]
    fn invalid_steps_are_rejected() {
        for (text, reason) in [
            ("", InvalidStep::Malformed),
            ("7d", InvalidStep::Malformed),
            ("+7", InvalidStep::Malformed),
            ("+", InvalidStep::Malformed),
            ("++7d", InvalidStep::Malformed),
            ("+7x", InvalidStep::Malformed),
            ("+1y", InvalidStep::Malformed),
            ("+1mo", InvalidStep::Malformed),
            ("+500ms", InvalidStep::Malformed),
            ("tomorrow", InvalidStep::Malformed),
            ("-7d", InvalidStep::Backward),
            ("+7d ago", InvalidStep::Malformed),
            ("7d ago", InvalidStep::Backward),
            ("+0s", InvalidStep::Backward),
            ("+3653d1s", InvalidStep::TooLong),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }
}
