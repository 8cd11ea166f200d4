//! The actions of a flow: copy it as a command, or try it again with a change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::flow::FlowDetails;
use crate::aws::cli_command::{command, shell_quote};
use crate::aws::kms::{Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, KeyState, ReEncrypt};
use crate::aws::operation::Operation;
use crate::aws::scalar::Blob;
use crate::aws::xray::{Flow, FlowCipher, FlowExchange};
use crate::create_key::account_state::AccountState;
use crate::tui::dialogs::cli_commands;
use crate::tui::dialogs::menu::MenuAction;
use crate::tui::effect::Change;
use crate::tui::pages::Location;

/// An action of a flow: its label, and what it does or why it isn't available.
pub type FlowAction = (&'static str, Result<MenuAction, &'static str>);

/// Returns the actions of a flow.
pub fn entries(details: &FlowDetails, account: &AccountState) -> Vec<FlowAction> {
    let flow = &details.flow;
    let replay = |change: &dyn Fn(&mut Decrypt) -> Result<(), &'static str>| {
        let cipher = flow.ciphers.last();
        let blob = cipher.and_then(|cipher| cipher.blob.clone());
        let (Some(cipher), Some(blob)) = (cipher, blob) else { return Err("There is no ciphertext.") };
        if account.is_read_only {
            return Err("Read-only console.");
        }
        let mut request = Decrypt {
            ciphertext_blob: blob,
            encryption_context: (!cipher.encryption_context.is_empty()).then(|| cipher.encryption_context.clone()),
            ..Decrypt::default()
        };
        change(&mut request)?;
        Ok(MenuAction::Replay(Box::new(request)))
    };
    let exchange = flow.exchanges.last().ok_or("No proxy was called.");
    let event = details.event.as_ref().ok_or("There is no event.");
    vec![
        ("Try: flip one byte, and decrypt", replay(&flip_last_byte)),
        ("Try: drop the encryption context", replay(&drop_context)),
        ("Try: use another key", replay(&|request| use_other_key(request, flow, account))),
        ("Try: decrypt it unchanged", replay(&|_| Ok(()))),
        (
            "Copy as AWS CLI command",
            cli_command(flow, account).map(|text| MenuAction::Copy(cli_commands::CLIPBOARD_NAME, text)),
        ),
        ("Copy proxy request as curl command", exchange.map(|one| MenuAction::Copy("curl command", curl(one)))),
        ("Open CloudTrail event", event.map(|event| MenuAction::Open(Location::Event(event.event_id.clone())))),
    ]
}

fn flip_last_byte(request: &mut Decrypt) -> Result<(), &'static str> {
    let last = request.ciphertext_blob.0.last_mut().ok_or("The ciphertext is empty.")?;
    *last ^= 1;
    Ok(())
}

fn drop_context(request: &mut Decrypt) -> Result<(), &'static str> {
    request.encryption_context.take().map(drop).ok_or("It has none.")
}

/// Names another key than the one that encrypted the ciphertext: preferably one in the same key store.
fn use_other_key(request: &mut Decrypt, flow: &Flow, account: &AccountState) -> Result<(), &'static str> {
    let keys = account.customer_managed_keys();
    let arn = flow.summary.key_arn.as_deref().unwrap_or_default();
    let store = keys.iter().find(|key| *key.arn == *arn).map(|key| &key.custom_key_store_id);
    let usable = |key: &&_| {
        let key: &crate::create_key::key_summary::KeySummary = key;
        *key.arn != *arn && key.key_state == KeyState::Enabled && *key.key_spec == *"SYMMETRIC_DEFAULT"
    };
    let others = || keys.iter().filter(usable);
    let other = others().find(|key| Some(&key.custom_key_store_id) == store).or_else(|| others().next());
    request.key_id = Some(other.ok_or("There is no other enabled key.")?.arn.to_string());
    Ok(())
}

/// Returns the command that writes a ciphertext to the file that the next command reads.
fn write_file(blob: &Blob) -> String {
    format!("printf %s {} | base64 --decode > ciphertext", shell_quote(&STANDARD.encode(&blob.0)))
}

