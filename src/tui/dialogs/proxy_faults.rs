//! The dialogs of the page *Proxy faults*.

use std::collections::BTreeSet;

use super::events::InputError;
use crate::aws::kms::CustomKeyStore;
use crate::aws::limits;
use crate::aws::xks_console::{DeleteProxyFault, DeleteProxyFaults, PutProxyFault};
use crate::tui::effect::Change;
use crate::tui::theme;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::xks::faults::{self, KindInfo, OPERATIONS, all_kinds};

const OPERATION: &str = "operation";
const PLACE: &str = "place";
const KIND: &str = "kind";
const LATENCY: &str = "latency";
const COUNT: &str = "count";
const AFTER: &str = "after";
const PERCENT: &str = "percent";
const SEED: &str = "seed";
const DURATION: &str = "duration";

/// The proxies whose requests can fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultPlace {
    /// All proxies.
    All,
    /// The proxies of a partition.
    Partition(String),
    /// The proxy of a key store: its ID and its name.
    KeyStore(String, String),
}

impl FaultPlace {
    /// Returns the choices for an account with these key stores.
    pub fn all(stores: &[CustomKeyStore]) -> Vec<Self> {
        let proxies = || stores.iter().filter_map(|store| Some((store, store.xks_proxy_configuration.as_ref()?)));
        let partition =
            |path: &str| Some(path.strip_suffix(limits::XKS_PROXY_PATH_SUFFIX)?.strip_prefix('/')?.to_owned());
        let partitions: BTreeSet<String> = proxies().filter_map(|(_, proxy)| partition(&proxy.uri_path)).collect();
        let key_store = |store: &CustomKeyStore| {
            Self::KeyStore(store.custom_key_store_id.clone(), store.custom_key_store_name.clone())
        };
        let stores = proxies().map(|(store, _)| key_store(store));
        [Self::All].into_iter().chain(partitions.into_iter().map(Self::Partition)).chain(stores).collect()
    }

    fn label(&self) -> String {
        match self {
            Self::All => "All proxies".to_owned(),
            Self::Partition(name) => format!("Partition {name}"),
            Self::KeyStore(_, name) => format!("Key store {name}"),
        }
    }
}

/// A task on the page *Proxy faults*.
#[derive(Clone, Debug, PartialEq)]
pub enum ProxyFaultForm {
    /// Adds a fault for one of these places.
    Add(Vec<FaultPlace>),
    /// Removes the fault with this ID and these words.
    Remove(i64, String),
    /// Removes all faults, whose number this is.
    RemoveAll(usize),
}

fn row(name: &'static str, label: &'static str, hint: &str, input: FormInput) -> FormField {
    FormField { name, label, hint: hint.to_owned(), input }
}

/// Returns the explanation of what fails, for the operation of the proxy API at this index.
fn operation_label(operation: &str) -> String {
    let meaning = match operation {
        "GetHealthStatus" => "checks of the proxy, for example when a key store connects",
        "GetKeyMetadata" => "the description of an external key, for example when a KMS key is created",
        "Encrypt" => "encryption, also of data keys",
        _ => "decryption",
    };
    format!("{operation}: {meaning}")
}

