//! The legs of a flow, from the caller's request to its traces, with the explanation of each one.

use ratatui::text::{Line, Span};

use super::flow::FlowDetails;
use super::proxy_legs::is_unhealthy;
use super::{milliseconds, refused_by};
use crate::aws::scalar::Blob;
use crate::aws::xray::{
    FlowAuthorization, FlowCipher, FlowExchange, FlowStage, FlowStatement, PolicySource, StatementEffect,
};
use crate::create_key::account_state::AccountState;
use crate::error_remedies;
use crate::text::{hex, plural, time};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;
use crossterm::event::KeyCode;

/// The number of columns of a shortened value.
const SHORT_VALUE: usize = 33;
/// The least number of columns of a value in the table of fields.
const MIN_VALUE: usize = 12;

/// Writes the legs of one flow.
pub(super) struct Legs<'a> {
    pub(super) details: &'a FlowDetails,
    account: &'a AccountState,
    /// The number of the last leg.
    number: u32,
}

/// Returns the bytes as hexadecimal digits, shortened in the middle, with their number.
pub(super) fn bytes(blob: &Blob) -> String {
    if blob.is_empty() {
        return "-".to_owned();
    }
    format!("{} ({})", shorten(&hex(&blob.0)), plural(blob.0.len(), "byte", "bytes"))
}

/// Shortens a text in the middle.
pub(super) fn shorten(value: &str) -> String {
    shorten_to(value, SHORT_VALUE)
}

/// Shortens a text in the middle to this number of columns.
fn shorten_to(value: &str, columns: usize) -> String {
    let characters: Vec<char> = value.chars().collect();
    if characters.len() <= columns {
        return value.to_owned();
    }
    let end = characters.len() - columns.saturating_sub(1) / 2;
    characters[..columns / 2].iter().chain(&['…']).chain(&characters[end..]).collect()
}

impl<'a> Legs<'a> {
    pub(super) fn new(details: &'a FlowDetails, account: &'a AccountState) -> Self {
        Self { details, account, number: 0 }
    }

    /// Writes the heading of the next leg.
    pub(super) fn heading(&mut self, view: &mut ScrollView, title: &str) {
        self.number += 1;
        view.heading(&format!("{} {title}", self.number));
    }

    /// Writes all legs.
    pub(super) fn write(mut self, view: &mut ScrollView) {
        self.write_summary(view);
        self.write_request(view);
        self.write_authorization(view);
        let flow = &self.details.flow;
        for cipher in &flow.ciphers {
            let exchange = flow
                .exchanges
                .iter()
                .find(|exchange| exchange.operation == if cipher.is_decryption { "Decrypt" } else { "Encrypt" });
            let which = match (flow.ciphers.len(), cipher.is_decryption) {
                (0 | 1, _) => "",
                (_, true) => ", source key",
                (_, false) => ", destination key",
            };
            if cipher.is_decryption {
                self.write_exchange(view, exchange, which);
                self.write_proxy_check(view, exchange);
                self.write_second_layer(view, cipher, which);
                self.write_first_layer(view, cipher, which);
            } else {
                self.write_first_layer(view, cipher, which);
                self.write_exchange(view, exchange, which);
                self.write_proxy_check(view, exchange);
                self.write_second_layer(view, cipher, which);
            }
        }
        if flow.ciphers.is_empty() {
            for exchange in &flow.exchanges {
                self.write_exchange(view, Some(exchange), "");
                self.write_proxy_check(view, Some(exchange));
            }
        }
        self.write_ciphertext(view);
        self.write_traces(view);
    }

