//! The dialogs that create, edit, and delete external key stores.

use serde::Deserialize;

use super::events::InputError;
use super::form_kind::FormKind;
use crate::aws::kms::{
    ConnectionState, CreateCustomKeyStore, CustomKeyStore, CustomKeyStoreType, DeleteCustomKeyStore,
    UpdateCustomKeyStore, XksProxyAuthenticationCredential, XksProxyConnectivity,
};
use crate::aws::limits::{self, XKS_PROXY_PATH_SUFFIX};
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::{ProxyRoute, PutProxyRoute};
use crate::create_key::account_state::AccountState;
use crate::tui::effect::{CallFailure, Change};
use crate::tui::theme;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;

/// The input for the path or the content of a proxy configuration file.
pub const CONFIGURATION_FILE: &str = "file";
const NAME: &str = "name";
const CONNECTIVITY: &str = "connectivity";
const CROSS_ACCOUNT: &str = "cross-account";
const OWNER: &str = "owner";
const SERVICE: &str = "service";
const ENDPOINT: &str = "endpoint";
const ROUTE: &str = "route";
const ADDRESS: &str = "address";
const CA_CERTIFICATES: &str = "authorities";
const PREFIX: &str = "prefix";
const ACCESS_KEY: &str = "access-key";
const SECRET: &str = "secret";
const SHOW_SECRET: &str = "show";
/// The inputs of the proxy credential.
pub const CREDENTIAL_INPUTS: [&str; 3] = [ACCESS_KEY, SECRET, SHOW_SECRET];
const CONFIRM: &str = "confirm";

const CONNECTIVITIES: [XksProxyConnectivity; 2] =
    [XksProxyConnectivity::PublicEndpoint, XksProxyConnectivity::VpcEndpointService];

fn row(name: &'static str, label: &'static str, hint: &str, input: FormInput) -> FormField {
    FormField { name, label, hint: hint.to_owned(), input }
}

/// Returns the form for a new key store, or for editing an existing one.
pub fn form(store: Option<&CustomKeyStore>) -> Form {
    let proxy = store.and_then(|store| store.xks_proxy_configuration.as_ref());
    let connectivity = proxy.map_or(XksProxyConnectivity::PublicEndpoint, |proxy| proxy.connectivity);
    let chosen = CONNECTIVITIES.iter().position(|one| *one == connectivity).unwrap_or(0);
    let path = proxy.map_or("", |proxy| proxy.uri_path.as_str());
    let text = |value: Option<&String>| FormInput::line(value.map_or("", String::as_str));
    let owner = proxy.and_then(|proxy| proxy.vpc_endpoint_service_owner.as_ref());
    let labels = CONNECTIVITIES.map(|one| one.label().to_owned()).to_vec();
    let is_new = store.is_none();
    let credential = if is_new {
        "Access key ID must have between 20 and 30 characters. Valid characters are uppercase A-Z and 2-7."
    } else {
        "Leave both fields empty to keep the credential. To change it, enter both values."
    };
    let rows = vec![
        row(
            NAME,
            "Key store name",
            "Key store name must be unique in your AWS account and Region.",
            text(store.map(|store| &store.custom_key_store_name)),
        ),
        row(
            CONFIGURATION_FILE,
            "Proxy configuration file - optional",
            "Enter a path and press Enter, or paste the JSON, to fill in the fields below.",
            FormInput::line(""),
        ),
        row(CONNECTIVITY, "Proxy connectivity", "", FormInput::Radio(labels, chosen)),
        row(
            SERVICE,
            "VPC endpoint service name",
            "For example, com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0.",
            text(proxy.and_then(|proxy| proxy.vpc_endpoint_service_name.as_ref())),
        ),
        row(CROSS_ACCOUNT, "Cross-account VPC endpoint service", "", FormInput::Checkbox(owner.is_some())),
        row(OWNER, "VPC endpoint service owner account ID", "A 12-digit account ID.", text(owner)),
        row(
            ENDPOINT,
            "Proxy URI endpoint",
            "Must start with https://. Don't include a port. AWS KMS uses port 443.",
            text(proxy.map(|proxy| &proxy.uri_endpoint)),
        ),
        row(
            PREFIX,
            "Proxy URI path prefix - optional",
            "For example, /example/path/prefix. The console adds /kms/xks/v1.",
            FormInput::line(path.strip_suffix(XKS_PROXY_PATH_SUFFIX).unwrap_or(path)),
        ),
        row(ACCESS_KEY, "Proxy credential: Access key ID", credential, FormInput::line("")),
        row(
            SECRET,
            "Proxy credential: Secret access key",
            "Secret access key must have between 43 and 64 characters. Valid characters are a-z, A-Z, 0-9, /, +, \
             and =.",
            FormInput::secret(),
        ),
        row(SHOW_SECRET, "Show secret access key", "", FormInput::Checkbox(false)),
    ];
    Form::new(rows, if is_new { "Create external key store" } else { "Update external key store" }, false)
}

