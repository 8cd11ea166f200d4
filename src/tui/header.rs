//! The header, the same on every page: the AWS target, how far its time is ahead, read-only mode, the principal, the
//! account, and the Region.
//!
//! Real AWS differs from the bundled AWS in color, text, and pattern: its header is filled and striped.

use crossterm::event::KeyCode;
use jiff::SignedDuration;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::app::App;
use super::theme;
use super::widgets::canvas::{Canvas, Click};
use super::widgets::text;
use crate::clock_step;
use crate::tui::target::Target;

const PRODUCT: &str = "xks-console · ";
/// The hint for the key that switches the Region or profile, shown if it fits.
const SWITCH_HINT: &str = " [F3]";
const READ_ONLY: &str = " READ-ONLY ";
/// The minimum gap between left and right, in columns, so that the stripes are visible.
const GAP: usize = 4;
/// The columns that a long principal leaves for the target.
const MIN_TARGET_WIDTH: usize = 16;
/// The minimum width for target and principal together. With less, the principal is omitted.
const MIN_COMBINED_WIDTH: usize = 8;

/// The appearance of the header for a target.
struct TargetStyle {
    /// The full name.
    long: String,
    /// The short name.
    short: String,
    /// The character that fills the row.
    stripe: &'static str,
    style: Style,
}

impl TargetStyle {
    fn for_app(app: &App) -> Self {
        let (long, short, stripe, style) = match &app.target {
            Target::Bundled => ("bundled AWS".to_owned(), "bundled".to_owned(), " ", theme::HEADING),
            Target::Aws => {
                let style = theme::WARNING.patch(theme::HEADING).patch(theme::FOCUS);
                ("▲ AWS".to_owned(), "▲ AWS".to_owned(), "╱", style)
            }
            Target::Endpoint(host) => {
                let host = text::escape_controls(host);
                (format!("◆ AWS at {host}"), format!("◆ {host}"), "·", theme::ACCENT.patch(theme::FOCUS))
            }
        };
        let ahead = time_ahead(app.seconds_ahead);
        Self { long: long + &ahead, short: short + &ahead, stripe, style }
    }
}

/// Returns how far the account is ahead, in days and hours once it is a day. Empty if its time is that of this machine.
fn time_ahead(seconds: i64) -> String {
    const HOUR: i64 = 60 * 60;
    let shown = if seconds < 24 * HOUR { seconds } else { seconds - seconds % HOUR };
    if shown > 0 { format!(" +{}", clock_step::format(SignedDuration::from_secs(shown))) } else { String::new() }
}

/// Draws the header.
pub fn draw(app: &App, canvas: &mut Canvas, area: Rect) {
    let target_style = TargetStyle::for_app(app);
    let read_only = if app.account.is_read_only { READ_ONLY } else { "" };
    let around = 1 + text::width(read_only) + GAP + 1;
    let (left, mut right) = fit_texts(app, &target_style, usize::from(area.width).saturating_sub(around));
    let mut hint_width = text::width(SWITCH_HINT);
    if around + text::width(&left) + text::width(&right) + hint_width <= usize::from(area.width) {
        right.push_str(SWITCH_HINT);
    } else {
        hint_width = 0;
    }
    let used = 1 + text::width(&left) + 1 + text::width(read_only) + 1 + text::width(&right) + 1;
    let stripes = target_style.stripe.repeat(usize::from(area.width).saturating_sub(used));
    let line = Line::from(vec![
        Span::styled(format!(" {left} "), target_style.style),
        // A gap in the row, so that it is visible without colors, too.
        Span::styled(read_only, theme::HEADING),
        Span::styled(format!("{stripes} {right} "), target_style.style),
    ]);
    canvas.line(&line, area);
    let width = u16::try_from(text::width(&app.account.region) + hint_width).unwrap_or(u16::MAX);
    let region = Rect { x: area.right().saturating_sub(width.saturating_add(1)), width, ..area };
    canvas.on_click(region.intersection(area), Click::Key(KeyCode::F(3).into()));
}

