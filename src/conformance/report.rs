//! The report, as text that is printed after each check or as one JSON document.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::latency::Latency;
use super::probe::Exchange;
use super::response::CheckError;
use super::target::CheckTarget;
use super::{CheckResult, CompletedCheck, Level};
use crate::aws::scalar::SecretString;
use crate::text::{escape_controls, wrap};

/// The width of the text report, in columns.
const COLUMNS: usize = 80;
/// The indentation of the details of a check, and the width of their labels.
const INDENT: usize = 8;
/// JSON strings without spaces are truncated if they are longer.
const MAX_TEXT_LENGTH: usize = 72;
/// Bodies are truncated if they are longer.
const MAX_BODY_LENGTH: usize = 1200;
/// The maximum number of exchanges to show for a check. The last one is the one that failed.
const MAX_EXCHANGES: usize = 3;

/// The number of checks of one level by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OutcomeCounts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// A report of completed checks.
#[derive(Debug)]
pub struct ConformanceReport {
    secret: SecretString,
    is_verbose: bool,
    group: &'static str,
    must: OutcomeCounts,
    should: OutcomeCounts,
    checks: Vec<Value>,
}

impl ConformanceReport {
    /// Creates an empty report. It never shows the secret access key of `target`.
    pub fn new(target: &CheckTarget, is_verbose: bool) -> Self {
        Self {
            secret: target.secret_access_key.clone(),
            is_verbose,
            group: "",
            must: OutcomeCounts::default(),
            should: OutcomeCounts::default(),
            checks: Vec::new(),
        }
    }

    /// Returns whether no check of a MUST requirement failed.
    pub fn is_conformant(&self) -> bool {
        self.must.failed == 0
    }

    /// Adds a completed check.
    pub fn add(&mut self, completed: &CompletedCheck<'_>) {
        let count = match completed.check.level {
            Level::Must => &mut self.must,
            Level::Should => &mut self.should,
        };
        match completed.result {
            Ok(()) => count.passed += 1,
            Err(CheckError::Failed(_)) => count.failed += 1,
            Err(CheckError::Skipped(_)) => count.skipped += 1,
        }
        let json = self.to_json(completed);
        self.checks.push(json);
    }

    fn to_json(&self, completed: &CompletedCheck<'_>) -> Value {
        let check = completed.check;
        let mut json = json!({
            "group": completed.group,
            "id": check.id,
            "level": check.level.as_str(),
            "section": check.section,
            "requirement": check.requirement,
            "outcome": outcome_name(&completed.result),
        });
        if let Err(error) = &completed.result {
            json["reason"] = self.sanitize(error.reason()).into();
        }
        if !completed.notes.is_empty() {
            json["notes"] = completed.notes.iter().map(|note| self.sanitize(note)).collect();
        }
        let exchanges: Vec<Value> =
            self.shown_exchanges(completed).iter().map(|exchange| self.exchange_json(exchange)).collect();
        if !exchanges.is_empty() {
            json["exchanges"] = exchanges.into();
        }
        json
    }

    fn exchange_json(&self, exchange: &Exchange) -> Value {
        let mut json = json!({
            "request": self.sanitize(&exchange.request_line),
            "signature": exchange.signature,
            "body": self.format_body(&exchange.request_body),
        });
        match &exchange.outcome {
            Ok(response) => {
                json["status"] = response.status.as_u16().into();
                json["answer"] = self.format_body(&response.body).into();
            }
            Err(error) => json["error"] = self.sanitize(error).into(),
        }
        json
    }