/// Adds the proxy route after the endpoint, for a proxy that has no public DNS name or certificate.
///
/// AWS KMS doesn't have this setting. Only the bundled AWS does.
pub fn with_proxy_route(mut form: Form) -> Form {
    let after = form.fields.iter().position(|row| row.name == ENDPOINT).map_or(form.fields.len(), |place| place + 1);
    let rows = [
        row(
            ROUTE,
            "The proxy has no public DNS name or certificate",
            "The bundled AWS doesn't need them. AWS requires both.",
            FormInput::Checkbox(false),
        ),
        row(
            ADDRESS,
            "Proxy address - optional",
            "The IP address and port that the bundled AWS uses for the host above, such as 127.0.0.1:8443.",
            FormInput::line(""),
        ),
        row(
            CA_CERTIFICATES,
            "Proxy CA certificates - optional",
            "A PEM file with additional CA certificates to trust for the host above.",
            FormInput::line(""),
        ),
    ];
    form.fields.splice(after..after, rows);
    form
}

/// Returns the host name in the endpoint.
fn proxy_host(form: &Form) -> String {
    form.text(ENDPOINT).trim_start_matches("https://").to_owned()
}

/// Returns the input that confirms a deletion with the key store name.
pub fn confirmation() -> FormField {
    row(CONFIRM, "Type the key store name to confirm", "", FormInput::line(""))
}

/// Returns the error of the confirmation input, if the name doesn't match.
pub fn confirmation_error(form: &Form, name: &str) -> Option<InputError> {
    (form.text(CONFIRM) != name.trim()).then(|| (CONFIRM, format!("Type \"{name}\" to confirm.")))
}

/// Whether the connectivity can't be changed because the key store isn't disconnected.
fn is_connectivity_locked(kind: &FormKind) -> bool {
    matches!(kind, FormKind::EditKeyStore(store) if store.connection_state != ConnectionState::Disconnected)
}

/// Shows or hides the inputs that depend on the values of others.
pub fn update_visible_inputs(kind: &FormKind, form: &mut Form) {
    form.hidden = Vec::new();
    if !matches!(kind, FormKind::CreateKeyStore | FormKind::EditKeyStore(_)) {
        return;
    }
    form.shows_secrets = form.is_checked(SHOW_SECRET);
    if is_connectivity_locked(kind) {
        form.hidden.extend([CONNECTIVITY, SERVICE, CROSS_ACCOUNT, OWNER, ENDPOINT]);
    } else if CONNECTIVITIES[form.selected_option(CONNECTIVITY)] == XksProxyConnectivity::PublicEndpoint {
        form.hidden.extend([SERVICE, CROSS_ACCOUNT, OWNER]);
    } else if !form.is_checked(CROSS_ACCOUNT) {
        form.hidden.push(OWNER);
    }
    if !form.is_checked(ROUTE) {
        form.hidden.extend([ADDRESS, CA_CERTIFICATES]);
    }
}

/// Writes the introduction of the dialog.
pub fn write_intro(kind: &FormKind, view: &mut ScrollView) {
    match kind {
        FormKind::CreateKeyStore => {
            view.paragraph(
                "An external key store connects AWS KMS to an external key store proxy. A new key store is \
                 disconnected. The proxy must not depend on a KMS key in this key store.",
                0,
                theme::SECONDARY,
            );
        }
        FormKind::EditKeyStore(store) => {
            view.key_value("Custom key store ID", &store.custom_key_store_id, theme::TEXT);
            view.key_value("Connection state", store.connection_state.label(), theme::TEXT);
            if is_connectivity_locked(kind) {
                let words = "You can change the connectivity, endpoint, and VPC endpoint service only while the key \
                             store is disconnected.";
                view.warning(words, 2);
            }
            view.warning(
                "The new values must provide access to the same external keys. Otherwise, data encrypted under the KMS \
                 keys in this key store is lost. Changes can take up to five minutes to take effect.",
                2,
            );
        }
        FormKind::DeleteKeyStore { id, name, keys } => {
            view.key_value("External key store", name, theme::TEXT);
            view.key_value("Custom key store ID", id, theme::TEXT);
            view.blank_line();
            let words = "This can't be undone. It has no effect on the external key store proxy, the external key \
                         manager, or the external keys.";
            view.paragraph(words, 0, theme::TEXT);
            if *keys > 0 {
                let words = format!("AWS KMS deletes only empty key stores. KMS keys in this key store: {keys}.");
                view.warning(&words, 0);
            }
        }
        _ => {}
    }
    view.blank_line();
}