    fn write_summary(&self, view: &mut ScrollView) {
        let summary = &self.details.flow.summary;
        match (&summary.error_code, summary.refused_at) {
            (None, _) if self.details.flow.exchanges.iter().any(is_unhealthy) => {
                view.paragraph("All external key managers behind the proxy are unavailable", 2, theme::ERROR)
            }
            (None, _) => view.paragraph("Succeeded", 2, theme::SUCCESS),
            (Some(code), stage) => {
                let stage = stage.unwrap_or_default();
                let by = match self.details.flow.exchanges.last() {
                    Some(FlowExchange { status: None, .. }) if stage == FlowStage::Proxy => {
                        "no response from the external key store proxy".to_owned()
                    }
                    Some(FlowExchange { status: Some(200), .. }) if stage == FlowStage::Proxy => {
                        "refused by AWS KMS, which can't use the response of the external key store proxy".to_owned()
                    }
                    _ => format!("refused by {}", refused_by(stage)),
                };
                view.paragraph(&format!("{code}: {by}"), 2, theme::ERROR)
            }
        };
        if let Some(message) = &self.details.flow.error_message {
            view.paragraph(message, 4, theme::TEXT);
            let code = summary.error_code.as_deref().unwrap_or_default();
            if summary.refused_at == Some(FlowStage::Proxy) {
                let remedy = error_remedies::for_error(code, message);
                view.paragraph(&format!("What to do: {}", remedy.action), 4, theme::TEXT);
            }
        }
        let Some(cipher) = self.details.flow.ciphers.last() else { return };
        // The last field says whether there is a second layer, also for a request that was refused before it.
        let Some(last) = self.details.flow.fields.last() else { return };
        let is_external = cipher.second_layer.is_some() || last.layer.starts_with("Layer 2");
        let words = if is_external {
            "The plaintext is encrypted twice: first by AWS KMS with key material in AWS (layer 1), then by the external key \
             manager with the external key (layer 2). To decrypt it, both layers must be removed. Deleting either key is \
             final: nobody can decrypt the ciphertext then, neither AWS nor the external key manager."
        } else {
            "The plaintext is encrypted once, by AWS KMS with key material in AWS, because the KMS key isn't in an external \
             key store. Deleting the KMS key is final: nobody can decrypt the ciphertext then."
        };
        view.paragraph(words, 2, theme::TEXT);
    }

    fn write_request(&mut self, view: &mut ScrollView) {
        self.heading(view, "Caller's request");
        let flow = &self.details.flow;
        view.key_value("Operation", &flow.summary.operation, theme::TEXT);
        view.key_value("Caller", &flow.summary.caller, theme::TEXT);
        view.key_value("KMS key", &super::key_name(flow.summary.key_arn.as_deref(), self.account), theme::TEXT);
        view.key_value("Time", &time::to_millisecond(flow.summary.time), theme::TEXT);
        view.key_value("Duration", &milliseconds(flow.summary.microseconds), theme::TEXT);
        view.key_value("Request ID", &flow.summary.flow_id, theme::TEXT);
        view.key_value("Access key ID", &flow.access_key_id, theme::TEXT);
        view.key_value("Source IP address", flow.source_ip.as_deref().unwrap_or("localhost"), theme::TEXT);
        for cipher in &flow.ciphers {
            let context: Vec<String> =
                cipher.encryption_context.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let context = if context.is_empty() { "None".to_owned() } else { context.join(", ") };
            view.key_value("Encryption context", &context, theme::TEXT);
            let plaintext = cipher.plaintext_length.map_or_else(
                || "Not decrypted".to_owned(),
                |length| format!("{} (not recorded)", plural(length, "byte", "bytes")),
            );
            view.key_value("Plaintext", &plaintext, theme::TEXT);
        }
    }

    fn write_authorization(&mut self, view: &mut ScrollView) {
        if self.details.flow.authorizations.is_empty() {
            return;
        }
        self.heading(view, "Authorization");
        for authorization in &self.details.flow.authorizations {
            write_authorization(view, authorization);
        }
    }

    fn write_first_layer(&mut self, view: &mut ScrollView, cipher: &FlowCipher, which: &str) {
        let Some(layer) = &cipher.first_layer else { return };
        self.heading(view, &format!("Layer 1: AWS KMS{which}"));
        let words = match (cipher.is_decryption, layer.is_complete, layer.ciphertext_length) {
            (false, ..) => {
                "✓ AWS KMS encrypted the plaintext with a key that it derives for this message. The key material never \
                 leaves AWS KMS."
            }
            (true, true, _) => {
                "✓ AWS KMS removed layer 1 with the key material, and returned the plaintext to the caller."
            }
            (true, false, None) => "⊘ Not reached: layer 2 must be removed first.",
            (true, false, Some(_)) => {
                "✗ AWS KMS refused the ciphertext: the tag of layer 1 doesn't match, because the ciphertext or the \
                 encryption context was changed."
            }
        };
        write_verdict(view, words);
        view.key_value("Algorithm", "AES-256-GCM", theme::TEXT);
        view.key_value("Key", "HKDF-SHA-256 of the key material, with salt and key ARN", theme::TEXT);
        view.key_value("Key material ID", &shorten(&layer.material_id), theme::TEXT);
        view.key_value("Salt", &bytes(&layer.salt), theme::TEXT);
        view.key_value("IV", &bytes(&layer.iv), theme::TEXT);
        view.key_value("Tag", &bytes(&layer.tag), theme::TEXT);
        let length = layer.ciphertext_length.map_or("-".to_owned(), |length| plural(length, "byte", "bytes"));
        view.key_value("Ciphertext", &length, theme::TEXT);
        view.key_value("Authenticated data", &bytes(&layer.aad), theme::TEXT);
        view.paragraph(
            "The authenticated data is the header of the ciphertext and the encryption context. It isn't encrypted, but \
             decryption fails if it was changed.",
            2,
            theme::SECONDARY,
        );
    }

