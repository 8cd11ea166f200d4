//! Draws the section *Monitoring*: charts on wide screens, sparklines on narrow ones. Each graph also has a summary in
//! words.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::{Line, Span};

use super::chart::{AXIS_WIDTH, Chart, bar, round_up_axis, sparkline};
use super::{Monitoring, Series, TimeRange};
use crate::aws::kms::metrics::KEY_MANAGER_STATES;
use crate::aws::limits::XKS_PROXY_TIMEOUT_MILLIS;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// The minimum width for charts, in columns.
const MIN_CHART_WIDTH: usize = 100;
/// The height of a chart, in rows.
const CHART_ROWS: usize = 6;
/// A certificate that expires in fewer days gets a warning. AWS recommends an alarm at this value.
const RENEW_WITHIN_DAYS: f64 = 10.0;
const NO_DATA: &str = "No data available";

/// Formats a number with at most one decimal and with thousands separators.
pub(super) fn format_number(value: f64) -> String {
    let rounded = format!("{:.1}", value.abs());
    let (whole, decimal) = rounded.split_once('.').unwrap_or((&rounded, "0"));
    let mut out = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if decimal == "0" { out } else { format!("{out}.{decimal}") }
}

/// Formats a percentage, rounded down so that only 100 is shown as 100%.
pub(super) fn format_percentage(value: f64) -> String {
    format!("{}%", format_number((value * 10.0).floor() / 10.0))
}

fn format_milliseconds(value: f64) -> String {
    format!("{} ms", format_number(value))
}