/// Returns the errors of a key store form.
pub fn validate(kind: &FormKind, form: &Form, account: &AccountState) -> Vec<InputError> {
    let mut found = Vec::new();
    let mut report = |name: &'static str, result: Result<(), limits::Violation>| {
        if let Err(violation) = result {
            found.push((name, violation.reason));
        }
    };
    let is_new = matches!(kind, FormKind::CreateKeyStore);
    let is_vpc = CONNECTIVITIES[form.selected_option(CONNECTIVITY)] == XksProxyConnectivity::VpcEndpointService;
    report(NAME, limits::custom_key_store_name(&form.text(NAME)));
    if !is_connectivity_locked(kind) {
        if is_vpc {
            report(SERVICE, limits::xks_proxy_vpc_endpoint_service_name(&form.text(SERVICE)));
        }
        if is_vpc && form.is_checked(CROSS_ACCOUNT) {
            report(OWNER, limits::account_id(&form.text(OWNER)));
        }
        report(ENDPOINT, limits::xks_proxy_uri_endpoint(&form.text(ENDPOINT)));
    }
    let has_authorities_alone = form.text(ADDRESS).is_empty() && !form.text(CA_CERTIFICATES).is_empty();
    if form.is_checked(ROUTE) && !has_authorities_alone {
        report(ADDRESS, limits::xks_proxy_address(&form.text(ADDRESS)).map(drop));
    }
    report(PREFIX, limits::xks_proxy_path_prefix(&form.text(PREFIX)));
    let (access_key, secret) = (form.text(ACCESS_KEY), form.secret(SECRET));
    if is_new || !access_key.is_empty() || !secret.is_empty() {
        report(ACCESS_KEY, limits::xks_proxy_access_key_id(&access_key));
        report(SECRET, limits::xks_proxy_secret_access_key(secret));
    }
    let own = if let FormKind::EditKeyStore(store) = kind { store.custom_key_store_id.as_str() } else { "" };
    let name = form.text(NAME);
    let stores = account.key_stores.ready().map_or(&[][..], Vec::as_slice);
    if let Some(other) =
        stores.iter().find(|store| store.custom_key_store_name == name && store.custom_key_store_id != own)
    {
        found.push((NAME, format!("The key store {} already has this name.", other.custom_key_store_id)));
    }
    found
}

/// Returns the changes that a form requests.
pub fn changes(kind: &FormKind, form: &Form) -> Vec<Change> {
    let full = |text: String| (!text.is_empty()).then_some(text);
    let path = format!("{}{XKS_PROXY_PATH_SUFFIX}", form.text(PREFIX));
    let credential = (!form.secret(SECRET).is_empty()).then(|| XksProxyAuthenticationCredential {
        access_key_id: form.text(ACCESS_KEY),
        raw_secret_access_key: SecretString::new(form.secret(SECRET).to_owned()),
    });
    let connectivity = CONNECTIVITIES[form.selected_option(CONNECTIVITY)];
    match kind {
        FormKind::CreateKeyStore => proxy_route_change(form)
            .into_iter()
            .chain([Change::CreateKeyStore(CreateCustomKeyStore {
                custom_key_store_name: form.text(NAME),
                custom_key_store_type: Some(CustomKeyStoreType::ExternalKeyStore),
                cloud_hsm_cluster_id: None,
                xks_proxy_uri_endpoint: full(form.text(ENDPOINT)),
                xks_proxy_uri_path: Some(path),
                xks_proxy_vpc_endpoint_service_name: full(form.text(SERVICE)),
                xks_proxy_vpc_endpoint_service_owner: full(form.text(OWNER)),
                xks_proxy_authentication_credential: credential,
                xks_proxy_connectivity: Some(connectivity),
            })])
            .collect(),
        FormKind::EditKeyStore(store) => {
            update_change(store, form, path, credential, connectivity).into_iter().collect()
        }
        FormKind::DeleteKeyStore { id, .. } => {
            vec![Change::DeleteKeyStore(DeleteCustomKeyStore { custom_key_store_id: id.clone() })]
        }
        _ => Vec::new(),
    }
}

/// Returns the change that sets the proxy route, which has to come before the key store is created.
fn proxy_route_change(form: &Form) -> Option<Change> {
    let full = |text: String| (!text.is_empty()).then_some(text);
    let route = ProxyRoute { host: proxy_host(form), address: full(form.text(ADDRESS)), certificate_authorities: None };
    form.is_checked(ROUTE).then(|| Change::PutProxyRoute(PutProxyRoute(route), full(form.text(CA_CERTIFICATES))))
}