/// Returns the left and right texts, which fit into `room` columns together. A long host or principal never truncates
/// the account and Region.
fn fit_texts(app: &App, target_style: &TargetStyle, room: usize) -> (String, String) {
    let known = &app.account;
    let (account, region) = (&known.account_id, &known.region);
    if account.is_empty() {
        // The caller's identity isn't loaded yet.
        let left = format!("{PRODUCT}{}", target_style.long);
        let rest = room.saturating_sub(text::width(region));
        let left = if text::width(&left) <= rest { left } else { text::truncate(&target_style.short, rest) };
        return (left, region.clone());
    }
    let name = short_principal(&known.caller_arn);
    let place = format!("{account} · {region}");
    let here = format!("{name} @ {place}");
    let whole = match &app.account_alias {
        Some(alias) => format!("{name} @ {} ({account}) · {region}", text::escape_controls(alias)),
        None => here.clone(),
    };
    let lead = format!("{PRODUCT}{}", target_style.long);
    for (left, right) in [(&lead, &whole), (&lead, &here), (&target_style.long, &whole), (&target_style.long, &here)] {
        if text::width(left) + text::width(right) <= room {
            return (left.clone(), right.clone());
        }
    }
    let target = text::width(&target_style.short);
    let spare = room.saturating_sub(text::width(&place) + 3);
    if spare < MIN_COMBINED_WIDTH {
        return (text::truncate(&target_style.short, room.saturating_sub(text::width(&place))), place);
    }
    let name = text::truncate(&name, spare.saturating_sub(target.min(MIN_TARGET_WIDTH)).max(spare / 2));
    (text::truncate(&target_style.short, spare - text::width(&name)), format!("{name} @ {place}"))
}

/// Returns a short name of the caller: a user name, or a role and its session name. For a role of IAM Identity Center,
/// returns the name of the permission set instead of the role name.
fn short_principal(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    let short = match resource.split_once('/') {
        Some(("assumed-role", rest)) => match rest.split_once('/') {
            Some((role, session)) => format!("{}/{session}", permission_set(role).unwrap_or(role)),
            None => rest.to_owned(),
        },
        _ => resource.rsplit('/').next().unwrap_or(resource).to_owned(),
    };
    text::escape_controls(&short)
}

/// Returns `NAME` from `AWSReservedSSO_NAME_0123456789abcdef`.
fn permission_set(role: &str) -> Option<&str> {
    let (name, digits) = role.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
    (digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_principal_is_the_user_role_session_or_permission_set() {
        for (arn, name) in [
            ("arn:aws:iam::111122223333:user/Admin", "Admin"),
            ("arn:aws:iam::111122223333:user/division/team/Admin", "Admin"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws-cn:sts::111122223333:assumed-role/Auditor/alice@example.com", "Auditor/alice@example.com"),
            ("arn:aws:sts::111122223333:federated-user/bob", "bob"),
            (
                "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Key_Admins_0123456789abcdef/alice",
                "Key_Admins/alice",
            ),
            ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_odd/alice", "AWSReservedSSO_odd/alice"),
            ("", ""),
        ] {
            assert_eq!(short_principal(arn), name);
        }
    }

    #[test]
    fn time_ahead_is_shown_beside_the_target() {
        let (mut app, _) = App::new(Target::Bundled, "us-west-2");
        for (seconds, long) in [
            (0, "bundled AWS"),
            (90, "bundled AWS +1 m 30 s"),
            (7 * 86_400, "bundled AWS +7 d"),
            (86_400 + 12 * 3600 + 59, "bundled AWS +1 d 12 h"),
        ] {
            app.seconds_ahead = seconds;
            assert_eq!(TargetStyle::for_app(&app).long, long);
        }
    }

    #[test]
    fn header_shows_target_principal_account_and_region_from_60_columns() {
        let targets =
            [Target::Bundled, Target::Aws, Target::Endpoint("vpce-0a1b2c3d4e5f.vpce.amazonaws.com".to_owned())];
        for target in targets {
            let (mut app, _) = App::new(target, "ap-southeast-2");
            app.account.account_id = "111122223333".to_owned();
            app.account.caller_arn = "arn:aws:sts::111122223333:assumed-role/KeyAdministrator/session".to_owned();
            app.account.is_read_only = true;
            for width in 60_usize..200 {
                let target_style = TargetStyle::for_app(&app);
                let room = width - READ_ONLY.len() - GAP - 2;
                let (left, right) = fit_texts(&app, &target_style, room);
                assert!(text::width(&left) + text::width(&right) <= room, "{width}: {left} {right}");
                assert!(right.ends_with(" @ 111122223333 · ap-southeast-2") && right.starts_with("KeyA"), "{right}");
                assert!(!left.is_empty(), "{width}");
            }
        }
    }
}
