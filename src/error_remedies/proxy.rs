//! Remedies for failures of external key store proxies. AWS KMS reports all of them with the same error code, so only the
//! message says which one it is.
//!
//! Source: the messages in *Troubleshooting external key stores* in the AWS KMS Developer Guide, and in the specification
//! of the External Key Store Proxy API.

use super::{CHECK_ENDPOINT, INVALID_RESPONSE, REPORT_TO_VENDOR, Remedy, new_remedy};

/// Parts of messages, with the remedies.
const REMEDIES: [(&str, Remedy); 18] = [
    (
        "could not authenticate",
        new_remedy(
            "The proxy can't authenticate AWS KMS, because it doesn't accept the proxy credential of the key store.",
            "Enter the current proxy credential in the key store. If it's correct, check that nothing between AWS KMS and the \
             proxy changes the headers.",
            None,
        ),
    ),
    (
        "denied access",
        new_remedy(
            "The proxy doesn't let this caller use the external key.",
            "Ask the administrator of the proxy to allow the caller and the operation for the external key. You can't change \
             this in AWS.",
            None,
        ),
    ),
    (
        "not enabled",
        new_remedy(
            "The external key is disabled in the external key manager.",
            "Enable it there, and try again.",
            None,
        ),
    ),
    ("could not find the external key", EXTERNAL_KEY_GONE),
    ("was not found", EXTERNAL_KEY_GONE),
    (
        "does not support the requested",
        new_remedy(
            "The external key or the proxy doesn't support this operation.",
            "Allow ENCRYPT and DECRYPT for the external key in your external key manager. If it has both, ask the vendor of the \
             proxy.",
            None,
        ),
    ),
    (
        "corrupted, missing, or otherwise invalid",
        new_remedy(
            "The ciphertext was changed, or the encryption context isn't the one that was used for encryption.",
            "Use the original ciphertext and the same encryption context. If both are right, try again, and then ask the \
             administrator of the proxy.",
            None,
        ),
    ),
    (
        "invalid URI path",
        new_remedy(
            "The proxy doesn't serve the URI path of the key store.",
            "Correct the proxy URI path of the key store.",
            None,
        ),
    ),
    (
        "very high request rate",
        new_remedy(
            "The proxy gets more requests than it can handle.",
            "Make fewer requests, for example by caching data keys, or ask the administrator of the proxy for more capacity.",
            None,
        ),
    ),
    (
        "in the time allotted",
        new_remedy(
            "The external key manager didn't respond to the proxy in time.",
            "Try again. If it happens often, ask the administrator of the external key manager to check its load.",
            None,
        ),
    ),
    (
        "did not respond",
        new_remedy(
            "The proxy didn't respond within 250 milliseconds.",
            "Try again. If it happens often, check the load of the proxy, and that the round trip from AWS takes at most 35 \
             milliseconds.",
            None,
        ),
    ),
    (
        "communicate with the external key manager",
        new_remedy(
            "The proxy can't reach its external key manager.",
            "Make sure that the external key manager is running, and that the proxy can connect to it.",
            None,
        ),
    ),
    (
        "communicate with the external key store proxy",
        new_remedy("AWS KMS can't connect to the proxy.", CHECK_ENDPOINT, None),
    ),
    (
        "establish a TLS connection",
        new_remedy(
            "AWS KMS can't establish a TLS connection to the proxy.",
            "Check the host name, the validity, and the CA of the proxy's certificate.",
            None,
        ),
    ),
    ("cannot interpret the response", new_remedy(INVALID_RESPONSE, REPORT_TO_VENDOR, None)),
    (
        "unhealthy state",
        new_remedy(
            "All external key managers behind the proxy are unavailable.",
            "Start the external key managers, or ask the administrator of the proxy to do so.",
            None,
        ),
    ),
    (
        "is unavailable",
        new_remedy(
            "The KMS key is unavailable, because its key store isn't connected.",
            "Connect the key store. The key returns to its previous state by itself.",
            None,
        ),
    ),
    (
        "is pending deletion",
        new_remedy("The KMS key is pending deletion.", "Cancel the deletion, and then enable the key.", None),
    ),
];

const EXTERNAL_KEY_GONE: Remedy = new_remedy(
    "The external key of this KMS key no longer exists in the external key manager.",
    "Restore it there with the same ID and key material. Another KMS key can't decrypt what this one encrypted.",
    None,
);

/// Returns the remedy for a message of `KMSInvalidStateException`, if it's one of a failure that AWS documents.
pub(super) fn for_message(message: &str) -> Option<Remedy> {
    REMEDIES.iter().find(|(part, _)| message.contains(part)).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xks::client::XksFailure;
    use crate::xks::failure::TlsProblem;
    use crate::xks::wire::ErrorName;

    #[test]
    fn each_failure_of_a_proxy_has_a_remedy_of_its_own() {
        let failures = ErrorName::ALL.map(XksFailure::Refused).into_iter().chain([
            XksFailure::Unreachable,
            XksFailure::TimedOut,
            XksFailure::Tls(TlsProblem::Handshake),
            XksFailure::InvalidResponse(""),
            XksFailure::DamagedCiphertext,
            XksFailure::Unhealthy,
            XksFailure::Configuration(String::new()),
        ]);
        for failure in failures {
            let message = failure.cryptographic_error().message;
            assert!(for_message(&message).is_some(), "{failure:?}: {message}");
        }
        assert_eq!(for_message("arn:aws:kms:us-west-2:111122223333:key/1 is disabled."), None);
    }

    #[test]
    fn similar_messages_have_different_remedies() {
        let meaning = |failure: XksFailure| for_message(&failure.cryptographic_error().message).unwrap().meaning;
        let manager = meaning(XksFailure::Refused(ErrorName::InternalException));
        assert!(manager.contains("reach its external key manager"), "{manager}");
        assert!(meaning(XksFailure::Unreachable).contains("connect to the proxy"));
    }
}
