//! The meanings of errors and their remedies.

mod proxy;

use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::submission::SubmissionFailure;

// Texts of several remedies.
const ALLOW_ENCRYPT_AND_DECRYPT: &str = "Allow ENCRYPT and DECRYPT for it in your external key manager and try again, or enter another external \
             key ID.";
const INVALID_RESPONSE: &str = "AWS KMS can't interpret the response from the proxy.";
const REPORT_TO_VENDOR: &str = "Try again. If you see this error repeatedly, report it to the proxy vendor.";
const CHECK_ENDPOINT: &str = "Check the endpoint and path. Make sure that the proxy and key manager are running and that port 443 is \
             open.";
const CHECK_VPC_SERVICE: &str =
    "Check its name and Region, and that it allows the AWS KMS service principal of this Region.";
const VPC_REQUIREMENTS: &str = "The VPC endpoint service doesn't meet the requirements.";
const RECONNECT: &str = "Disconnect the key store, then connect it again.";

/// An explanation of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What the error means.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
    /// The field of the wizard to change, if changing one helps.
    pub field: Option<Field>,
}

const fn new_remedy(meaning: &'static str, action: &'static str, field: Option<Field>) -> Remedy {
    Remedy { meaning, action, field }
}

/// Returns the remedy for an error of any operation.
///
/// Source: the API model, and *Troubleshooting external key stores* in the AWS KMS Developer Guide.
pub fn for_error(code: &str, message: &str) -> Remedy {
    let external_key = Some(Field::ExternalKeyId);
    match code.strip_suffix("Exception").unwrap_or(code) {
        "XksProxyUriUnreachable" if message.contains("TLS") => new_remedy(
            "AWS KMS can't establish a TLS connection to the proxy.",
            "Check the host name, the validity, and the CA of the proxy's certificate. If the bundled AWS is to trust \
             another CA, name it with --proxy-ca.",
            None,
        ),
        "XksKeyNotFound" => new_remedy(
            "The external key store proxy can't find an external key with this ID.",
            "Check the ID in your external key manager. If the key has multiple IDs, enter the one that the proxy \
             uses.",
            external_key,
        ),
        "XksKeyAlreadyInUse" => new_remedy(
            "The external key is already associated with another KMS key in this key store, which might be pending \
             deletion.",
            "Enter another external key ID. Each KMS key in an external key store needs a different external key.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("key spec") => new_remedy(
            "The external key isn't a 256-bit AES key.",
            "Create a 256-bit AES key in your external key manager, and enter its ID.",
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("usage") => new_remedy(
            "The external key isn't configured to encrypt and decrypt.",
            ALLOW_ENCRYPT_AND_DECRYPT,
            external_key,
        ),
        "XksKeyInvalidConfiguration" if message.contains("does not support") => new_remedy(
            "The external key doesn't support the requested operation.",
            ALLOW_ENCRYPT_AND_DECRYPT,
            external_key,
        ),
        "XksKeyInvalidConfiguration" => new_remedy(
            "The external key is not enabled.",
            "Enable it in your external key manager and try again, or enter another external key ID.",
            external_key,
        ),
        "KMSInvalidState" if let Some(remedy) = proxy::for_message(message) => remedy,
        "CustomKeyStoreInvalidState" => new_remedy(
            "The external key store isn't connected, or its proxy doesn't respond correctly.",
            "Connect the key store, or choose a connected one. If it is connected, check its proxy.",
            Some(Field::CustomKeyStore),
        ),
        "CustomKeyStoreNotFound" => new_remedy(
            "The external key store no longer exists in this account and Region.",
            "Choose another external key store.",
            Some(Field::CustomKeyStore),
        ),
        "AlreadyExists" => new_remedy(
            "The alias already exists in this Region. Its KMS key might be pending deletion.",
            "Enter another alias, or delete the existing one first.",
            Some(Field::Alias),
        ),
        "InvalidAliasName" | "NotAuthorized" => {
            new_remedy("The alias is not allowed.", "Enter another alias.", Some(Field::Alias))
        }
        "MalformedPolicyDocument" if message.contains("principal") => new_remedy(
            "The key policy includes a user, role, or account that doesn't exist.",
            "Remove the principal, or create it first. If you just created it, wait a moment and try again.",
            Some(Field::KeyPolicy),
        ),
        "MalformedPolicyDocument" => new_remedy(
            "AWS KMS rejected the key policy.",
            "Correct the key policy, or restore the generated one.",
            Some(Field::KeyPolicy),
        ),
        "Tag" => new_remedy("AWS KMS rejected the tags.", "Correct the tags.", Some(Field::AddTag)),
        "Validation" if message.contains("xksKeyId") => {
            new_remedy("The external key ID is not valid.", "Correct the external key ID.", external_key)
        }
        "Validation" if message.contains("lias") => {
            new_remedy("The alias is not valid.", "Correct the alias.", Some(Field::Alias))
        }
        "Validation" => new_remedy("A value is not valid.", "Correct the value mentioned in the message.", None),
        "KMSInvalidState" => new_remedy(
            "The state of the KMS key or its external key doesn't allow this operation.",
            "Check the KMS key and its external key store, then try again.",
            None,
        ),
        "CloudHsmClusterInvalidConfiguration" => new_remedy(
            "The key store is an AWS CloudHSM key store, and its cluster doesn't meet the requirements of AWS KMS.",
            "Choose an external key store.",
            Some(Field::CustomKeyStore),
        ),
        "NotFound" if message.contains("lias") => new_remedy(
            "The alias or its KMS key doesn't exist.",
            "Check the Customer managed keys page, then try again.",
            Some(Field::Alias),
        ),
        "NotFound" | "InvalidArn" => new_remedy(
            "The KMS key doesn't exist, or its ARN belongs to another account or Region.",
            "Check the Customer managed keys page, and the account and Region at the top right.",
            None,
        ),
        other => for_key_store_error(other).unwrap_or_else(|| for_common_error(other)),
    }
}

/// Returns the principals that might be the invalid ones in a rejected key policy, each with its field.
///
/// If the error message names principals of the draft, returns only those. Otherwise, returns every principal that
/// isn't in the loaded lists of IAM users and roles, and all other accounts.
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
    let is_unlisted = |(_, name): &(Field, &String)| !account.principals.contains(name);
    let mut suspects: Vec<_> = all.iter().filter(|one| is_named(one)).copied().collect();
    if suspects.is_empty() {
        suspects = all.into_iter().filter(is_unlisted).collect();
    }
    suspects.into_iter().map(|(field, name)| (field, name.clone())).collect()
}

