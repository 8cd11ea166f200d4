//! Shows full-screen texts, opens the links of messages, and copies texts to the clipboard.

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Dialog};
use crate::text::plural;
use crate::tui::effect::{CopyResult, Effect};
use crate::tui::flash::{Flash, Link};
use crate::tui::pages::Location;
use crate::tui::pages::xray::flow;
use crate::tui::target::Target;
use crate::tui::text_view::{self, TextView};
use crate::tui::web_address;

/// The name of a copied address in messages.
const WEB_ADDRESS: &str = "address of this page in the AWS web console";

impl App {
    pub(super) fn handle_text_view_event(&mut self, event: text_view::TextViewEvent) -> Vec<Effect> {
        match event {
            text_view::TextViewEvent::Handled => Vec::new(),
            text_view::TextViewEvent::Close => {
                self.text_view = None;
                Vec::new()
            }
            text_view::TextViewEvent::Copy(what, text) => {
                self.text_view = None;
                self.copy(what, text)
            }
            text_view::TextViewEvent::Save(call) => vec![self.request(call)],
            text_view::TextViewEvent::Report(error) => self.report_error(error),
        }
    }

    /// Returns the code of the page or of the preview, to show it on the whole screen.
    fn shown_code(&self) -> Option<TextView> {
        if let Some(Dialog::Preview { .. }) = &self.dialog {
            return self.wizard.as_ref().map(|wizard| wizard.preview_text(&self.account));
        }
        match &self.location {
            Location::CreateKey => self.wizard.as_ref().and_then(|wizard| wizard.shown_code(&self.account)),
            Location::Key(_) => self.key.shown_policy().map(|text| TextView::new("key policy", text)),
            Location::Event(_) => Some(TextView::new("event", self.event.pretty_record())),
            Location::XrayFlow(_) => self.flow.pretty_json().map(|text| TextView::new(flow::NAME, text)),
            Location::ApiCall(number) => {
                let call = self.api_calls.call(*number);
                let text = call.and_then(|call| serde_json::to_string_pretty(call).ok());
                text.map(|text| TextView::new("call", text))
            }
            _ => None,
        }
    }

    /// Shows the code of the page or of the preview on the whole screen.
    pub(super) fn view_code(&mut self) -> Vec<Effect> {
        self.text_view = self.shown_code();
        Vec::new()
    }

    /// Returns the link of the newest message that a key opens.
    pub(super) fn link_at(&self, key: KeyEvent) -> Option<Link> {
        let mut links = self.flashes.last().filter(|_| !self.is_typing())?.links.iter();
        links.rfind(|link| key.modifiers.is_empty() && key.code == KeyCode::Char(link.key())).cloned()
    }

    /// Opens the link of a message. A page closes the message; a text doesn't, so that it can be opened again.
    pub(super) fn open_link(&mut self, link: Link) -> Vec<Effect> {
        match link {
            Link::Page(_, location) => {
                self.flashes.pop();
                self.navigate(location)
            }
            Link::Text(_, view) => {
                self.text_view = Some(view);
                Vec::new()
            }
            Link::TryKey(_, key_id) => self.try_key(&key_id),
        }
    }

    /// Returns the address of the page in the AWS web console, which exists only for AWS itself.
    pub(super) fn web_address(&self) -> Option<String> {
        if self.target == Target::Aws { web_address::of_page(&self.location, &self.account.region) } else { None }
    }

    /// Copies the address of the page in the AWS web console, and shows it.
    pub(super) fn copy_web_address(&mut self) -> Vec<Effect> {
        self.web_address().map(|address| self.copy(WEB_ADDRESS, address)).unwrap_or_default()
    }

    pub(super) fn copy(&mut self, what: &'static str, text: String) -> Vec<Effect> {
        self.pending_copy = Some((what.into(), TextView::new(what, text.clone())));
        vec![Effect::Copy(text)]
    }

    /// Copies the text of this many rows. The message tells their number.
    pub(super) fn copy_rows(&mut self, what: &'static str, rows: usize, text: String) -> Vec<Effect> {
        let name = format!("{what} ({})", plural(rows, "row", "rows"));
        self.pending_copy = Some((name.into(), TextView::new(what, text.clone())));
        vec![Effect::Copy(text)]
    }

    /// Shows the result of copying a text.
    pub(super) fn on_copied(&mut self, copied: CopyResult) {
        let Some((what, view)) = self.pending_copy.take() else { return };
        // An address is also useful to someone who has to type it, or to click it.
        let shown = if what == WEB_ADDRESS { format!("{} ", view.text()) } else { String::new() };
        let (is, was) = if what.ends_with('s') { ("are", "were") } else { ("is", "was") };
        // In a dialog, v isn't the key of the message.
        let view_hint = if self.dialog.is_none() { " Press v to view the text or save it to a file." } else { "" };
        let flash = match copied {
            CopyResult::Clipboard => Flash::success("Copied", format!("The {what} {is} on the clipboard.")),
            CopyResult::Tmux => {
                let rest = "sent to the terminal's clipboard. To paste, press the tmux prefix, then ].";
                Flash::success("Copied", format!("The {what} {is} in tmux's paste buffer and {was} {rest}"))
            }
            CopyResult::Sent => {
                let rest = "Terminals don't confirm receipt.";
                Flash::success("Sent", format!("The {what} {was} sent to the terminal's clipboard. {rest}{view_hint}"))
            }
            CopyResult::TooLong { bytes, max_bytes: most } => {
                let text = format!(
                    "The {what} {is} {bytes} bytes long, but terminals accept at most {most} bytes.{view_hint}"
                );
                Flash::failure("Too long to copy", &text)
            }
        };
        let link = Link::Text("Show all", view);
        let flash = Flash { text: format!("{shown}{}", flash.text), ..flash };
        self.flashes.retain(|flash| !matches!(&*flash.title, "Copied" | "Sent"));
        self.flashes.push(flash.with_link(link));
    }
}