/// One graph: its data and its presentation.
struct Graph<'a> {
    title: &'static str,
    series: &'a Series,
    /// The series whose extreme value the summary shows.
    extreme_series: &'a Series,
    extreme: (&'static str, fn(f64, f64) -> f64),
    overall: (&'static str, Option<f64>),
    format: fn(f64) -> String,
    axis_max: f64,
    limit: Option<f64>,
}

impl Monitoring {
    fn graphs(&self) -> [Graph<'_>; 3] {
        let requests = Graph {
            title: "Total requests",
            series: &self.requests,
            extreme_series: &self.requests,
            extreme: ("highest", f64::max),
            overall: ("total", Some(self.requests.iter().flatten().sum())),
            format: format_number,
            axis_max: round_up_axis(max_value(&self.requests)),
            limit: None,
        };
        let reliability = Graph {
            title: "Reliability",
            series: &self.reliability,
            extreme_series: &self.reliability,
            extreme: ("lowest", f64::min),
            overall: ("overall", self.overall_reliability),
            format: format_percentage,
            axis_max: 100.0,
            limit: None,
        };
        let slowest = max_value(&self.max_latency);
        let limit = f64::from(XKS_PROXY_TIMEOUT_MILLIS);
        let latency = Graph {
            title: "Latency",
            series: &self.latency,
            extreme_series: &self.max_latency,
            extreme: ("highest", f64::max),
            overall: ("average", self.average_latency),
            format: format_milliseconds,
            // Above the limit, so that the limit line is visible.
            axis_max: if slowest > limit * 1.2 { round_up_axis(slowest) } else { limit * 1.2 },
            limit: Some(limit),
        };
        [requests, reliability, latency]
    }

    /// Formats the start of a period for the axis and the summary.
    fn period_label(&self, period: usize) -> String {
        let seconds = self.range.period().saturating_mul(i64::try_from(period).unwrap_or(i64::MAX));
        let at = self.start.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let is_long = matches!(self.range, TimeRange::ThreeDays | TimeRange::OneWeek);
        at.strftime(if is_long { "%b %d %H:%M" } else { "%H:%M" }).to_string()
    }

    /// Returns the time axis below a chart of `width` columns.
    fn time_axis(&self, width: usize) -> String {
        let periods = self.requests.len();
        let (start, middle, end) =
            (self.period_label(0), self.period_label(periods / 2), format!("{} UTC", self.period_label(periods)));
        let gap = width.saturating_sub(start.len() + end.len());
        if gap < middle.len() + 2 {
            return format!("{start}{}{end}", " ".repeat(gap.max(1)));
        }
        let left = (width / 2).saturating_sub(start.len() + middle.len() / 2).clamp(1, gap - middle.len() - 1);
        format!("{start}{}{middle}{}{end}", " ".repeat(left), " ".repeat(gap - middle.len() - left))
    }
}

fn max_value(series: &Series) -> f64 {
    series.iter().flatten().copied().fold(0.0, f64::max)
}

impl Graph<'_> {
    /// Returns the summary: the latest value, the extreme value and its time, and the value of the whole time range.
    fn summary(&self, monitoring: &Monitoring) -> String {
        let (name, better) = self.extreme;
        let values = self.extreme_series.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?)));
        // Of equal values, the first.
        let is_same = |one: f64, other: f64| one.total_cmp(&other).is_eq();
        let extreme = values.reduce(|known, new| if is_same(better(known.1, new.1), known.1) { known } else { new });
        let latest = self.series.iter().rev().copied().find_map(|value| value);
        let (Some(latest), Some((at, extreme)), (of_all, Some(whole))) = (latest, extreme, self.overall) else {
            return NO_DATA.to_owned();
        };
        let show = self.format;
        let time = monitoring.period_label(at);
        format!("latest {}, {name} {} at {time}, {of_all} {}", show(latest), show(extreme), show(whole))
    }

    fn write(&self, view: &mut ScrollView, monitoring: &Monitoring) {
        let limit = self.limit.map(|limit| (limit, (self.format)(limit)));
        let note = limit.as_ref().map(|(_, name)| format!("; the limit is {name}")).unwrap_or_default();
        let words = self.summary(monitoring);
        let words = if words == NO_DATA { words } else { words + &note };
        if view.width < MIN_CHART_WIDTH {
            view.key_value(self.title, &words, theme::TEXT);
            let cells = sparkline(self.series, self.axis_max, view.width.saturating_sub(4), self.extreme.1);
            view.push_line(Line::styled(format!("  {cells}"), theme::ACCENT));
            return;
        }
        view.blank_line();
        view.push_line(Line::from(vec![
            Span::styled(format!("  {}", self.title), theme::HEADING),
            Span::raw(format!("  {words}")),
        ]));
        let dots = self.limit.map(|_| self.extreme_series);
        if dots.is_some() {
            view.push_line(Line::styled("  █ average  • highest  ┄ limit", theme::SECONDARY));
        }
        let chart = Chart {
            columns: self.series,
            dots,
            top: self.axis_max,
            labels: [(self.format)(self.axis_max), (self.format)(0.0)],
            limit,
        };
        let (lines, wide) = chart.lines(CHART_ROWS, view.width.saturating_sub(1));
        for line in lines {
            view.push_line(line);
        }
        let axis = monitoring.time_axis(wide * self.series.len());
        view.push_line(Line::styled(format!("{}{axis}", " ".repeat(AXIS_WIDTH)), theme::SECONDARY));
    }
}

/// Writes the selector of the time range.
pub fn write_range(view: &mut ScrollView, range: TimeRange, is_focused: bool) {
    let (time, period) = range.describe();
    let mark = if is_focused { "▸" } else { " " };
    view.push_line(Line::from(Span::styled(format!("{mark} t "), theme::ACCENT)));
    for (index, other) in TimeRange::ALL.into_iter().enumerate() {
        let label = other.label();
        let (words, style) = match (other == range, is_focused) {
            (true, true) => (format!("[{label}]"), theme::FOCUS),
            (true, false) => (format!("[{label}]"), theme::HEADING),
            _ => (format!(" {label} "), theme::TEXT),
        };
        view.append_clickable(Span::styled(words, style), Click::Choose(view.current_control(), index));
    }
    view.append_span(Span::styled(format!("  {time}, period {period}"), theme::SECONDARY));
}

