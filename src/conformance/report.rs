//! The report: for people as it goes, or as one JSON document.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::answer::Stop;
use super::latency::Latency;
use super::probe::Exchange;
use super::target::Target;
use super::{Finding, Level, Verdict};
use crate::aws::scalar::SecretString;
use crate::text::{escape_controls, wrap};

/// The columns of the report.
const COLUMNS: usize = 80;
/// How far what belongs to a finding is set in.
const INDENT: usize = 8;
/// Texts without a blank in JSON that are longer are cut.
const LONGEST_TEXT: usize = 72;
/// Bodies that are longer are cut.
const LONGEST_BODY: usize = 1200;
/// So many exchanges of a finding are shown; the last one is the one that failed.
const MOST_EXCHANGES: usize = 3;

/// How many checks came out how, of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Gathers findings.
#[derive(Debug)]
pub struct Report {
    secret: SecretString,
    is_verbose: bool,
    group: &'static str,
    must: Count,
    should: Count,
    checks: Vec<Value>,
}

impl Report {
    /// An empty one. What is said of exchanges never holds the secret of `target`.
    pub fn new(target: &Target, is_verbose: bool) -> Self {
        Self {
            secret: target.secret_access_key.clone(),
            is_verbose,
            group: "",
            must: Count::default(),
            should: Count::default(),
            checks: Vec::new(),
        }
    }

    /// Whether the proxy does all that it must.
    pub fn is_conformant(&self) -> bool {
        self.must.failed == 0
    }

    /// Takes a finding in.
    pub fn add(&mut self, finding: &Finding<'_>) {
        let count = match finding.check.level {
            Level::Must => &mut self.must,
            Level::Should => &mut self.should,
        };
        match finding.verdict {
            Ok(()) => count.passed += 1,
            Err(Stop::Fail(_)) => count.failed += 1,
            Err(Stop::Skip(_)) => count.skipped += 1,
        }
        let json = self.to_json(finding);
        self.checks.push(json);
    }

    fn to_json(&self, finding: &Finding<'_>) -> Value {
        let check = finding.check;
        let mut json = json!({
            "group": finding.group,
            "id": check.id,
            "level": check.level.as_str(),
            "section": check.section,
            "requirement": check.requirement,
            "outcome": outcome(&finding.verdict),
        });
        if let Err(stop) = &finding.verdict {
            json["reason"] = self.harmless(stop.reason()).into();
        }
        if !finding.notes.is_empty() {
            json["notes"] = finding.notes.iter().map(|note| self.harmless(note)).collect();
        }
        let exchanges: Vec<Value> = self.shown(finding).iter().map(|exchange| self.exchange(exchange)).collect();
        if !exchanges.is_empty() {
            json["exchanges"] = exchanges.into();
        }
        json
    }

    fn exchange(&self, exchange: &Exchange) -> Value {
        let mut json = json!({
            "request": self.harmless(&exchange.line),
            "signature": exchange.how,
            "body": self.body(&exchange.sent),
        });
        match &exchange.outcome {
            Ok(answer) => {
                json["status"] = answer.status.as_u16().into();
                json["answer"] = self.body(&answer.body).into();
            }
            Err(error) => json["error"] = self.harmless(error).into(),
        }
        json
    }

    /// What is shown of what was said: with a failure always.
    fn shown<'a>(&self, finding: &Finding<'a>) -> &'a [Exchange] {
        if !self.is_verbose && !matches!(finding.verdict, Err(Stop::Fail(_))) {
            return &[];
        }
        let all = finding.exchanges;
        all.get(all.len().saturating_sub(MOST_EXCHANGES)..).unwrap_or_default()
    }

    /// A finding for people, with the heading of its group before the first of it.
    pub fn text(&mut self, finding: &Finding<'_>) -> String {
        let mut text = String::new();
        if self.group != finding.group {
            self.group = finding.group;
            let _ = writeln!(text, "\n{}", finding.group);
        }
        let check = finding.check;
        let mark = match finding.verdict {
            Ok(()) => "✓ ok  ",
            Err(Stop::Fail(_)) => "✗ FAIL",
            Err(Stop::Skip(_)) => "- skip",
        };
        let mut start = format!("{mark}  {:<INDENT$}", check.level.as_str());
        for line in wrap(&format!("{} [{}]", check.requirement, check.id), COLUMNS - 2 * INDENT) {
            let _ = writeln!(text, "{start}{line}");
            start = " ".repeat(2 * INDENT);
        }
        if let Err(stop) = &finding.verdict {
            self.paragraph(&mut text, "why", stop.reason());
        }
        for note in &finding.notes {
            self.paragraph(&mut text, "note", note);
        }
        if matches!(finding.verdict, Err(Stop::Fail(_))) {
            self.paragraph(&mut text, "spec", check.section);
        }
        for exchange in self.shown(finding) {
            self.paragraph(&mut text, "sent", &format!("{}, {}", exchange.line, exchange.how));
            self.paragraph(&mut text, "", &self.body(&exchange.sent));
            match &exchange.outcome {
                Ok(answer) => {
                    let body = self.body(&answer.body);
                    self.paragraph(&mut text, "got", &format!("{} {body}", answer.status.as_u16()));
                }
                Err(error) => self.paragraph(&mut text, "got", error),
            }
        }
        text
    }

    fn paragraph(&self, text: &mut String, word: &str, said: &str) {
        let mut word = word;
        for line in wrap(&self.harmless(said), COLUMNS - 2 * INDENT) {
            let _ = writeln!(text, "{}", format!("{:INDENT$}{word:<INDENT$}{line}", "").trim_end());
            word = "";
        }
    }

    /// How it came out in all, for people.
    pub fn summary(&self) -> String {
        let mut text = format!("\n{:<8}{:>6}{:>8}{:>9}\n", "", "ok", "failed", "skipped");
        for (level, count) in [(Level::Must, self.must), (Level::Should, self.should)] {
            let Count { passed, failed, skipped } = count;
            let _ = writeln!(text, "{:<8}{passed:>6}{failed:>8}{skipped:>9}", level.as_str());
        }
        let said = match (self.must.failed, self.should.failed) {
            (0, 0) => "The proxy does all that was checked.",
            (0, _) => "The proxy does all that it must, and not all that it should.",
            _ => "The proxy doesn't do all that it must: expect AWS KMS to fail with it.",
        };
        text + "\n" + said + "\n"
    }

    /// All of it as one document.
    pub fn document(&self, target: &Target, latencies: &[Latency]) -> Value {
        let count = |count: Count| json!({ "passed": count.passed, "failed": count.failed, "skipped": count.skipped });
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

    fn body(&self, bytes: &[u8]) -> String {
        if bytes.is_empty() {
            return "(no body)".to_owned();
        }
        // Before anything is cut: half a secret is one, too.
        let text = self.without_secret(&String::from_utf8_lossy(bytes));
        let text = match serde_json::from_str::<Value>(&text) {
            Ok(mut json) => {
                cut_texts(&mut json);
                json.to_string()
            }
            Err(_) => text,
        };
        escape_controls(&cut(&text, LONGEST_BODY))
    }

    /// What was said, without the secret.
    fn without_secret(&self, text: &str) -> String {
        text.replace(self.secret.expose(), "(the secret access key)")
    }

    /// Likewise, and without what a terminal obeys.
    fn harmless(&self, text: &str) -> String {
        escape_controls(&self.without_secret(text))
    }
}