/// Returns the remedy for errors of operations on key stores, files, and cryptographic operations.
fn for_key_store_error(code: &str) -> Option<Remedy> {
    let (meaning, action) = match code {
        "CustomKeyStoreNameInUse" => {
            ("Another key store in this account and Region has this name.", "Enter another name.")
        }
        "CustomKeyStoreHasCMKs" => (
            "The key store still contains KMS keys. Keys that are pending deletion count, too.",
            "Schedule the deletion of these keys, wait until they are deleted, then delete the key store.",
        ),
        "XksProxyUriInUse" => (
            "Another external key store in this account and Region uses this endpoint and path.",
            "Enter another path. Each key store needs a different path on the proxy.",
        ),
        "XksProxyUriEndpointInUse" => (
            "A key store with different connectivity uses this endpoint. Only key stores with public endpoints can \
             share one.",
            "Enter another endpoint.",
        ),
        "XksProxyUriUnreachable" => {
            ("AWS KMS can't reach the proxy, or its external key manager is unavailable.", CHECK_ENDPOINT)
        }
        "XksProxyIncorrectAuthenticationCredential" => (
            "The proxy rejected this access key ID and secret access key.",
            "Enter the credential of the proxy. The proxy configuration file contains both values.",
        ),
        "XksProxyInvalidConfiguration" => (
            "The path doesn't exist on the proxy, or the TLS configuration of the proxy is not valid.",
            "Check the path prefix in the configuration file from the proxy vendor, and the TLS certificate of the \
             proxy.",
        ),
        "XksProxyInvalidResponse" => (INVALID_RESPONSE, REPORT_TO_VENDOR),
        "XksProxyVpcEndpointServiceInUse" => (
            "Another external key store uses this VPC endpoint service.",
            "Choose another one. Each key store with VPC connectivity needs a different VPC endpoint service.",
        ),
        "XksProxyVpcEndpointServiceNotFound" => {
            ("AWS KMS can't find the VPC endpoint service, or isn't allowed to use it.", CHECK_VPC_SERVICE)
        }
        "XksProxyVpcEndpointServiceInvalidConfiguration" => (
            VPC_REQUIREMENTS,
            "It must be an interface service with a Network Load Balancer in two Availability Zones, not require \
             acceptance, and have a verified private DNS name that matches the host of the proxy URI endpoint.",
        ),
        "InvalidConfigurationFile" | "FileNotRead" => (
            "The file can't be read, or its content is not valid.",
            "Check its path and content. You can also paste the JSON of a proxy configuration file.",
        ),
        "MalformedCertificate" => (
            "The file doesn't contain a valid certificate.",
            "Enter the path of a PEM file with the certificate of the CA that signed the proxy certificate.",
        ),
        "Disabled" => ("The KMS key is disabled.", "Open the key, press m for Key actions, and choose Enable."),
        "InvalidCiphertext" => (
            "The ciphertext is corrupted or belongs to another account, or the encryption context doesn't match.",
            "Check that the ciphertext is complete, and enter the exact encryption context.",
        ),
        "IncorrectKey" => ("The data was encrypted under another KMS key.", "Open that key, and decrypt there."),
        _ => return None,
    };
    Some(new_remedy(meaning, action, None))
}