/// Writes the metrics of a key store.
pub fn write(view: &mut ScrollView, monitoring: &Monitoring) {
    if monitoring.is_empty() {
        view.push_line(Line::styled(format!("  {NO_DATA}"), theme::HEADING));
        let words = "AWS KMS sent no requests to the external key store proxy in this time range, or the key store was \
                     disconnected. Press t to show a longer time range.";
        view.paragraph(words, 2, theme::SECONDARY);
        return;
    }
    let graphs = monitoring.graphs();
    for graph in &graphs {
        graph.write(view, monitoring);
    }
    if view.width < MIN_CHART_WIDTH {
        let share = monitoring.requests.len().div_ceil(view.width.saturating_sub(4).max(1)).max(1);
        let axis = monitoring.time_axis(monitoring.requests.len().div_ceil(share));
        view.push_line(Line::styled(format!("  {axis}"), theme::SECONDARY));
    }
    view.blank_line();
    write_exceptions(view, monitoring);
    write_certificates(view, monitoring);
    if monitoring.manager_counts.iter().any(Option::is_some) {
        let states = KEY_MANAGER_STATES.iter().zip(monitoring.manager_counts);
        let states = states.map(|(state, count)| format!("{} {state}", format_number(count.unwrap_or(0.0))));
        let states = states.collect::<Vec<_>>().join(", ");
        let is_well = monitoring.manager_counts[1..].iter().flatten().all(|count| *count <= 0.0);
        let (mark, style) = if is_well { ("", theme::TEXT) } else { ("▲ ", theme::WARNING) };
        view.key_value("External key managers", &format!("{mark}{states}"), style);
    }
    if let Some(days) = monitoring.credential_age {
        view.key_value("Proxy credential age", &format_days(days), theme::TEXT);
    }
    if monitoring.throttled > 0.0 {
        let words = format!("▲ {} requests", format_number(monitoring.throttled));
        view.key_value("Throttled by AWS KMS", &words, theme::WARNING);
    }
}

fn format_days(days: f64) -> String {
    let unit = if (days - 1.0).abs() < f64::EPSILON { "day" } else { "days" };
    format!("{} {unit}", format_number(days))
}

/// Writes a heading within the section.
fn write_subheading(view: &mut ScrollView, title: &str) {
    let style = if view.width < MIN_CHART_WIDTH { theme::SECONDARY } else { theme::HEADING };
    view.push_line(Line::styled(format!("  {title}"), style));
}

fn write_exceptions(view: &mut ScrollView, monitoring: &Monitoring) {
    write_subheading(view, "Top 5 exceptions");
    let Some(most) = monitoring.exceptions.first() else {
        view.push_line(Line::raw("       0  exceptions"));
        return;
    };
    for exception in &monitoring.exceptions {
        let name = text::fit(&text::escape_controls(&exception.name), 31);
        let kind = text::fit(&text::escape_controls(&exception.error_type), 13);
        let line = format!("{:>8}  {name} {kind} ", format_number(exception.count));
        let room = view.width.saturating_sub(text::width(&line) + 2).min(40);
        let bar = if room < 10 { String::new() } else { bar(exception.count / most.count, room) };
        view.push_line(Line::from(vec![Span::raw(line), Span::styled(bar, theme::ERROR)]));
    }
}

fn write_certificates(view: &mut ScrollView, monitoring: &Monitoring) {
    write_subheading(view, "Certificate days to expire");
    if monitoring.certificates.is_empty() {
        view.push_line(Line::styled(format!("{:>10}{NO_DATA}", ""), theme::SECONDARY));
    }
    for (name, days) in &monitoring.certificates {
        let is_late = *days < RENEW_WITHIN_DAYS;
        let (note, style) = if is_late { ("  ▲ Renew it now", theme::WARNING) } else { ("", theme::TEXT) };
        let name = text::truncate(&text::escape_controls(name), view.width.saturating_sub(28));
        view.push_line(Line::styled(format!("{:>8}  {name}{note}", format_number(*days)), style));
    }
}
