//! The line with the path to the current page.

use crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::create_key::method::Method;
use crate::tui::app::App;
use crate::tui::pages::Location;
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::text;

/// The mark between two pages of the path.
const SEPARATOR: &str = " › ";

/// A page of the path, with its location if it can be opened.
type Crumb = (String, Option<Location>);

/// Returns the path to the current page.
fn crumbs(app: &App) -> Vec<Crumb> {
    let store_name = |id: &String| app.account.key_store(id).map_or(id, |store| &store.custom_key_store_name).clone();
    let here = |name: &str| (name.to_owned(), None);
    let kms = here("KMS");
    let stores = || ("External key stores".to_owned(), Some(Location::KeyStores));
    let keys = || ("Customer managed keys".to_owned(), Some(Location::Keys));
    let events = || ("Event history".to_owned(), Some(Location::Events));
    let calls = || ("API calls".to_owned(), Some(Location::ApiCalls));
    match &app.location {
        Location::KeyStores => vec![kms, here("External key stores")],
        Location::KeyStore(id) => vec![kms, stores(), (store_name(id), None)],
        Location::Keys => vec![kms, here("Customer managed keys")],
        Location::AwsKeys => vec![kms, here("AWS managed keys")],
        Location::CloudHsm => vec![kms, here("AWS CloudHSM key stores")],
        Location::Key(id) => vec![kms, keys(), (id.clone(), None)],
        Location::ExternalKeys => vec![kms, here("External key manager")],
        Location::ProxyFaults => vec![kms, here("Proxy faults")],
        Location::Workloads => vec![here("Workloads")],
        Location::Events => vec![here("CloudTrail"), here("Event history")],
        Location::Event(id) => {
            let event = app.events.event(id).or_else(|| app.flow.event(id));
            let name = event.map_or(id, |event| &event.event_name);
            vec![here("CloudTrail"), events(), (name.clone(), None)]
        }
        Location::Xray => vec![here("X-ray")],
        Location::XrayFlow(id) => {
            let name = app.flow.details().map_or(id, |details| &details.flow.summary.operation);
            vec![("X-ray".to_owned(), Some(Location::Xray)), here(name)]
        }
        Location::ApiCalls => vec![here("API calls")],
        Location::ApiCall(number) => {
            vec![calls(), here(app.api_calls.call(*number).map_or("", |call| call.operation))]
        }
        Location::CreateKey => match app.wizard.as_ref().map(|wizard| &wizard.method) {
            Some(Method::FromKeyStore { custom_key_store_id: id }) => {
                let store = (store_name(id), Some(Location::KeyStore(id.clone())));
                vec![kms, stores(), store, here("Create key")]
            }
            _ => vec![kms, keys(), here("Create key")],
        },
    }
}

/// Returns the name of the current page.
pub(super) fn page_name(app: &App) -> String {
    crumbs(app).pop().map(|(name, _)| text::escape_controls(&name)).unwrap_or_default()
}

/// Draws the path. Its first part opens the navigation.
pub(super) fn draw(app: &App, canvas: &mut Canvas, area: Rect) {
    let (mut line, mut x) = (Line::raw(" "), area.x + 1);
    let crumbs = crumbs(app);
    let last = crumbs.len().saturating_sub(1);
    for (index, (name, location)) in crumbs.into_iter().enumerate() {
        let room = usize::from(area.right().saturating_sub(x));
        let name = text::truncate(&text::escape_controls(&name), room);
        let width = u16::try_from(text::width(&name)).unwrap_or(u16::MAX);
        let click = match location {
            Some(location) => Some(Click::Navigate(location)),
            // On narrow screens, the navigation is hidden.
            None if index == 0 && app.is_on_navigation_page() => Some(Click::PageKey(KeyCode::Tab.into())),
            _ => None,
        };
        if let Some(click) = click {
            canvas.on_click(Rect { x, width, height: 1, ..area }, click);
        }
        x = x.saturating_add(width + 3);
        line.push_span(Span::styled(name, if index == last { theme::TEXT } else { theme::SECONDARY }));
        if index < last {
            line.push_span(Span::styled(SEPARATOR, theme::SECONDARY));
        }
    }
    canvas.line(&line, area);
}