    /// Returns the exchanges to show: those of failed checks, or of all checks in a verbose report.
    fn shown_exchanges<'a>(&self, completed: &CompletedCheck<'a>) -> &'a [Exchange] {
        if !self.is_verbose && !matches!(completed.result, Err(CheckError::Failed(_))) {
            return &[];
        }
        let all = completed.exchanges;
        all.get(all.len().saturating_sub(MAX_EXCHANGES)..).unwrap_or_default()
    }

    /// Returns a completed check as text, after a heading if it is the first of its group.
    pub fn format_check(&mut self, completed: &CompletedCheck<'_>) -> String {
        let mut text = String::new();
        if self.group != completed.group {
            self.group = completed.group;
            let _ = writeln!(text, "\n{}", completed.group);
        }
        let check = completed.check;
        let mark = match completed.result {
            Ok(()) => "✓ ok  ",
            Err(CheckError::Failed(_)) => "✗ FAIL",
            Err(CheckError::Skipped(_)) => "- skip",
        };
        let mut start = format!("{mark}  {:<INDENT$}", check.level.as_str());
        for line in wrap(&format!("{} [{}]", check.requirement, check.id), COLUMNS - 2 * INDENT) {
            let _ = writeln!(text, "{start}{line}");
            start = " ".repeat(2 * INDENT);
        }
        if let Err(error) = &completed.result {
            self.paragraph(&mut text, "reason", error.reason());
        }
        for note in &completed.notes {
            self.paragraph(&mut text, "note", note);
        }
        if matches!(completed.result, Err(CheckError::Failed(_))) {
            self.paragraph(&mut text, "spec", check.section);
        }
        for exchange in self.shown_exchanges(completed) {
            self.paragraph(&mut text, "sent", &format!("{}, {}", exchange.request_line, exchange.signature));
            self.paragraph(&mut text, "", &self.format_body(&exchange.request_body));
            match &exchange.outcome {
                Ok(response) => {
                    let body = self.format_body(&response.body);
                    self.paragraph(&mut text, "got", &format!("{} {body}", response.status.as_u16()));
                }
                Err(error) => self.paragraph(&mut text, "got", error),
            }
        }
        text
    }

    fn paragraph(&self, text: &mut String, label: &str, value: &str) {
        let mut label = label;
        for line in wrap(&self.sanitize(value), COLUMNS - 2 * INDENT) {
            let _ = writeln!(text, "{}", format!("{:INDENT$}{label:<INDENT$}{line}", "").trim_end());
            label = "";
        }
    }

    /// Returns the numbers of passed, failed, and skipped checks and the conclusion, as text.
    pub fn summary(&self) -> String {
        let mut text = format!("\n{:<8}{:>6}{:>8}{:>9}\n", "", "ok", "failed", "skipped");
        for (level, count) in [(Level::Must, self.must), (Level::Should, self.should)] {
            let OutcomeCounts { passed, failed, skipped } = count;
            let _ = writeln!(text, "{:<8}{passed:>6}{failed:>8}{skipped:>9}", level.as_str());
        }
        let conclusion = match (self.must.failed, self.should.failed) {
            (0, 0) => "The proxy meets every requirement that was checked.",
            (0, _) => "The proxy meets every MUST requirement, but not every SHOULD requirement.",
            _ => "The proxy doesn't meet every MUST requirement, so AWS KMS probably can't use it.",
        };
        text + "\n" + conclusion + "\n"
    }

    /// Returns the report as one JSON document.
    pub fn document(&self, target: &CheckTarget, latencies: &[Latency]) -> Value {
        let count =
            |count: OutcomeCounts| json!({ "passed": count.passed, "failed": count.failed, "skipped": count.skipped });
        json!({
            "specification": "External Key Store Proxy API 1.0.3",
            "endpoint": target.endpoint.to_string(),
            "uriPath": target.uri_path,
            "region": target.region,
            "isConformant": self.is_conformant(),
            "summary": { "MUST": count(self.must), "SHOULD": count(self.should) },
            "checks": self.checks,
            "latencies": latencies,
        })
    }

    fn format_body(&self, bytes: &[u8]) -> String {
        if bytes.is_empty() {
            return "(no body)".to_owned();
        }
        // Redact before truncating: part of a secret is still sensitive.
        let text = self.redact(&String::from_utf8_lossy(bytes));
        let text = match serde_json::from_str::<Value>(&text) {
            Ok(mut json) => {
                truncate_strings(&mut json);
                json.to_string()
            }
            Err(_) => text,
        };
        escape_controls(&truncate(&text, MAX_BODY_LENGTH))
    }

    /// Replaces the secret access key.
    fn redact(&self, text: &str) -> String {
        text.replace(self.secret.expose(), "(secret access key removed)")
    }

    /// Replaces the secret access key and escapes control characters.
    fn sanitize(&self, text: &str) -> String {
        escape_controls(&self.redact(text))
    }
}

/// Returns the name of an outcome in JSON.
fn outcome_name(result: &CheckResult) -> &'static str {
    match result {
        Ok(()) => "pass",
        Err(CheckError::Failed(_)) => "fail",
        Err(CheckError::Skipped(_)) => "skip",
    }
}