    fn write_second_layer(&mut self, view: &mut ScrollView, cipher: &FlowCipher, which: &str) {
        let Some(layer) = &cipher.second_layer else { return };
        self.heading(view, &format!("Layer 2: external key manager{which}"));
        let words = match (cipher.is_decryption, layer.is_complete) {
            (false, true) => {
                "✓ The external key manager encrypted the result of layer 1 again, with the external key, which never leaves \
                 it. It doesn't know the key material of AWS KMS, so it can't read the plaintext."
            }
            (true, true) => {
                "✓ The external key manager removed layer 2 with the external key. What it returned is still encrypted."
            }
            (false, false) => "✗ The external key manager didn't encrypt the result of layer 1.",
            (true, false) => {
                "✗ The external key manager didn't remove layer 2. Without it, AWS KMS can't even try to remove layer 1."
            }
        };
        write_verdict(view, words);
        view.key_value("External key ID", &layer.external_key_id, theme::TEXT);
        let version = layer.key_version.map_or("-".to_owned(), |version| version.to_string());
        view.key_value("External key version", &version, theme::TEXT);
        view.key_value("IV", &bytes(&layer.iv), theme::TEXT);
        view.key_value("Tag", &bytes(&layer.tag), theme::TEXT);
        view.key_value("Ciphertext metadata", &bytes(&layer.metadata), theme::TEXT);
        view.key_value("Ciphertext", &plural(layer.ciphertext_length, "byte", "bytes"), theme::TEXT);
        view.key_value("Authenticated data", &bytes(&layer.aad), theme::TEXT);
        view.paragraph(
            "The authenticated data is the SHA-256 digest of that of layer 1, so both layers are bound to the same \
             encryption context.",
            2,
            theme::SECONDARY,
        );
    }

    fn write_ciphertext(&mut self, view: &mut ScrollView) {
        let fields = &self.details.flow.fields;
        let Some(blob) = self.details.flow.ciphers.last().and_then(|cipher| cipher.blob.as_ref()) else { return };
        self.heading(view, &format!("Ciphertext: {}", plural(blob.0.len(), "byte", "bytes")));
        view.paragraph(
            "AWS doesn't publish the layout of its ciphertexts, so this layout is that of the bundled AWS only. \
             xks-console explain shows the same.",
            2,
            theme::SECONDARY,
        );
        if fields.is_empty() {
            view.paragraph("The ciphertext can't be parsed.", 2, theme::ERROR);
            return;
        }
        let name_width = fields.iter().map(|field| text::width(&field.name)).max().unwrap_or(0);
        let value_width = view.width.saturating_sub(name_width + 21).clamp(MIN_VALUE, SHORT_VALUE);
        let mut layer = "";
        for field in fields {
            if field.layer != layer {
                layer = &field.layer;
                view.blank_line();
                view.push_line(Line::styled(format!("  {}", text::escape_controls(layer)), theme::HEADING));
                let title = format!("  OFFSET  LENGTH  {}  VALUE", text::fit("FIELD", name_width));
                view.push_line(Line::styled(title, theme::SECONDARY));
            }
            let name = text::fit(&text::escape_controls(&field.name), name_width);
            view.push_line(Line::from(vec![
                Span::raw(format!("  {:>6}  {:>6}  {name}  ", field.offset, field.length)),
                Span::styled(text::escape_controls(&shorten_to(&field.value, value_width)), theme::VALUE),
            ]));
            if field.length != 2 {
                view.paragraph(&field.meaning, 18, theme::SECONDARY);
            }
        }
    }