/// Returns the remedy for errors that any operation can return.
///
/// Source: *Common errors* in the AWS KMS API Reference.
fn for_common_error(code: &str) -> Remedy {
    match code {
        "LimitExceeded" => new_remedy(
            "You've reached a service quota (KMS keys, custom key stores, aliases per key, or key policy size).",
            "Delete resources that you don't need, shorten the key policy, or request a quota increase from AWS.",
            None,
        ),
        "UnsupportedOperation" => new_remedy(
            "KMS keys in external key stores don't support this operation or property.",
            "Use the key configuration that the wizard selects.",
            None,
        ),
        "ReadOnly" => new_remedy(
            "The console is read-only, so the request wasn't sent.",
            "Run the AWS CLI commands shown here, or use a console that isn't read-only.",
            None,
        ),
        "AccessDenied" => new_remedy(
            "You don't have permission for this operation.",
            "Ask an administrator to allow the action mentioned in the message, then try again.",
            None,
        ),
        "Throttling" => new_remedy("Too many requests in a short time.", "Wait a moment, then try again.", None),
        "DependencyTimeout" => new_remedy(
            "A dependency of AWS KMS didn't respond in time. The request might still have succeeded.",
            "Wait a moment, then check again. The console first checks the result, so it never creates duplicates.",
            None,
        ),
        "KMSInternal" | "InternalFailure" | "ServiceUnavailable" | "InternalServerError" => new_remedy(
            "AWS KMS had an internal error. The request might still have succeeded.",
            "Wait a moment, then check again. The console never creates duplicates. If you see this error repeatedly, \
             check the AWS Health Dashboard.",
            None,
        ),
        "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => new_remedy(
            "AWS rejected your credentials.",
            "Check the access key ID, the secret access key, the Region, and the clock of this computer.",
            None,
        ),
        "ExpiredToken" | "RequestExpired" => new_remedy(
            "Your credentials have expired, or the clock of this computer is wrong.",
            "Get new credentials (for example, run aws sso login), then try again.",
            None,
        ),
        "NoCredentials" => new_remedy(
            "No credentials were found to sign the request, so it wasn't sent.",
            "Follow the steps in the message, then try again. Your input is kept.",
            None,
        ),
        "Canceled" => new_remedy(
            "The request was canceled, but it might still have succeeded.",
            "Check again. The console first checks the result, so it never creates duplicates.",
            None,
        ),
        SubmissionFailure::INTERRUPTED => new_remedy(
            "The console stopped before the response arrived. The request might still have succeeded.",
            "Check again. The console first checks whether the key was created, so you never get two.",
            None,
        ),
        SubmissionFailure::AMBIGUOUS => new_remedy(
            "The console can't tell whether it created one of these keys, so it neither used them nor created another \
             key.",
            "Check the Customer managed keys page. If your key exists, create its alias there, then discard this \
             draft.",
            None,
        ),
        SubmissionFailure::NOT_SAVED => new_remedy(
            "The draft couldn't be saved, so the request wasn't sent: without a draft, a crash could leave you with a \
             second KMS key.",
            "Free up disk space or make the directory writable, then try again.",
            None,
        ),
        "RequestFailed" | crate::aws::codec::UNKNOWN_ERROR => new_remedy(
            "Couldn't reach AWS, or its response was lost or incomplete.",
            "Check the network and any proxy between this computer and AWS, then check again. The console never \
             creates duplicates.",
            None,
        ),
        _ => new_remedy(
            "The request failed.",
            "Try again. If you see this error repeatedly, contact AWS Support with the request ID.",
            None,
        ),
    }
}