fn truncate_strings(json: &mut Value) {
    match json {
        // Strings with spaces, such as error messages, are short and worth reading in full.
        Value::String(text) if !text.contains(' ') => *text = truncate(text, MAX_TEXT_LENGTH),
        Value::Array(all) => all.iter_mut().for_each(truncate_strings),
        Value::Object(all) => all.values_mut().for_each(truncate_strings),
        _ => {}
    }
}

fn truncate(text: &str, max_chars: usize) -> String {
    let count = text.chars().count();
    if count <= max_chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max_chars / 3).collect();
    format!("{kept}… ({count} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::checks::GROUPS;
    use crate::conformance::response::ProbeResponse;
    use crate::text::width;

    fn report() -> (CheckTarget, ConformanceReport) {
        let target = CheckTarget {
            endpoint: "http://127.0.0.1:8080".parse().unwrap(),
            uri_path: "/lab/kms/xks/v1".to_owned(),
            access_key_id: "BETAWBCKRZKHNEYYDGMQ".to_owned(),
            secret_access_key: SecretString::new("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY+/12345".to_owned()),
            region: "us-west-2".to_owned(),
            principal: "arn:aws:iam::111122223333:user/Alice".to_owned(),
            kms_key_arn: "arn:aws:kms:us-west-2:111122223333:key/1".to_owned(),
        };
        let report = ConformanceReport::new(&target, false);
        (target, report)
    }

    fn exchange(response: &str) -> Exchange {
        let request_body = json!({ "plaintext": "QUJD".repeat(1000), "short": "x" }).to_string().into_bytes();
        let response = ProbeResponse {
            status: http::StatusCode::UNAUTHORIZED,
            headers: http::HeaderMap::new(),
            body: response.to_owned().into(),
        };
        Exchange {
            request_line: "POST /x".to_owned(),
            signature: "signed".to_owned(),
            request_body,
            is_valid_for_kms: true,
            outcome: Ok(response),
        }
    }

    #[test]
    fn report_fits_80_columns_and_hides_the_secret() {
        let (target, mut report) = report();
        let secret = target.secret_access_key.expose();
        let message = format!("nope \u{1b}[2J {secret} é");
        let long = json!({ "errorMessage": format!("{secret}{}", "-".repeat(MAX_TEXT_LENGTH)) }).to_string();
        let exchanges = [exchange(&message), exchange(&long)];
        let results =
            [Ok(()), Err(CheckError::Failed(message.clone())), Err(CheckError::Skipped("no --key".to_owned()))];
        let mut text = String::new();
        let checks = GROUPS.iter().flat_map(|group| group.checks.iter().map(|check| (group.name, check)));
        for (at, (group, check)) in checks.enumerate() {
            let result = results[at % 3].clone();
            let completed =
                CompletedCheck { group, check, result, notes: vec![message.clone()], exchanges: &exchanges };
            text += &report.format_check(&completed);
            report.add(&completed);
        }
        text += &report.summary();
        for line in text.lines() {
            assert!(width(line) <= COLUMNS, "{line}");
        }
        let document = report.document(&target, &[]).to_string();
        for shown in [&text, &document] {
            assert!(!shown.contains("wJalr") && !shown.contains('\u{1b}'), "{shown}");
            assert!(!shown.contains("QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"), "{shown}");
        }
        assert!(text.contains("✗ FAIL") && text.contains("- skip") && text.contains("401 nope \\u{1b}[2J"), "{text}");
    }

    #[test]
    fn only_failed_must_checks_make_a_proxy_nonconformant() {
        let (_, mut report) = report();
        let checks = GROUPS.iter().flat_map(|group| group.checks);
        let one = |level| checks.clone().find(|check| check.level == level).unwrap();
        for (level, is_conformant, conclusion) in [
            (Level::Should, true, "not every SHOULD requirement"),
            (Level::Must, false, "AWS KMS probably can't use it"),
        ] {
            let result = Err(CheckError::Failed("x".to_owned()));
            report.add(&CompletedCheck { group: "g", check: one(level), result, notes: Vec::new(), exchanges: &[] });
            assert_eq!(report.is_conformant(), is_conformant);
            assert!(report.summary().contains(conclusion), "{}", report.summary());
        }
    }
}