    fn write_traces(&mut self, view: &mut ScrollView) {
        self.heading(view, "Traces: CloudTrail and the log of the proxy");
        match &self.details.event {
            Some(event) => {
                view.clickable(Click::PageKey(KeyCode::Enter.into()), |view| {
                    view.push_line(Line::from(vec![
                        Span::styled("  Enter", theme::ACCENT),
                        Span::raw(format!("  CloudTrail event {}", text::escape_controls(&event.event_name))),
                    ]));
                    view.paragraph(&event.event_id, 9, theme::SECONDARY);
                });
            }
            None if self.details.flow.event_id.is_none() => {
                view.paragraph("AWS made this request itself, so there is no CloudTrail event.", 2, theme::TEXT);
            }
            None => {
                view.paragraph("The CloudTrail event wasn't found.", 2, theme::TEXT);
            }
        }
        for request in &self.details.proxy_requests {
            let result = request.error_name.as_deref().unwrap_or("OK");
            let words = format!(
                "Proxy log: {} {} {} {result}, {}, kmsRequestId {}",
                time::to_millisecond(request.time),
                request.operation,
                request.status,
                milliseconds(request.microseconds),
                request.kms_request_id.as_deref().unwrap_or("-"),
            );
            view.paragraph(&words, 2, theme::TEXT);
        }
    }
}

/// Writes a sentence that starts with its symbol, in the style of that symbol.
pub(super) fn write_verdict(view: &mut ScrollView, words: &str) {
    let style = match words.chars().next() {
        Some('✓') => theme::SUCCESS,
        Some('✗') => theme::ERROR,
        _ => theme::TEXT,
    };
    view.paragraph(words.trim_start_matches(['✓', '✗', ' ']), 2, style);
}

fn write_authorization(view: &mut ScrollView, authorization: &FlowAuthorization) {
    let FlowAuthorization { action, resource, is_allowed, statements } = authorization;
    let words = if *is_allowed { "allowed" } else { "denied" };
    write_verdict(view, &format!("{} {action} is {words} on {resource}", if *is_allowed { '✓' } else { '✗' }));
    for statement in statements {
        view.paragraph(&describe(statement), 4, theme::TEXT);
    }
    if !is_allowed && statements.iter().all(|statement| statement.effect != StatementEffect::Deny) {
        view.paragraph("No statement of a policy and no grant allows it.", 4, theme::TEXT);
    }
}

fn describe(statement: &FlowStatement) -> String {
    let id = statement.id.as_deref();
    let policy = match statement.source {
        PolicySource::KeyPolicy => "Key policy",
        PolicySource::IamPolicy => "IAM policy of the caller",
        PolicySource::SessionPolicy => "Session policy of the caller",
        PolicySource::Grant => return format!("Grant {} allows it.", id.unwrap_or_default()),
        PolicySource::Unknown => "Policy",
    };
    let sid = id.map_or_else(|| " (no Sid)".to_owned(), |sid| format!(" \"{sid}\""));
    let effect = match statement.effect {
        StatementEffect::Allow => "allows it",
        StatementEffect::Delegate => "lets the IAM policies of the account decide",
        StatementEffect::Deny => "denies it",
        StatementEffect::Unknown => "decided",
    };
    format!("{policy}: statement {}{sid} {effect}.", statement.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_described_with_their_sid_and_effect() {
        let statement = |source, effect, id: Option<&str>| {
            describe(&FlowStatement { source, effect, number: 2, id: id.map(str::to_owned) })
        };
        assert_eq!(
            statement(PolicySource::KeyPolicy, StatementEffect::Delegate, Some("Enable IAM User Permissions")),
            "Key policy: statement 2 \"Enable IAM User Permissions\" lets the IAM policies of the account decide."
        );
        assert_eq!(
            statement(PolicySource::IamPolicy, StatementEffect::Deny, None),
            "IAM policy of the caller: statement 2 (no Sid) denies it."
        );
        assert_eq!(statement(PolicySource::Grant, StatementEffect::Allow, Some("00ff")), "Grant 00ff allows it.");
    }

    #[test]
    fn long_values_are_shortened_in_the_middle() {
        assert_eq!(shorten(&"a".repeat(33)), "a".repeat(33));
        let long = format!("{}{}", "a".repeat(40), "b".repeat(40));
        assert_eq!(shorten(&long), format!("{}…{}", "a".repeat(16), "b".repeat(16)));
        assert_eq!(shorten_to(&long, 12), "aaaaaa…bbbbb");
        assert_eq!(bytes(&Blob(vec![0xab])), "ab (1 byte)");
    }
}
