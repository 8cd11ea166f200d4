//! The legs of a flow outside AWS: the request to the proxy, its answer, and the proxy's check.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::legs::{Legs, shorten, write_verdict};
use super::milliseconds;
use crate::aws::limits::XKS_PROXY_TIMEOUT_MILLIS;
use crate::aws::xray::FlowExchange;
use crate::text::highlight::Language;
use crate::tui::theme;
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::scroll_view::ScrollView;

/// The number of columns of the bar that shows the time of an answer.
const BAR_WIDTH: usize = 25;

impl Legs<'_> {
    /// Writes the signed request to the proxy, and its answer.
    pub(super) fn write_exchange(&mut self, view: &mut ScrollView, exchange: Option<&FlowExchange>, which: &str) {
        let Some(exchange) = exchange else { return };
        self.heading(view, &format!("Request to the external key store proxy{which}"));
        let words = match exchange.operation.as_str() {
            "Encrypt" => {
                "AWS KMS signs this request with the proxy credential. Its plaintext is the ciphertext and the tag of layer \
                 1: the proxy never gets the plaintext of the caller."
            }
            "Decrypt" => {
                "AWS KMS signs this request with the proxy credential. The plaintext in the response is the ciphertext and the \
                 tag of layer 1: the proxy never gets the plaintext of the caller."
            }
            _ => "AWS KMS signs this request with the proxy credential. It contains no data to encrypt.",
        };
        view.paragraph(words, 2, theme::SECONDARY);
        view.blank_line();
        view.paragraph(&format!("{} {}", exchange.method, exchange.uri), 2, theme::TEXT);
        for header in &exchange.headers {
            view.paragraph(&format!("{}: {}", header.name, header.value), 2, theme::TEXT);
        }
        CodeView::new(Language::Json, &short_json(&exchange.body)).write(view);
        view.blank_line();
        match (exchange.status, &exchange.failure) {
            (Some(status @ 200), None) => write_verdict(view, &format!("✓ Response: HTTP status {status}")),
            (Some(status), failure) => {
                let reason = failure.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                write_verdict(view, &format!("✗ Response: HTTP status {status}{reason}"));
            }
            (None, failure) => {
                let reason = failure.as_deref().unwrap_or("the proxy didn't respond");
                write_verdict(view, &format!("✗ No response: {reason}"));
            }
        }
        write_bar(view, exchange);
        if let Some(answer) = &exchange.answer {
            CodeView::new(Language::Json, &short_json(answer)).write(view);
        }
    }

    /// Writes what the proxy checked, as far as its log says it.
    pub(super) fn write_proxy_check(&mut self, view: &mut ScrollView, exchange: Option<&FlowExchange>) {
        let Some(exchange) = exchange else { return };
        self.heading(view, "The proxy's check");
        if !exchange.is_bundled {
            view.paragraph("This isn't the bundled proxy, so only its response is known.", 2, theme::TEXT);
            return;
        }
        let requests = &self.details.proxy_requests;
        let Some(entry) = requests.iter().find(|entry| entry.operation == exchange.operation) else {
            let words = match exchange.status {
                Some(401) => "✗ The signature isn't valid for a credential of the proxy.",
                Some(_) => "The log of the proxy has no entry for this request.",
                None => "✗ The proxy didn't log this request, so the request may not have reached it.",
            };
            write_verdict(view, words);
            return;
        };
        write_verdict(view, "✓ The signature is valid for a credential of the proxy.");
        let accepted = match exchange.operation.as_str() {
            "GetHealthStatus" if is_unhealthy(exchange) => {
                "✗ All external key managers behind the proxy are unavailable."
            }
            "GetHealthStatus" => "✓ The external key managers behind the proxy are healthy.",
            "GetKeyMetadata" => "✓ The external key exists, and this caller can use it.",
            _ => "✓ The external key exists, is enabled, and can be used by this caller.",
        };
        match entry.error_name.as_deref() {
            // The check comes before the decryption, which has failed then.
            None | Some("InvalidCiphertextException") => write_verdict(view, accepted),
            Some(name) => write_verdict(view, &format!("✗ The proxy refused the request with {name}.")),
        }
        view.key_value("Access key ID", entry.access_key_id.as_deref().unwrap_or_default(), theme::TEXT);
        view.key_value("Partition", &entry.partition, theme::TEXT);
        view.key_value("External key ID", entry.external_key_id.as_deref().unwrap_or_default(), theme::TEXT);
        view.key_value("Time in the proxy", &milliseconds(entry.microseconds), theme::TEXT);
        if let Some(rule) = &entry.denied_by {
            view.key_value("Denied by", rule, theme::ERROR);
        }
    }
}