/// Returns a change with only the values that differ, because AWS KMS rejects some of them while the store is
/// connected.
fn update_change(
    store: &CustomKeyStore,
    form: &Form,
    path: String,
    credential: Option<XksProxyAuthenticationCredential>,
    connectivity: XksProxyConnectivity,
) -> Option<Change> {
    let proxy = store.xks_proxy_configuration.as_ref()?;
    let other = |text: String, before: Option<&String>| (!text.is_empty() && Some(&text) != before).then_some(text);
    let is_other_way = !form.hidden.contains(&CONNECTIVITY) && connectivity != proxy.connectivity;
    let mut request = UpdateCustomKeyStore {
        custom_key_store_id: store.custom_key_store_id.clone(),
        new_custom_key_store_name: other(form.text(NAME), Some(&store.custom_key_store_name)),
        xks_proxy_uri_endpoint: other(form.text(ENDPOINT), Some(&proxy.uri_endpoint)),
        xks_proxy_uri_path: other(path, Some(&proxy.uri_path)),
        xks_proxy_vpc_endpoint_service_name: other(form.text(SERVICE), proxy.vpc_endpoint_service_name.as_ref()),
        xks_proxy_vpc_endpoint_service_owner: other(form.text(OWNER), proxy.vpc_endpoint_service_owner.as_ref()),
        xks_proxy_authentication_credential: credential,
        xks_proxy_connectivity: is_other_way.then_some(connectivity),
    };
    if is_other_way && request.xks_proxy_uri_endpoint.is_none() {
        // A new connectivity requires the endpoint, too.
        request.xks_proxy_uri_endpoint = Some(form.text(ENDPOINT));
    }
    let nothing = UpdateCustomKeyStore { custom_key_store_id: store.custom_key_store_id.clone(), ..Default::default() };
    (request != nothing).then_some(Change::UpdateKeyStore(request))
}

/// The proxy configuration file that proxy vendors supply (*Upload configuration file* in the AWS console).
#[derive(Deserialize)]
struct ConfigurationFile {
    #[serde(rename = "XksProxyUriPath")]
    uri_path: String,
    #[serde(rename = "XksProxyAuthenticationCredential")]
    credential: XksProxyAuthenticationCredential,
}

/// Whether `text` is the content of a proxy configuration file, rather than its path.
pub fn is_configuration(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Fills in the form from a proxy configuration file.
///
/// # Errors
/// The text isn't a proxy configuration file.
pub fn fill_from_configuration_file(form: &mut Form, text: &str) -> Result<(), CallFailure> {
    let file: ConfigurationFile = serde_json::from_str(text).map_err(|error| CallFailure {
        code: "InvalidConfigurationFile".to_owned(),
        message: format!(
            "This isn't a valid proxy configuration file (line {}, column {}). It must be JSON with XksProxyUriPath \
             and XksProxyAuthenticationCredential, which contains AccessKeyId and RawSecretAccessKey.",
            error.line(),
            error.column()
        ),
        request_id: String::new(),
    })?;
    let path = file.uri_path;
    form.set_value(PREFIX, path.strip_suffix(XKS_PROXY_PATH_SUFFIX).unwrap_or(&path));
    form.set_value(ACCESS_KEY, &file.credential.access_key_id);
    form.set_value(SECRET, file.credential.raw_secret_access_key.expose());
    form.set_value(CONFIGURATION_FILE, "");
    form.focus_next();
    Ok(())
}

/// Returns the input to correct after an error of CreateCustomKeyStore or UpdateCustomKeyStore.
pub fn input_for_error(code: &str) -> Option<&'static str> {
    match code.trim_end_matches("Exception") {
        "CustomKeyStoreNameInUse" => Some(NAME),
        "XksProxyUriInUse" | "XksProxyInvalidConfiguration" => Some(PREFIX),
        "XksProxyUriEndpointInUse" | "XksProxyUriUnreachable" | "XksProxyInvalidResponse" => Some(ENDPOINT),
        "XksProxyIncorrectAuthenticationCredential" => Some(ACCESS_KEY),
        "FileNotRead" | "MalformedCertificate" => Some(CA_CERTIFICATES),
        "XksProxyVpcEndpointServiceInUse"
        | "XksProxyVpcEndpointServiceNotFound"
        | "XksProxyVpcEndpointServiceInvalidConfiguration" => Some(SERVICE),
        _ => None,
    }
}
