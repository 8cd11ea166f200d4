//! What errors mean and what mends them.

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::field::Field;
use super::submission::SubmissionFailure;

/// Help with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
    /// The field of the wizard that mends it, where one does.
    pub field: Option<Field>,
}

const fn new_remedy(meaning: &'static str, remedy: &'static str, mended_by: Option<Field>) -> Remedy {
    Remedy { meaning, action: remedy, field: mended_by }
}

/// Help with an error of CreateKey or CreateAlias. Source: API model; *Troubleshooting external key stores*.
pub fn for_error(code: &str, message: &str) -> Remedy {
    let external_key = Some(Field::ExternalKeyId);
    match code.strip_suffix("Exception").unwrap_or(code) {
        "XksKeyNotFound" => new_remedy(
            "The external key store proxy knows no external key with this ID.",
            "Check the ID in your external key manager. If the key has several IDs, enter the one that the proxy uses.",
            external_key,
        ),
        "XksKeyAlreadyInUse" => new_remedy(
            "Another KMS key in this external key store already uses this external key, perhaps one pending deletion.",
            "Enter another external key. Each KMS key in a store needs an external key of its own.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("key spec") => new_remedy(
            "The external key is not a 256-bit AES key.",
            "Create an AES-256 key in your external key manager and enter its ID.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("usage") => new_remedy(
            "The external key may not both encrypt and decrypt.",
            "Allow ENCRYPT and DECRYPT on it in your external key manager and try again, or enter another key.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("does not support") => new_remedy(
            "The external key does not support what AWS KMS asks of it.",
            "Allow ENCRYPT and DECRYPT on it in your external key manager and try again, or enter another key.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" => new_remedy(
            "The external key is not enabled.",
            "Enable it in your external key manager and try again, or enter another key.",
            external_key,
        ),
        "CustomKeyStoreInvalidState" => new_remedy(
            "The external key store can't be used now: it is not connected, or its proxy does not answer as it should.",
            "Connect the store, or choose another that is connected.",
            Some(Field::CustomKeyStore),
        ),
        "CustomKeyStoreNotFound" => new_remedy(
            "The external key store no longer exists in this account and Region.",
            "Choose another external key store.",
            Some(Field::CustomKeyStore),
        ),
        "AlreadyExists" => new_remedy(
            "Another KMS key has this alias, perhaps one pending deletion.",
            "Choose another alias, or delete that one first.",
            Some(Field::Alias),
        ),
        "InvalidAliasName" | "NotAuthorized" => {
            new_remedy("The alias is not allowed.", "Choose another alias.", Some(Field::Alias))
        }
        "MalformedPolicyDocument" if message.contains("principal") => new_remedy(
            "The key policy names a user, role or account that does not exist.",
            "Take it out, or create it first. A principal made seconds ago may need a moment to be seen.",
            Some(Field::KeyPolicy),
        ),
        "MalformedPolicyDocument" => new_remedy(
            "AWS KMS does not accept the key policy.",
            "Mend the policy, or go back to the generated one.",
            Some(Field::KeyPolicy),
        ),
        "Tag" => new_remedy("AWS KMS does not accept the tags.", "Mend the tags.", Some(Field::AddTag)),
        "Validation" if message.contains("xksKeyId") => {
            new_remedy("The external key ID is not well formed.", "Correct the external key ID.", external_key)
        }
        "Validation" if message.contains("lias") => {
            new_remedy("The alias is not well formed.", "Correct the alias.", Some(Field::Alias))
        }
        "Validation" => new_remedy("AWS KMS does not accept a value.", "Correct what the message names.", None),
        "KMSInvalidState" => new_remedy(
            "The KMS key or its external key is in a state that does not allow this.",
            "Look at the key and its external key store, then try again.",
            None,
        ),
        "CloudHsmClusterInvalidConfiguration" => new_remedy(
            "The key store is an AWS CloudHSM key store, and its cluster is not set up as AWS KMS needs it.",
            "Choose an external key store.",
            Some(Field::CustomKeyStore),
        ),
        "NotFound" if message.contains("lias") => new_remedy(
            "The alias or the key it points to is not there.",
            "Look at Customer managed keys, then try again.",
            Some(Field::Alias),
        ),
        "NotFound" | "InvalidArn" => new_remedy(
            "The KMS key is not there, or its ARN is of another account or Region.",
            "Look at Customer managed keys; check the account and Region at the top right.",
            None,
        ),
        other => for_key_store_error(other).unwrap_or_else(|| for_common_error(other)),
    }
}

/// Whom of the draft a refused key policy may be about, with the field that has it. AWS says that a principal does not
/// exist and not which; those that its lists don't have come into question, and other accounts.
pub fn invalid_principals(code: &str, message: &str, draft: &KeyDraft, account: &AccountState) -> Vec<(Field, String)> {
    let is_about_principals = code.starts_with("MalformedPolicyDocument") && message.contains("principal");
    if !is_about_principals || draft.edited_policy.is_some() {
        return Vec::new();
    }
    let administrators = draft.administrators.iter().map(|arn| (Field::Administrators, arn));
    let users = draft.users.iter().map(|arn| (Field::Users, arn));
    let accounts = draft.other_accounts.iter().enumerate().map(|(row, id)| (Field::OtherAccount(row), id));
    let all: Vec<(Field, &String)> = administrators.chain(users).chain(accounts).collect();
    let is_named = |(_, name): &(Field, &String)| message.contains(name.as_str());
    let is_strange = |(_, name): &(Field, &String)| !account.principals.contains(name);
    let mut suspects: Vec<_> = all.iter().filter(|one| is_named(one)).copied().collect();
    if suspects.is_empty() {
        suspects = all.into_iter().filter(is_strange).collect();
    }
    suspects.into_iter().map(|(field, name)| (field, name.clone())).collect()
}

/// Help with an error of CreateCustomKeyStore, UpdateCustomKeyStore or DeleteCustomKeyStore.
fn for_key_store_error(code: &str) -> Option<Remedy> {
    let (meaning, remedy) = match code {
        "CustomKeyStoreNameInUse" => {
            ("Another key store in this account and Region has this name.", "Choose another name.")
        }
        "CustomKeyStoreHasCMKs" => (
            "KMS keys live in this key store; those pending deletion count too.",
            "Schedule their deletion and wait until they are gone, then delete the store.",
        ),
        "XksProxyUriInUse" => (
            "Another external key store in this account and Region uses this endpoint and path.",
            "Use another path: each store needs a path of its own on the proxy.",
        ),
        "XksProxyUriEndpointInUse" => (
            "The endpoint is in use by a store with other connectivity. Only stores with public endpoint connectivity share one.",
            "Use another endpoint.",
        ),
        "XksProxyUriUnreachable" => (
            "AWS KMS can't reach the proxy, or no external key manager behind it answers.",
            "Check endpoint and path, that proxy and key manager run, and that port 443 is open.",
        ),
        "XksProxyIncorrectAuthenticationCredential" => (
            "The proxy does not accept this access key ID and secret access key.",
            "Enter the credential that is set on the proxy; its configuration file has both parts.",
        ),
        "XksProxyInvalidConfiguration" => (
            "The proxy answers, but not at this path, or its TLS is not set up as AWS KMS needs it.",
            "Check the path prefix; the vendor's configuration file has it.",
        ),
        "XksProxyInvalidResponse" => (
            "AWS KMS can't interpret what the proxy answers.",
            "Try again; if it happens again, tell the proxy's vendor.",
        ),
        "XksProxyVpcEndpointServiceInUse" => (
            "Another external key store uses this VPC endpoint service.",
            "Each store with VPC connectivity needs a VPC endpoint service of its own.",
        ),
        "XksProxyVpcEndpointServiceNotFound" => (
            "AWS KMS does not find the VPC endpoint service, or may not use it.",
            "Check its name and Region, and that it allows the KMS principal of this Region.",
        ),
        "XksProxyVpcEndpointServiceInvalidConfiguration" => (
            "The VPC endpoint service does not meet the requirements.",
            "It must be an interface service behind a network load balancer in two Availability Zones, need no acceptance, \
             and have a verified private DNS name that is the host of the proxy URI endpoint.",
        ),
        "InvalidConfigurationFile" | "FileNotRead" => {
            ("The file can't be used.", "Check its path. The JSON of a configuration file can be pasted, too.")
        }
        "MalformedCertificate" => (
            "The file holds no certificates that can be read.",
            "Name the file with the certificate of the authority that signed the proxy's, PEM.",
        ),
        "Disabled" => ("The KMS key is disabled.", "Enable it: its page has Key actions (m)."),
        "InvalidCiphertext" => (
            "The ciphertext is damaged, not of this account, or its encryption context is another.",
            "Check that all of it was copied, and name the very same encryption context.",
        ),
        "IncorrectKey" => ("It was encrypted under another KMS key.", "Open the key that it was encrypted under."),
        _ => return None,
    };
    Some(new_remedy(meaning, remedy, None))
}

/// Help with an error that any call can meet. Source: *Common errors* of the AWS KMS API Reference.
fn for_common_error(code: &str) -> Remedy {
    match code {
        "LimitExceeded" => new_remedy(
            "A quota is reached: KMS keys or custom key stores in the Region, aliases of a key, or the policy's size.",
            "Delete what is not needed, shorten the policy, or ask AWS for a higher quota.",
            None,
        ),
        "UnsupportedOperation" => new_remedy(
            "A KMS key in an external key store can't have this property.",
            "Keep the key configuration that the wizard fills in.",
            None,
        ),
        "ReadOnly" => new_remedy(
            "This console only looks, so nothing was sent.",
            "Do it with the commands that are given here instead, or in a console that is not read-only.",
            None,
        ),
        "AccessDenied" => new_remedy(
            "You may not do this.",
            "Ask an administrator to allow what the message names, then try again.",
            None,
        ),
        "Throttling" => new_remedy("Too many requests in a short time.", "Wait a moment and try again.", None),
        "DependencyTimeout" => new_remedy(
            "A part that AWS KMS depends on did not answer in time. The request may be carried out all the same.",
            "Look again in a moment; nothing is made twice.",
            None,
        ),
        "KMSInternal" | "InternalFailure" | "ServiceUnavailable" | "InternalServerError" => new_remedy(
            "AWS KMS failed inside. The request may be carried out all the same.",
            "Look again in a moment; nothing is made twice. If it stays, look at the AWS Health Dashboard.",
            None,
        ),
        "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => new_remedy(
            "AWS does not accept your credentials.",
            "Check the access key, its secret and the Region, and that this machine's clock is right.",
            None,
        ),
        "ExpiredToken" | "RequestExpired" => new_remedy(
            "Your credentials have expired, or this machine's clock is wrong.",
            "Get new credentials (for example: aws sso login) and try again.",
            None,
        ),
        "NoCredentials" => new_remedy(
            "There is nothing to sign the request with, so it was not sent.",
            "Do what the message says and try again. What you have typed is kept.",
            None,
        ),
        "Cancelled" => {
            new_remedy("Whether the request was carried out is not known.", "Look again: nothing is made twice.", None)
        }
        SubmissionFailure::INTERRUPTED => new_remedy(
            "The console ended before the answer came. The request may have been carried out all the same.",
            "Look again: it is looked up first, and nothing is made twice.",
            None,
        ),
        SubmissionFailure::AMBIGUOUS => new_remedy(
            "Whether one of these keys is the one that was asked for can't be told, so none is taken for it and none is made.",
            "Look at Customer managed keys. If the key is there, create its alias there and discard this draft.",
            None,
        ),
        SubmissionFailure::NOT_SAVED => new_remedy(
            "Nothing was sent: after a crash nothing would tell that the KMS key was asked for.",
            "Make room on the disk, or let the directory be written to, then try again.",
            None,
        ),
        "RequestFailed" | crate::aws::codec::UNKNOWN_ERROR => new_remedy(
            "AWS was not reached, or its answer was lost or spoilt on the way.",
            "Check the network and any proxy between this machine and AWS; then go on. Nothing is made twice.",
            None,
        ),
        _ => new_remedy("The request did not succeed.", "Try again; if it happens again, keep the request ID.", None),
    }
}

