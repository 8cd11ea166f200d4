//! One file a page: what the person is at there, what keys do, how it is drawn.

pub mod api_call;
pub mod api_calls;
pub mod event;
pub mod events;
pub mod external_keys;
pub mod key;
pub mod key_store;
pub mod key_stores;
pub mod keys;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::connect::AfterConnect;
use super::dialogs::{FormKind, Menu};
use super::effect::Call;
use super::theme;
use super::widgets::scroll_view::ScrollView;
use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::text;

/// A place in the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The list of external key stores.
    KeyStores,
    /// The page of one store, by its ID.
    KeyStore(String),
    /// The list of customer managed keys.
    Keys,
    /// The list of AWS managed keys.
    AwsKeys,
    /// What AWS CloudHSM key stores are.
    CloudHsm,
    /// The page of one KMS key, by its ID.
    Key(String),
    /// The external keys of the bundled external key manager.
    ExternalKeys,
    /// The events of CloudTrail.
    Events,
    /// The page of one event, by its ID.
    Event(String),
    /// The calls that this console has made.
    ApiCalls,
    /// The page of one of them, by its number.
    ApiCall(u64),
    /// The create key wizard.
    CreateKey,
}

/// What a page wants from the console around it.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    /// Show another page.
    Navigate(Location),
    /// Ask AWS.
    Request(Call),
    /// Put this on the clipboard: what it is, and the text.
    Copy(&'static str, String),
    /// Open the wizard for a store, connecting it first when it is not.
    CreateKey(String),
    /// Show what can be done with what is chosen.
    OpenMenu(Menu),
    /// Open the form of a task.
    OpenTask(FormKind),
    /// Open the wizard of Method 2.
    OpenWizard,
    /// Connect a store.
    Connect(String, AfterConnect),
    /// Ask whether to disconnect a store.
    ConfirmDisconnect(String),
}

/// Writes how far a list is when it is not there; whether it is.
pub fn write_load_state<T>(view: &mut ScrollView, what: &str, loaded: &Loadable<T>) -> bool {
    match loaded {
        Loadable::Ready(_) => return true,
        Loadable::Idle | Loadable::Loading => {
            view.push_line(Line::styled(format!("  … Loading {what}"), theme::MUTED));
        }
        Loadable::Failed(reason) => {
            view.push_line(Line::styled(format!("  ✗ Could not load {what}"), theme::ERROR));
            view.error(reason, 4, theme::TEXT);
            view.paragraph("Press r to try again.", 4, theme::MUTED);
        }
    }
    false
}

/// A moment as the console prints it, in UTC.
pub fn format_date(at: Timestamp) -> String {
    at.strftime("%b %d, %Y %H:%M UTC").to_string()
}

/// What *AWS CloudHSM key stores* are, for people who look for them here.
pub fn draw_cloud_hsm(frame: &mut Frame, area: Rect) {
    let mut view = ScrollView::new(area.width.min(100));
    view.heading("AWS CloudHSM key stores");
    view.blank_line();
    for words in [
        "An AWS CloudHSM key store is a custom key store too. Its KMS keys live in an AWS CloudHSM cluster that you own: \
         inside of AWS, on hardware of your own.",
        "An external key store keeps its keys outside of AWS, in your external key manager behind an external key store proxy.",
        "This console is about external key stores. Use the AWS console or the AWS CLI for AWS CloudHSM key stores.",
    ] {
        view.paragraph(words, 2, theme::TEXT);
        view.blank_line();
    }
    view.draw(frame, area);
}

/// *Key store actions* for a store.
pub fn key_store_actions_menu(store_id: &str, known: &AccountState) -> Option<PageEvent> {
    let keys = known.keys.ready().map_or(&[][..], Vec::as_slice);
    let count = keys.iter().filter(|key| key.custom_key_store_id.as_deref() == Some(store_id)).count();
    known.key_store(store_id).map(|store| PageEvent::OpenMenu(Menu::for_store(store, count)))
}

/// Whether nobody knows when something was created, because its date couldn't be read.
fn has_unreadable_date(date: EpochSeconds, problem: Option<&str>) -> bool {
    problem.is_some() && date == EpochSeconds::default()
}

/// The date of something of which not everything may be readable.
fn format_date_or_unreadable(at: EpochSeconds, problem: Option<&str>) -> String {
    if has_unreadable_date(at, problem) { UNREADABLE.to_owned() } else { format_date(at.0) }
}

/// Says what of something AWS returned in a form that this version can't read.
fn write_problem(view: &mut ScrollView, what: &str, problem: Option<&str>) {
    if let Some(problem) = problem {
        let words = format!("▲ AWS returned this {what} in a format that this version can't read in full: {problem}.");
        view.paragraph(&text::escape_controls(&words), 2, theme::WARNING);
        view.blank_line();
    }
}
