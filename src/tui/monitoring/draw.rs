//! The section *Monitoring*: charts where there is room, rows of figures where there is not. What a chart shows is told in
//! words, too.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::{Line, Span};

use super::chart::{Chart, INDENT, bar, round_top, sparkline};
use super::{Monitoring, Series, TimeRange};
use crate::aws::kms::metrics::KEY_MANAGER_STATES;
use crate::aws::limits::XKS_PROXY_TIMEOUT_MILLIS;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::text;

/// From this width on there is room for charts.
const WIDE: usize = 100;
/// How high they are, in rows.
const ROWS: usize = 6;
/// Days before a certificate expires when it is time to renew it (the alarm that the guide recommends).
const RENEW_BEFORE: f64 = 10.0;
const NO_DATA: &str = "No data available";

/// A number as people write it: at most one decimal, thousands set apart.
pub(super) fn number(value: f64) -> String {
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

/// A percentage that says 100 only when nothing is missing.
pub(super) fn percentage(value: f64) -> String {
    format!("{}%", number((value * 10.0).floor() / 10.0))
}

fn milliseconds(value: f64) -> String {
    format!("{} ms", number(value))
}

/// One of the graphs: what it shows and how.
struct Graph<'a> {
    title: &'static str,
    series: &'a Series,
    /// What is looked at when one value stands for several.
    extremes: &'a Series,
    extreme: (&'static str, fn(f64, f64) -> f64),
    whole: (&'static str, Option<f64>),
    show: fn(f64) -> String,
    top: f64,
    limit: Option<f64>,
}

impl Monitoring {
    fn graphs(&self) -> [Graph<'_>; 3] {
        let requests = Graph {
            title: "Total requests",
            series: &self.requests,
            extremes: &self.requests,
            extreme: ("highest", f64::max),
            whole: ("in all", Some(self.requests.iter().flatten().sum())),
            show: number,
            top: round_top(highest(&self.requests)),
            limit: None,
        };
        let reliability = Graph {
            title: "Reliability",
            series: &self.reliability,
            extremes: &self.reliability,
            extreme: ("lowest", f64::min),
            whole: ("on the whole", self.whole_reliability),
            show: percentage,
            top: 100.0,
            limit: None,
        };
        let slowest = highest(&self.highest_latency);
        let limit = f64::from(XKS_PROXY_TIMEOUT_MILLIS);
        let latency = Graph {
            title: "Latency",
            series: &self.latency,
            extremes: &self.highest_latency,
            extreme: ("highest", f64::max),
            whole: ("on average", self.whole_latency),
            show: milliseconds,
            // Somewhat above the limit, so that the line of the limit is seen.
            top: if slowest > limit * 1.2 { round_top(slowest) } else { limit * 1.2 },
            limit: Some(limit),
        };
        [requests, reliability, latency]
    }

    /// When a period starts, as the axis and the words write it.
    fn time(&self, period: usize) -> String {
        let seconds = self.range.period().saturating_mul(i64::try_from(period).unwrap_or(i64::MAX));
        let at = self.start.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let is_long = matches!(self.range, TimeRange::ThreeDays | TimeRange::OneWeek);
        at.strftime(if is_long { "%b %d %H:%M" } else { "%H:%M" }).to_string()
    }

    /// The times below a chart of `width` columns.
    fn axis(&self, width: usize) -> String {
        let periods = self.requests.len();
        let (start, middle, end) = (self.time(0), self.time(periods / 2), format!("{} UTC", self.time(periods)));
        let gap = width.saturating_sub(start.len() + end.len());
        if gap < middle.len() + 2 {
            return format!("{start}{}{end}", " ".repeat(gap.max(1)));
        }
        let left = (width / 2).saturating_sub(start.len() + middle.len() / 2).clamp(1, gap - middle.len() - 1);
        format!("{start}{}{middle}{}{end}", " ".repeat(left), " ".repeat(gap - middle.len() - left))
    }
}

fn highest(series: &Series) -> f64 {
    series.iter().flatten().copied().fold(0.0, f64::max)
}

impl Graph<'_> {
    /// The newest value, the most remarkable one and when it was, and the one of the whole time.
    fn words(&self, shown: &Monitoring) -> String {
        let (name, better) = self.extreme;
        let values = self.extremes.iter().enumerate().filter_map(|(at, value)| Some((at, (*value)?)));
        // The first of those that are as remarkable.
        let is_same = |one: f64, other: f64| one.total_cmp(&other).is_eq();
        let extreme = values.reduce(|known, new| if is_same(better(known.1, new.1), known.1) { known } else { new });
        let latest = self.series.iter().rev().copied().find_map(|value| value);
        let (Some(latest), Some((at, extreme)), (of_all, Some(whole))) = (latest, extreme, self.whole) else {
            return NO_DATA.to_owned();
        };
        let show = self.show;
        let time = shown.time(at);
        format!("latest {}, {name} {} at {time}, {of_all} {}", show(latest), show(extreme), show(whole))
    }

    fn write(&self, paper: &mut Paper, shown: &Monitoring) {
        let limit = self.limit.map(|limit| (limit, (self.show)(limit)));
        let note = limit.as_ref().map(|(_, name)| format!("; the limit is {name}")).unwrap_or_default();
        let words = self.words(shown);
        let words = if words == NO_DATA { words } else { words + &note };
        if paper.width < WIDE {
            paper.pair(self.title, &words, theme::TEXT);
            let cells = sparkline(self.series, self.top, paper.width.saturating_sub(4), self.extreme.1);
            paper.line(Line::styled(format!("  {cells}"), theme::ACCENT));
            return;
        }
        paper.gap();
        paper.line(Line::from(vec![
            Span::styled(format!("  {}", self.title), theme::HEADING),
            Span::raw(format!("  {words}")),
        ]));
        let dots = self.limit.map(|_| self.extremes);
        if dots.is_some() {
            paper.line(Line::styled("  █ average  • highest  ┄ limit", theme::QUIET));
        }
        let chart = Chart {
            columns: self.series,
            dots,
            top: self.top,
            labels: [(self.show)(self.top), (self.show)(0.0)],
            limit,
        };
        let (lines, wide) = chart.lines(ROWS, paper.width.saturating_sub(1));
        for line in lines {
            paper.line(line);
        }
        let axis = shown.axis(wide * self.series.len());
        paper.line(Line::styled(format!("{}{axis}", " ".repeat(INDENT)), theme::QUIET));
    }
}

/// Writes which time is shown, and what can be shown instead.
pub fn write_range(paper: &mut Paper, range: TimeRange, is_focused: bool) {
    let (time, period) = range.words();
    let mark = if is_focused { "▸" } else { " " };
    let mut spans = vec![Span::styled(format!("{mark} t "), theme::ACCENT)];
    for other in TimeRange::ALL {
        let label = other.label();
        let (words, style) = match (other == range, is_focused) {
            (true, true) => (format!("[{label}]"), theme::FOCUS),
            (true, false) => (format!("[{label}]"), theme::HEADING),
            _ => (format!(" {label} "), theme::TEXT),
        };
        spans.push(Span::styled(words, style));
    }
    spans.push(Span::styled(format!("  {time} by {period}"), theme::QUIET));
    paper.line(Line::from(spans));
}

/// Writes everything that was told of a store.
pub fn write(paper: &mut Paper, shown: &Monitoring) {
    if shown.is_empty() {
        paper.line(Line::styled(format!("  {NO_DATA}"), theme::HEADING));
        let words = "Nothing was asked of the external key store proxy in this time, or the external key store was \
                     disconnected. Press t to look further back.";
        paper.prose(words, 2, theme::QUIET);
        return;
    }
    let graphs = shown.graphs();
    for graph in &graphs {
        graph.write(paper, shown);
    }
    if paper.width < WIDE {
        let share = shown.requests.len().div_ceil(paper.width.saturating_sub(4).max(1)).max(1);
        let axis = shown.axis(shown.requests.len().div_ceil(share));
        paper.line(Line::styled(format!("  {axis}"), theme::QUIET));
    }
    paper.gap();
    write_exceptions(paper, shown);
    write_certificates(paper, shown);
    if shown.managers.iter().any(Option::is_some) {
        let states = KEY_MANAGER_STATES.iter().zip(shown.managers);
        let states = states.map(|(state, count)| format!("{} {state}", number(count.unwrap_or(0.0))));
        let states = states.collect::<Vec<_>>().join(", ");
        let is_well = shown.managers[1..].iter().flatten().all(|count| *count <= 0.0);
        let (mark, style) = if is_well { ("", theme::TEXT) } else { ("⚠ ", theme::WARNING) };
        paper.pair("External key managers", &format!("{mark}{states}"), style);
    }
    if let Some(days) = shown.credential_age {
        paper.pair("Proxy credential age", &in_days(days), theme::TEXT);
    }
    if shown.throttled > 0.0 {
        let words = format!("⚠ {} requests, by AWS KMS", number(shown.throttled));
        paper.pair("Throttled", &words, theme::WARNING);
    }
}

fn in_days(days: f64) -> String {
    let unit = if (days - 1.0).abs() < f64::EPSILON { "day" } else { "days" };
    format!("{} {unit}", number(days))
}

/// A heading inside of the section.
fn write_title(paper: &mut Paper, title: &str) {
    let style = if paper.width < WIDE { theme::QUIET } else { theme::HEADING };
    paper.line(Line::styled(format!("  {title}"), style));
}

fn write_exceptions(paper: &mut Paper, shown: &Monitoring) {
    write_title(paper, "Top 5 exceptions");
    let Some(most) = shown.exceptions.first() else {
        paper.line(Line::raw("       0  exceptions"));
        return;
    };
    for exception in &shown.exceptions {
        let name = text::fit(&text::escape_controls(&exception.name), 31);
        let kind = text::fit(&text::escape_controls(&exception.error_type), 13);
        let line = format!("{:>8}  {name} {kind} ", number(exception.count));
        let room = paper.width.saturating_sub(text::width(&line) + 2).min(40);
        let bar = if room < 10 { String::new() } else { bar(exception.count / most.count, room) };
        paper.line(Line::from(vec![Span::raw(line), Span::styled(bar, theme::BAD)]));
    }
}

fn write_certificates(paper: &mut Paper, shown: &Monitoring) {
    write_title(paper, "Certificate days to expire");
    if shown.certificates.is_empty() {
        paper.line(Line::styled(format!("{:>10}{NO_DATA}", ""), theme::QUIET));
    }
    for (name, days) in &shown.certificates {
        let is_late = *days < RENEW_BEFORE;
        let (note, style) = if is_late { ("  ⚠ Renew it now", theme::WARNING) } else { ("", theme::TEXT) };
        let name = text::truncate(&text::escape_controls(name), paper.width.saturating_sub(28));
        paper.line(Line::styled(format!("{:>8}  {name}{note}", number(*days)), style));
    }
}