/// Returns the remedy for the ConnectionErrorCode of an external key store.
///
/// Source: the API model, and *Troubleshooting external key stores* in the AWS KMS Developer Guide.
pub fn for_connection_error(code: &str) -> Remedy {
    let (meaning, action) = match code {
        "INTERNAL_ERROR" => ("AWS KMS had an internal error.", RECONNECT),
        "NETWORK_ERRORS" => (
            "Network errors prevented AWS KMS from connecting to the backing key store.",
            "Check the network, then disconnect the key store and connect it again.",
        ),
        "INVALID_CREDENTIALS" => (
            "The proxy rejected the access key ID or secret access key of the key store.",
            "Update the proxy credential of the key store, then disconnect the key store and connect it again.",
        ),
        "XKS_PROXY_ACCESS_DENIED" => {
            ("The proxy denied access to AWS KMS.", "Check the authorization rules on the proxy for this key store.")
        }
        "XKS_PROXY_INVALID_CONFIGURATION" => (
            "The configuration of the key store doesn't match the proxy.",
            "Check the proxy URI path of the key store.",
        ),
        "XKS_PROXY_INVALID_RESPONSE" => (INVALID_RESPONSE, REPORT_TO_VENDOR),
        "XKS_PROXY_INVALID_TLS_CONFIGURATION" => (
            "AWS KMS can't establish a TLS connection to the proxy.",
            "The proxy must support TLS 1.2 or 1.3 and have a certificate that hasn't expired, matches its host name, \
             and has a complete chain to a trusted certificate authority.",
        ),
        "XKS_PROXY_NOT_REACHABLE" => (
            "AWS KMS can't reach the proxy, or every instance of the external key manager is unavailable.",
            CHECK_ENDPOINT,
        ),
        "XKS_PROXY_TIMED_OUT" => (
            "The proxy didn't respond within 250 ms, the AWS KMS time limit.",
            "Check the load of the proxy and its distance from the AWS Region. If you see this error repeatedly, \
             report it to the proxy vendor.",
        ),
        "XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION" => (
            VPC_REQUIREMENTS,
            "It must be an interface service with a Network Load Balancer in two Availability Zones, allow the AWS KMS \
             service principal without acceptance, and have a verified private DNS name that matches the certificate.",
        ),
        "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND" => ("AWS KMS can't find the VPC endpoint service.", CHECK_VPC_SERVICE),
        _ => ("The connection failed with an unknown error code.", RECONNECT),
    };
    new_remedy(meaning, action, None)
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
        assert_eq!(
            suspects(&format!("{message} {listed}"), &draft()),
            [Field::Users],
            "a principal named in the error message is the only suspect"
        );
        assert_eq!(suspects("The policy is not JSON.", &draft()), []);
        let edited = KeyDraft { edited_policy: Some("{}".to_owned()), ..draft() };
        assert_eq!(suspects(message, &edited), [], "an edited policy is corrected on its own step");
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
