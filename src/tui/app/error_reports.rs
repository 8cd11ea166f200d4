//! Shows reports of errors.

use jiff::Timestamp;

use super::App;
use crate::build_info::BuildInfo;
use crate::tui::effect::{Call, Effect};
use crate::tui::error_report::{ErrorDetails, ErrorReport, MAX_CALLS};
use crate::tui::flash::Link;
use crate::tui::pages::Location;
use crate::tui::text_view::TextView;

impl App {
    /// Returns the error in the newest message, if it is one.
    fn shown_error(&self) -> Option<&ErrorDetails> {
        let flash = self.flashes.last().filter(|flash| !flash.is_success)?;
        flash.links.iter().find_map(|link| if let Link::Text(_, view) = link { view.error() } else { None })
    }

    /// Returns whether the newest message is an error, and the page has no other use for the key of the report.
    pub fn shows_reportable_error(&self) -> bool {
        let is_key_taken = matches!(self.location, Location::Key(_)) && self.key.shows_encrypt_and_decrypt();
        self.shown_error().is_some() && !is_key_taken && !self.is_typing()
    }

    /// Requests the report of the error in the newest message.
    pub(super) fn report_shown_error(&mut self) -> Vec<Effect> {
        let error = self.shown_error().cloned();
        error.map(|error| self.report_error(error)).unwrap_or_default()
    }

    /// Requests the report of an error. It is shown when the time is known.
    pub(super) fn report_error(&mut self, error: ErrorDetails) -> Vec<Effect> {
        self.pending_report = Some(error);
        vec![self.request(Call::CurrentTime)]
    }

    /// Shows the requested report.
    pub(super) fn on_report_time(&mut self, time: Timestamp) {
        let Some(error) = self.pending_report.take() else { return };
        let call = self.api_calls.newest_first().find(|call| error.is_of(call));
        // After a failure, the console loads its data again, which makes many calls.
        let others = self.api_calls.newest_first().filter(|other| call.is_none_or(|call| !std::ptr::eq(*other, call)));
        let report = ErrorReport {
            time,
            error: &error,
            call,
            region: &self.account.region,
            target: &self.target,
            build: &BuildInfo::current(),
            screen_size: self.screen_size,
            calls: call.into_iter().chain(others).take(MAX_CALLS).collect(),
        };
        self.text_view = Some(TextView::new("error report", report.to_string()));
    }
}