impl ProxyFaultForm {
    /// Returns the dialog title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Add(_) => "Add proxy fault",
            Self::Remove(..) => "Remove proxy fault?",
            Self::RemoveAll(_) => "Remove all proxy faults?",
        }
    }

    /// Returns the form.
    pub fn form(&self) -> Form {
        let places = match self {
            Self::Add(places) => places,
            Self::Remove(..) => return Form::new(Vec::new(), "Remove", false),
            Self::RemoveAll(_) => return Form::new(Vec::new(), "Remove all", true),
        };
        let operations = ["All operations".to_owned()].into_iter().chain(OPERATIONS.map(operation_label)).collect();
        let kinds = all_kinds().map(|KindInfo { word, meaning }| format!("{word}: {meaning}")).collect();
        let labels = places.iter().map(FaultPlace::label).collect();
        let line = || FormInput::line("");
        Form::new(
            vec![
                row(KIND, "What happens", "", FormInput::Radio(kinds, 1)),
                row(
                    LATENCY,
                    "Latency",
                    "A time such as 100ms, with an optional jitter, such as 100ms jitter 50ms, or percentiles, such as \
                     p50=20ms p99=400ms.",
                    line(),
                ),
                row(OPERATION, "Operation of the proxy", "", FormInput::Radio(operations, 0)),
                row(PLACE, "Proxy", "", FormInput::Radio(labels, 0)),
                row(
                    COUNT,
                    "Number of failures - optional",
                    "The fault ends after this number of failed requests.",
                    line(),
                ),
                row(AFTER, "Successful requests first - optional", "This number of requests succeeds first.", line()),
                row(PERCENT, "Percentage - optional", "The share of requests that fail, from 1 to 100.", line()),
                row(SEED, "Seed - optional", "A whole number. The same seed makes the same random choices.", line()),
                row(
                    DURATION,
                    "Duration - optional",
                    "The fault ends after this time of the account, such as 10m.",
                    line(),
                ),
            ],
            "Add fault",
            false,
        )
    }

    /// Shows or hides the input for the latency.
    pub fn update_visible_inputs(&self, form: &mut Form) {
        if matches!(self, Self::Add(_)) {
            let is_latency = all_kinds().nth(form.selected_option(KIND)).is_some_and(|kind| kind.word == "latency");
            form.hidden = if is_latency { Vec::new() } else { vec![LATENCY] };
        }
    }

    /// Writes the introduction of the dialog.
    pub fn write_intro(&self, view: &mut ScrollView) {
        match self {
            Self::Add(_) => {
                let words = "Requests of AWS KMS to external key store proxies fail as you choose, in every program that \
                             uses this account, until you remove the fault.";
                view.paragraph(words, 0, theme::TEXT);
            }
            Self::Remove(id, words) => {
                view.key_value("ID", &id.to_string(), theme::TEXT);
                view.key_value("Fault", words, theme::TEXT);
            }
            Self::RemoveAll(count) => {
                let words = format!("This removes {count} proxy fault{}.", if *count == 1 { "" } else { "s" });
                view.paragraph(&words, 0, theme::TEXT);
            }
        }
        view.blank_line();
    }

    /// Returns the words of the fault, each with the input that it comes from.
    fn words(places: &[FaultPlace], form: &Form) -> Vec<(&'static str, String)> {
        let operation = form.selected_option(OPERATION).checked_sub(1).and_then(|index| OPERATIONS.get(index));
        let kind = all_kinds().nth(form.selected_option(KIND)).map_or("", |kind| kind.word);
        let mut words = vec![(OPERATION, format!("xks:{}", operation.unwrap_or(&"*"))), (KIND, kind.to_owned())];
        words.extend(form.text(LATENCY).split_whitespace().map(|word| (LATENCY, word.to_owned())));
        match places.get(form.selected_option(PLACE)) {
            None | Some(FaultPlace::All) => {}
            Some(FaultPlace::Partition(name)) => {
                words.extend([(PLACE, "partition".to_owned()), (PLACE, name.clone())]);
            }
            Some(FaultPlace::KeyStore(id, _)) => {
                words.extend([(PLACE, "key-store".to_owned()), (PLACE, id.clone())]);
            }
        }
        for (name, before, after) in [
            (COUNT, None, Some("times")),
            (AFTER, Some("after"), Some("requests")),
            (PERCENT, None, Some("percent")),
            (SEED, Some("seed"), None),
            (DURATION, Some("for"), None),
        ] {
            let text = form.text(name);
            if !text.is_empty() {
                let parts = [before.map(str::to_owned), Some(text), after.map(str::to_owned)];
                words.extend(parts.into_iter().flatten().map(|word| (name, word)));
            }
        }
        words
    }

    /// Returns the errors of the form.
    pub fn validate(&self, form: &Form) -> Vec<InputError> {
        let Self::Add(places) = self else { return Vec::new() };
        let words = Self::words(places, form);
        let texts: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
        let Err(error) = faults::parse(&texts) else { return Vec::new() };
        // A missing word can only be a latency: all other words are choices, or aren't empty.
        let name = words.get(error.index).map_or(LATENCY, |(name, _)| *name);
        let mut message = error.message;
        if let Some(first) = message.get(..1).map(str::to_uppercase) {
            message.replace_range(..1, &first);
        }
        vec![(name, format!("{message}."))]
    }

    /// Returns the change that the form requests.
    pub fn changes(&self, form: &Form) -> Vec<Change> {
        vec![match self {
            Self::Add(places) => {
                let words: Vec<String> = Self::words(places, form).into_iter().map(|(_, word)| word).collect();
                let texts: Vec<&str> = words.iter().map(String::as_str).collect();
                // The form has no errors, so these are the words of a fault, with quotes where they are needed.
                let fault = faults::parse(&texts).map_or_else(|_| words.join(" "), |fault| fault.to_string());
                Change::PutProxyFault(PutProxyFault { fault })
            }
            Self::Remove(id, _) => Change::DeleteProxyFault(DeleteProxyFault { id: *id }),
            Self::RemoveAll(_) => Change::DeleteProxyFaults(DeleteProxyFaults {}),
        }]
    }

    /// Returns the message for the flash bar.
    pub fn success_message(&self) -> &'static str {
        match self {
            Self::Add(_) => "The proxy fault was added. It takes effect with the next request.",
            Self::Remove(..) => "The proxy fault was removed.",
            Self::RemoveAll(_) => "All proxy faults were removed.",
        }
    }
}