/// Returns whether a response says that no external key manager behind the proxy is available.
pub(super) fn is_unhealthy(exchange: &FlowExchange) -> bool {
    let answer = exchange.answer.as_deref().and_then(|answer| serde_json::from_str::<Value>(answer).ok());
    let members = answer.as_ref().and_then(|answer| answer["ekmFleetDetails"].as_array());
    exchange.operation == "GetHealthStatus"
        && members.is_some_and(|members| members.iter().all(|member| member["healthStatus"] == "UNAVAILABLE"))
}

/// Returns JSON with indentation, and with long strings shortened. Other text is shortened as a whole.
fn short_json(body: &str) -> String {
    fn shorten_strings(value: &mut Value) {
        match value {
            // IDs and ARNs are shown in full, unlike binary data.
            Value::String(text) if !text.starts_with("arn:") && text.len() > 60 => *text = shorten(text),
            Value::Array(items) => items.iter_mut().for_each(shorten_strings),
            Value::Object(members) => members.values_mut().for_each(shorten_strings),
            _ => {}
        }
    }
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            shorten_strings(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Err(_) => shorten(body),
    }
}

/// Writes the time of the answer as a bar of the time that AWS KMS allows.
fn write_bar(view: &mut ScrollView, exchange: &FlowExchange) {
    let attempts = match exchange.attempts {
        0 | 1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let Some(microseconds) = exchange.microseconds else {
        view.paragraph(&attempts, 2, theme::TEXT);
        return;
    };
    let used = filled_columns(microseconds);
    let style = if used >= BAR_WIDTH { theme::ERROR } else { theme::SUCCESS };
    view.push_line(Line::from(vec![
        Span::raw("  "),
        Span::styled("█".repeat(used), style),
        Span::styled("·".repeat(BAR_WIDTH - used), theme::SECONDARY),
        Span::raw(format!("  {} of {XKS_PROXY_TIMEOUT_MILLIS} ms, {attempts}", milliseconds(microseconds))),
    ]));
}

/// Returns how many columns of the bar are filled: at least one.
fn filled_columns(microseconds: u64) -> usize {
    let limit = u64::from(XKS_PROXY_TIMEOUT_MILLIS) * 1000;
    let columns = microseconds.saturating_mul(BAR_WIDTH as u64) / limit;
    usize::try_from(columns).unwrap_or(BAR_WIDTH).clamp(1, BAR_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_full_at_the_limit_and_never_empty() {
        assert_eq!(
            [0, 9_999, 10_000, 125_000, 249_999, 250_000, u64::MAX].map(filled_columns),
            [1, 1, 1, 12, 24, 25, 25]
        );
    }

    #[test]
    fn binary_data_is_shortened_but_arns_are_not() {
        let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{}", "0".repeat(36));
        let body = format!(r#"{{"kmsKeyArn":"{arn}","plaintext":"{}"}}"#, "A".repeat(500));
        let text = short_json(&body);
        assert!(text.contains(&arn) && text.contains('…') && text.len() < 300, "{text}");
        assert_eq!(short_json("no JSON"), "no JSON");
    }
}