/// The word for an outcome, in JSON.
fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Ok(()) => "pass",
        Err(Stop::Fail(_)) => "fail",
        Err(Stop::Skip(_)) => "skip",
    }
}

fn cut_texts(json: &mut Value) {
    match json {
        // What people have written is short, and worth reading to its end.
        Value::String(text) if !text.contains(' ') => *text = cut(text, LONGEST_TEXT),
        Value::Array(all) => all.iter_mut().for_each(cut_texts),
        Value::Object(all) => all.values_mut().for_each(cut_texts),
        _ => {}
    }
}

fn cut(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most / 3).collect();
    format!("{kept}… ({count} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::answer::Answer;
    use crate::conformance::checks::GROUPS;
    use crate::text::width;

    fn report() -> (Target, Report) {
        let target = Target {
            endpoint: "http://127.0.0.1:8080".parse().unwrap(),
            uri_path: "/lab/kms/xks/v1".to_owned(),
            access_key_id: "BETAWBCKRZKHNEYYDGMQ".to_owned(),
            secret_access_key: SecretString::new("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY+/12345".to_owned()),
            region: "us-west-2".to_owned(),
            principal: "arn:aws:iam::111122223333:user/Alice".to_owned(),
            kms_key_arn: "arn:aws:kms:us-west-2:111122223333:key/1".to_owned(),
        };
        let report = Report::new(&target, false);
        (target, report)
    }

    fn exchange(answer: &str) -> Exchange {
        let sent = json!({ "plaintext": "QUJD".repeat(1000), "short": "x" }).to_string().into_bytes();
        let answer = Answer {
            status: http::StatusCode::UNAUTHORIZED,
            headers: http::HeaderMap::new(),
            body: answer.to_owned().into(),
        };
        Exchange { line: "POST /x".to_owned(), how: "signed".to_owned(), sent, is_of_kms: true, outcome: Ok(answer) }
    }

    #[test]
    fn report_fits_80_columns_and_hides_the_secret() {
        let (target, mut report) = report();
        let secret = target.secret_access_key.expose();
        let said = format!("nope \u{1b}[2J {secret} é");
        let long = json!({ "errorMessage": format!("{secret}{}", "-".repeat(LONGEST_TEXT)) }).to_string();
        let exchanges = [exchange(&said), exchange(&long)];
        let verdicts = [Ok(()), Err(Stop::Fail(said.clone())), Err(Stop::Skip("no --key".to_owned()))];
        let mut text = String::new();
        let checks = GROUPS.iter().flat_map(|group| group.checks.iter().map(|check| (group.name, check)));
        for (at, (group, check)) in checks.enumerate() {
            let verdict = verdicts[at % 3].clone();
            let finding = Finding { group, check, verdict, notes: vec![said.clone()], exchanges: &exchanges };
            text += &report.text(&finding);
            report.add(&finding);
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
        for (level, is_conformant, said) in
            [(Level::Should, true, "not all that it should"), (Level::Must, false, "expect AWS KMS to fail")]
        {
            let verdict = Err(Stop::Fail("x".to_owned()));
            report.add(&Finding { group: "g", check: one(level), verdict, notes: Vec::new(), exchanges: &[] });
            assert_eq!(report.is_conformant(), is_conformant);
            assert!(report.summary().contains(said), "{}", report.summary());
        }
    }
}