/// Returns the AWS CLI command that sends the request again.
fn cli_command(flow: &Flow, account: &AccountState) -> Result<String, &'static str> {
    let target = account.command_target();
    let cipher = flow.ciphers.last().ok_or("Only for requests that use a key.")?;
    let context =
        |cipher: &FlowCipher| (!cipher.encryption_context.is_empty()).then(|| cipher.encryption_context.clone());
    let key_id = cipher.key_arn.clone();
    let data_key = || GenerateDataKey {
        key_id: key_id.clone(),
        number_of_bytes: cipher.plaintext_length.and_then(|length| u32::try_from(length).ok()),
        encryption_context: context(cipher),
        ..GenerateDataKey::default()
    };
    Ok(match flow.summary.operation.as_str() {
        Encrypt::NAME => {
            let request = Encrypt { key_id, encryption_context: context(cipher), ..Encrypt::default() };
            cli_commands::for_changes(&[Change::Encrypt(request, None)], account)
        }
        Decrypt::NAME => {
            let request = Decrypt {
                ciphertext_blob: cipher.blob.clone().unwrap_or_default(),
                encryption_context: context(cipher),
                ..Decrypt::default()
            };
            cli_commands::for_changes(&[Change::Decrypt(request, None)], account)
        }
        GenerateDataKey::NAME => command(&data_key(), target, &[]),
        GenerateDataKeyWithoutPlaintext::NAME => command(&GenerateDataKeyWithoutPlaintext(data_key()), target, &[]),
        ReEncrypt::NAME => {
            let source = flow.ciphers.first().ok_or("There is no ciphertext.")?;
            let request = ReEncrypt {
                source_encryption_context: context(source),
                destination_key_id: key_id,
                destination_encryption_context: context(cipher),
                ..ReEncrypt::default()
            };
            let file = ("CiphertextBlob", "fileb://ciphertext".to_owned());
            let re_encrypt = command(&request, target, &[file]);
            format!("{}\n{re_encrypt}", write_file(&source.blob.clone().unwrap_or_default()))
        }
        _ => return Err("Only for requests that use a key."),
    })
}

/// Returns the curl command that signs the request to the proxy and sends it. The secret access key is a placeholder.
fn curl(exchange: &FlowExchange) -> String {
    let authorization = exchange.headers.iter().find(|header| header.name == "authorization");
    let scope = authorization.and_then(|header| header.value.split_once("Credential=")).map_or("", |(_, scope)| scope);
    let mut scope = scope.split([',', ' ']).next().unwrap_or_default().split('/');
    let (access_key_id, region) = (scope.next().unwrap_or_default(), scope.nth(1).unwrap_or_default());
    let service = scope.next().unwrap_or_default();
    let signature = format!("aws:amz:{region}:{service}");
    let user = format!("{access_key_id}:SECRET_ACCESS_KEY");
    let options = [
        ("aws-sigv4", signature.as_str()),
        ("user", &user),
        ("header", "content-type: application/json"),
        ("data-raw", &exchange.body),
    ];
    let options = options.map(|(name, value)| format!("  --{name} {}", shell_quote(value))).join(" \\\n");
    let note = "# Replace SECRET_ACCESS_KEY with the secret access key of the proxy credential, which isn't recorded.";
    format!("{note}\ncurl --request {} {} \\\n{options}", exchange.method, shell_quote(&exchange.uri))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::xray::FlowHeader;

    #[test]
    fn curl_command_names_the_credential_but_has_no_signature() {
        let value = "AWS4-HMAC-SHA256 Credential=AKIDXYZ/20260302/us-west-2/kms-xks-proxy/aws4_request, \
                     SignedHeaders=host, Signature=0123abcd";
        let exchange = FlowExchange {
            method: "POST".to_owned(),
            uri: "https://xks.example.com/kms/xks/v1/keys/a/encrypt".to_owned(),
            headers: vec![FlowHeader { name: "authorization".to_owned(), value: value.to_owned() }],
            body: r#"{"plaintext":"AAEC"}"#.to_owned(),
            ..FlowExchange::default()
        };
        let text = curl(&exchange);
        assert!(text.contains("--aws-sigv4 aws:amz:us-west-2:kms-xks-proxy \\"), "{text}");
        assert!(text.contains("--user AKIDXYZ:SECRET_ACCESS_KEY \\"), "{text}");
        assert!(text.contains(r#"--data-raw '{"plaintext":"AAEC"}'"#), "{text}");
        assert!(!text.contains("0123abcd"), "{text}");
    }

    #[test]
    fn changes_for_another_try_need_what_they_change() {
        let mut request = Decrypt { ciphertext_blob: Blob(vec![7, 8]), ..Decrypt::default() };
        assert_eq!(drop_context(&mut request), Err("It has none."));
        assert_eq!(flip_last_byte(&mut request), Ok(()));
        assert_eq!(request.ciphertext_blob.0, [7, 9]);
        assert!(use_other_key(&mut request, &Flow::default(), &AccountState::default()).is_err());
    }
}