/// Help with the ConnectionErrorCode of an external key store. Source: API model; *Troubleshooting external key
/// stores*.
pub fn for_connection_error(code: &str) -> Remedy {
    let (meaning, remedy) = match code {
        "INTERNAL_ERROR" => ("AWS KMS had an internal error.", "Disconnect the store and connect it again."),
        "NETWORK_ERRORS" => (
            "Network errors kept AWS KMS from the backing key store.",
            "Check the network, then disconnect and connect again.",
        ),
        "INVALID_CREDENTIALS" => (
            "The proxy does not accept the access key ID or secret access key that the store has.",
            "Update the store's proxy credential to the one set on the proxy, then disconnect and connect again.",
        ),
        "XKS_PROXY_ACCESS_DENIED" => {
            ("The proxy denies AWS KMS access.", "Check the authorization rules of the proxy for this store.")
        }
        "XKS_PROXY_INVALID_CONFIGURATION" => {
            ("The proxy's configuration does not fit the store's.", "Check the proxy URI path of the store.")
        }
        "XKS_PROXY_INVALID_RESPONSE" => (
            "AWS KMS can't interpret what the proxy answers.",
            "Try again; if it happens again, tell the proxy's vendor.",
        ),
        "XKS_PROXY_INVALID_TLS_CONFIGURATION" => (
            "No TLS connection to the proxy can be made.",
            "The proxy needs TLS 1.2 or 1.3 and a certificate that is current, names its host, and comes from a \
             trusted authority with its whole chain.",
        ),
        "XKS_PROXY_NOT_REACHABLE" => (
            "AWS KMS can't reach the proxy, or every instance of the external key manager is unavailable.",
            "Check the URI endpoint and path, that proxy and key manager run, and that port 443 is open.",
        ),
        "XKS_PROXY_TIMED_OUT" => (
            "The proxy is reached but answers too slowly: AWS KMS waits 250 ms.",
            "Check the proxy's load and its distance to the AWS Region; if it happens again, tell its vendor.",
        ),
        "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION" => (
            "The VPC endpoint service does not meet the requirements.",
            "It must be an interface service behind a network load balancer in two Availability Zones, allow the KMS \
             principal without acceptance, and have a verified private DNS name that the certificate names.",
        ),
        "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND" => (
            "AWS KMS does not find the VPC endpoint service.",
            "Check its name and Region, and that it allows the KMS principal of this Region.",
        ),
        _ => ("The connection failed for a reason this console does not know.", "Disconnect and connect again."),
    };
    new_remedy(meaning, remedy, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::principals::{IamPrincipal, PrincipalKind};
    use crate::create_key::testing::{account_state, draft};

    #[test]
    fn external_key_configuration_errors_have_distinct_meanings() {
        let meaning = |message| for_error("XksKeyInvalidConfigurationException", message).meaning;
        let spec = meaning(
            "The key spec of the external key must be AES_256. The key spec of specified external key is AES_128.",
        );
        let status = meaning(
            "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
        );
        let usage = meaning("The key usage of the external key must include ENCRYPT and DECRYPT.");
        assert!(spec.contains("256-bit") && status.contains("not enabled") && usage.contains("encrypt and decrypt"));
    }

    #[test]
    fn principals_missing_from_the_iam_lists_are_suspected() {
        let message = "Policy contains a statement with one or more invalid principals.";
        let mut account = account_state();
        let listed = draft().users[0].clone();
        let page = vec![IamPrincipal {
            name: "App".to_owned(),
            path: "/".to_owned(),
            kind: PrincipalKind::Role,
            arn: listed.clone(),
        }];
        account.principals.on_page_loaded(PrincipalKind::Role, true, page, None);
        let suspects = |message: &str, draft: &KeyDraft| {
            let all = invalid_principals("MalformedPolicyDocumentException", message, draft, &account);
            all.into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert_eq!(suspects(message, &draft()), [Field::Administrators, Field::OtherAccount(0)]);
        assert_eq!(suspects(&format!("{message} {listed}"), &draft()), [Field::Users], "what AWS names it is");
        assert_eq!(suspects("The policy is not JSON.", &draft()), []);
        let edited = KeyDraft { edited_policy: Some("{}".to_owned()), ..draft() };
        assert_eq!(suspects(message, &edited), [], "an edited policy has its own step");
    }

    #[test]
    fn every_connection_error_code_has_a_distinct_meaning() {
        let codes = [
            "INTERNAL_ERROR",
            "NETWORK_ERRORS",
            "INVALID_CREDENTIALS",
            "XKS_PROXY_ACCESS_DENIED",
            "XKS_PROXY_INVALID_CONFIGURATION",
            "XKS_PROXY_INVALID_RESPONSE",
            "XKS_PROXY_INVALID_TLS_CONFIGURATION",
            "XKS_PROXY_NOT_REACHABLE",
            "XKS_PROXY_TIMED_OUT",
            "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION",
            "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND",
            "A_CODE_OF_TOMORROW",
        ];
        let meanings: std::collections::BTreeSet<_> =
            codes.iter().map(|code| for_connection_error(code).meaning).collect();
        assert_eq!(meanings.len(), codes.len());
    }
}
