//! The dialog that moves the clock of the account forward.

use super::events::InputError;
use crate::aws::xks_console::AdvanceAccountClock;
use crate::clock_step::{self, InvalidStep};
use crate::tui::effect::Change;
use crate::tui::theme;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;

const STEP: &str = "step";

pub(super) fn form() -> Form {
    let hint = "Weeks, days, hours, minutes, and seconds, such as 7d, 12h, 30m, or 1d12h.";
    let field =
        FormField { name: STEP, label: "Time to move forward", hint: hint.to_owned(), input: FormInput::line("") };
    Form::new(vec![field], "Move the clock", false)
}

pub(super) fn write_intro(view: &mut ScrollView) {
    let words = "The clock of the account moves forward at once: waiting periods end, sessions expire, keys are rotated, and \
                 workloads run. You can't move it back.";
    view.paragraph(words, 0, theme::TEXT);
    view.blank_line();
}

/// Returns the time that the person entered. The plus sign can be left out.
fn step(form: &Form) -> Result<jiff::SignedDuration, InvalidStep> {
    let text = form.text(STEP);
    let text = text.trim();
    if text.starts_with(['+', '-']) { clock_step::parse(text) } else { clock_step::parse(&format!("+{text}")) }
}

pub(super) fn validate(form: &Form) -> Vec<InputError> {
    let message = match step(form) {
        Ok(_) => return Vec::new(),
        Err(InvalidStep::Malformed) => "Enter a time in weeks, days, hours, minutes, and seconds, such as 7d or 1d12h.",
        Err(InvalidStep::Backward) => "Enter a time above zero. The clock of an account only moves forward.",
        Err(InvalidStep::TooLong) => "Enter a shorter time. An account can be ahead by up to 10 years.",
    };
    vec![(STEP, message.to_owned())]
}

pub(super) fn changes(form: &Form) -> Vec<Change> {
    step(form).map(|step| Change::AdvanceClock(AdvanceAccountClock { seconds: step.as_secs() })).into_iter().collect()
}

pub(super) fn success_message(form: &Form) -> String {
    let moved = step(form).map(clock_step::format).unwrap_or_default();
    format!("The clock of the account was moved forward by {moved}.")
}
