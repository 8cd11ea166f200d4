//! The pages, one module each: state, key handling, and drawing.

pub mod api_call;
pub mod api_calls;
pub mod event;
pub mod events;
pub mod external_keys;
pub mod key;
pub mod key_store;
pub mod key_stores;
pub mod keys;
pub mod proxy_faults;
pub mod workloads;
pub mod xray;

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::connect::AfterConnect;
use super::dialogs::{FormKind, Menu};
use super::effect::Call;
use super::keymap::Action;
use super::theme;
use super::widgets::canvas::Canvas;
use super::widgets::container::Container;
use super::widgets::scroll_view::ScrollView;
use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;
use crate::client::find::Found;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::key_summary::KeySummary;
use crate::listing::keys::has_unreadable_date;
use crate::text::{self, time};

/// The name of a copied key store ID in messages.
const KEY_STORE_ID: &str = "custom key store ID";

/// A page of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The list of external key stores.
    KeyStores,
    /// The page of one key store, by its ID.
    KeyStore(String),
    /// The list of customer managed keys.
    Keys,
    /// The list of AWS managed keys.
    AwsKeys,
    /// The explanation of AWS CloudHSM key stores.
    CloudHsm,
    /// The page of one KMS key, by its ID.
    Key(String),
    /// The external keys of the bundled external key manager.
    ExternalKeys,
    /// The proxy faults of the bundled AWS.
    ProxyFaults,
    /// The applications of the bundled AWS that use its keys.
    Workloads,
    /// The list of CloudTrail events.
    Events,
    /// The page of one event, by its ID.
    Event(String),
    /// The list of API calls that this console made.
    ApiCalls,
    /// The page of one API call, by its number.
    ApiCall(u64),
    /// The create key wizard.
    CreateKey,
    /// The list of flows of the bundled AWS.
    Xray,
    /// The page of one flow, by its ID.
    XrayFlow(String),
}

impl From<Found> for Location {
    fn from(found: Found) -> Self {
        match found {
            Found::Key(key) => Self::Key(key.key_id),
            Found::KeyStore(id) => Self::KeyStore(id),
        }
    }
}

/// A request from a page to the app.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    /// Show another page.
    Navigate(Location),
    /// Perform a call.
    Request(Call),
    /// Find a key or a key store by any of its names, and show its page.
    Find(String),
    /// Copy a text to the clipboard: its name and the text.
    Copy(&'static str, String),
    /// Open the wizard for a key store. A disconnected key store is connected first.
    CreateKey(String),
    /// Open the actions menu.
    OpenMenu(Menu),
    /// Open the actions menu of a key, by its ID. It needs the tags and the policy of the key.
    OpenKeyMenu(String),
    /// Open a form.
    OpenTask(FormKind),
    /// Open the wizard of Method 2.
    OpenWizard,
    /// Open the dialog that connects a key store.
    Connect(String, AfterConnect),
    /// Open the dialog that confirms disconnecting a key store.
    ConfirmDisconnect(String),
}

/// Returns whether the data is loaded. If not, writes that it is loading or why it failed.
pub fn write_load_state<T>(view: &mut ScrollView, what: &str, loaded: &Loadable<T>) -> bool {
    match loaded {
        Loadable::Ready(_) => return true,
        Loadable::Idle | Loadable::Loading => {
            view.push_line(Line::styled(format!("  … Loading {what}"), theme::SECONDARY));
        }
        Loadable::Failed(reason) => {
            view.push_line(Line::styled(format!("  ✗ Couldn't load {what}"), theme::ERROR));
            view.error(reason, 4, theme::TEXT);
            view.paragraph("Press r to try again.", 4, theme::SECONDARY);
        }
    }
    false
}

/// Writes that a list is empty, and what to do.
pub fn write_empty_list(view: &mut ScrollView, title: &str, hint: &str) {
    view.blank_line();
    view.paragraph(title, 2, theme::HEADING);
    view.paragraph(hint, 2, theme::TEXT);
}

/// Draws the page that explains *AWS CloudHSM key stores*.
pub fn draw_cloud_hsm(canvas: &mut Canvas, area: Rect) {
    let area = Container::new("AWS CloudHSM key stores").draw(canvas, area);
    let mut view = ScrollView::new(area.width);
    for words in [
        "An AWS CloudHSM key store is a custom key store backed by an AWS CloudHSM cluster that you own and manage. \
         Its key material stays in AWS.",
        "An external key store is a custom key store backed by an external key manager outside of AWS. AWS KMS \
         reaches it through an external key store proxy.",
        "This console manages external key stores only. To manage AWS CloudHSM key stores, use the AWS Management \
         Console or the AWS CLI.",
    ] {
        view.paragraph(words, 2, theme::TEXT);
        view.blank_line();
    }
    view.draw(canvas, area);
}

/// Returns the event that copies the ID or the ARN of a KMS key.
pub fn copy_key(key: &KeySummary, action: Action) -> PageEvent {
    match action {
        Action::CopyArn => PageEvent::Copy("key ARN", key.arn.to_string()),
        _ => PageEvent::Copy("key ID", key.key_id().to_owned()),
    }
}

/// Returns the event that opens the *Key store actions* menu of a key store.
pub fn key_store_actions_menu(store_id: &str, known: &AccountState) -> Option<PageEvent> {
    key_store_actions(store_id, known).map(PageEvent::OpenMenu)
}

/// Returns the actions of a key store, if it is loaded.
pub fn key_store_actions(store_id: &str, known: &AccountState) -> Option<Menu> {
    let keys = known.customer_managed_keys();
    let count = keys.iter().filter(|key| key.custom_key_store_id.as_deref() == Some(store_id)).count();
    known.key_store(store_id).map(|store| Menu::for_store(store, count))
}

/// Formats a date, or returns the placeholder for a date that couldn't be read.
fn format_date_or_unreadable(at: EpochSeconds, problem: Option<&str>) -> String {
    if has_unreadable_date(at, problem) { UNREADABLE.to_owned() } else { time::to_minute(at.0) }
}

/// Writes a warning if this version couldn't read a part of the AWS response.
fn write_problem(view: &mut ScrollView, what: &str, problem: Option<&str>) {
    if let Some(problem) = problem {
        let words = format!(
            "▲ AWS returned this {what} in a format that this version of xks-console can't fully read: {problem}."
        );
        view.warning(&text::escape_controls(&words), 2);
        view.blank_line();
    }
}
