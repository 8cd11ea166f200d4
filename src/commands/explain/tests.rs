//! Explanations of ciphertexts of both origins, encrypted by the bundled AWS.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;

use super::input::{InputError, decode, parse_blob};
use super::*;
use crate::aws::kms::{Encrypt, EncryptionContext, RotateKeyOnDemand, ScheduleKeyDeletion};
use crate::aws::scalar::SecretBlob;
use crate::bundled::BundledAws;
use crate::client::Client;
use crate::environment::{Clock, Environment};
use crate::in_process;

const PLAINTEXT: &[u8] = b"four corners of the earth";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Creates an account in memory with fixed IDs and random numbers.
fn client() -> Client {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let clock = environment.clock.clone();
    in_process::client(&BundledAws::in_memory("default", environment).unwrap(), clock)
}

async fn encrypt(client: &Client, key_id: &str, plaintext: &[u8], context: EncryptionContext) -> Vec<u8> {
    let request = Encrypt {
        key_id: key_id.to_owned(),
        plaintext: SecretBlob::new(plaintext.to_vec()),
        encryption_context: Some(context),
        ..Default::default()
    };
    client.call(&request).await.unwrap().ciphertext_blob.0
}

fn explanation(blob: &[u8], lookup: &KeyLookup) -> Explanation {
    Explanation::new(blob, &parse_blob(blob).unwrap(), lookup)
}

fn lookup(dir: &Path, blob: &[u8]) -> KeyLookup {
    look_up(dir, &parse_blob(blob).unwrap())
}

/// Replaces IDs, and the hexadecimal digits of random bytes.
fn hide_random(text: &str) -> String {
    let text = regex_lite::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap().replace_all(text, "KEY-ID");
    let text = regex_lite::Regex::new("cks-[0-9a-f]+").unwrap().replace_all(&text, "cks-ID");
    regex_lite::Regex::new("[0-9a-f]{20,}(…[0-9a-f]*)?|…[0-9a-f]{12}").unwrap().replace_all(&text, "HEX").into_owned()
}

#[test]
fn text_explains_both_origins() {
    let client = client();
    let texts = ["alias/customer-db", "alias/app-logs"].map(|key| {
        let context = EncryptionContext::from([("project".to_owned(), "nile".to_owned())]);
        let blob = block_on(encrypt(&client, key, PLAINTEXT, context));
        let text = explanation(&blob, &KeyLookup::NoAccount).to_text(false, None);
        assert!(!text.contains("nile") && !text.contains("four"), "{text}");
        text
    });
    insta::assert_snapshot!("external_key_store", texts[0]);
    insta::assert_snapshot!("aws_kms", texts[1]);
}

#[test]
fn narrow_terminal_shows_everything_within_its_width() {
    let client = client();
    let blob = block_on(encrypt(&client, "alias/customer-db", PLAINTEXT, EncryptionContext::new()));
    let explanation = explanation(&blob, &KeyLookup::NoAccount);
    let words = |text: &str| text.split_whitespace().filter(|word| *word != "MEANING").map(str::to_owned).collect();
    let mut wide: Vec<String> = words(&explanation.to_text(false, None));
    wide.sort();
    for columns in [80, 120, 200] {
        let text = explanation.to_text(false, Some(columns));
        let fits = |line: &str| line.chars().count() <= columns || line.starts_with("  ARN ");
        assert!(text.lines().all(fits), "{columns}: {text}");
        let mut narrow: Vec<String> = words(&text);
        narrow.sort();
        assert_eq!(narrow, wide, "{columns}");
    }
}

#[test]
fn full_text_has_every_digit() {
    let client = client();
    let blob = block_on(encrypt(&client, "alias/customer-db", &[9; 4096], EncryptionContext::new()));
    let explanation = explanation(&blob, &KeyLookup::NoAccount);
    let digits = |text: &str| text.split_whitespace().collect::<String>();
    let short = explanation.to_text(false, None);
    let ciphertext = explanation.to_json()["fields"][18]["hex"].as_str().unwrap().to_owned();
    assert_eq!(ciphertext.len(), 2 * (4096 + 16));
    assert!(short.contains('…') && !digits(&short).contains(&ciphertext[..64]));
    let full = explanation.to_text(true, None);
    assert!(!full.contains('…'));
    for chunk in ciphertext.as_bytes().chunks(64) {
        assert!(full.contains(str::from_utf8(chunk).unwrap()));
    }
}

#[test]
fn json_has_every_field() {
    let client = client();
    let blob = block_on(encrypt(&client, "alias/customer-db", PLAINTEXT, EncryptionContext::new()));
    let json = explanation(&blob, &KeyLookup::NoAccount).to_json();
    let fields = json["fields"].as_array().unwrap();
    let hex: String = fields.iter().map(|field| field["hex"].as_str().unwrap()).collect();
    assert_eq!(hex, crate::text::hex(&blob));
    assert_eq!(fields[0]["text"], "XKSC");
    assert_eq!((&fields[0]["layer"], &fields[18]["layer"]), (&"header".into(), &"layer2".into()));
    assert_eq!(
        (&json["ciphertextBlob"]["isEncryptedTwice"], &json["layers"][2]["layer"]),
        (&true.into(), &"layer2".into())
    );
    for field in fields {
        for name in ["name", "meaning"] {
            assert!(field[name].as_str().is_some_and(|text| !text.is_empty()), "{field}");
        }
    }
}

#[test]
fn account_adds_the_key_until_it_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let aws = BundledAws::open(dir.path(), None).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let [double, single] = ["alias/customer-db", "alias/app-logs"]
        .map(|key| block_on(encrypt(&client, key, PLAINTEXT, EncryptionContext::new())));
    // A rotated key keeps the key material that encrypted the ciphertext.
    let key_id = parse_blob(&single).unwrap().header.key_arn;
    block_on(client.call(&RotateKeyOnDemand { key_id })).unwrap();
    drop((client, aws));
    let KeyLookup::Found(key) = lookup(dir.path(), &double) else { panic!("not found") };
    assert!(key.has_material && key.aliases == ["alias/customer-db"], "{key:?}");
    assert_eq!(key.external_key, crate::bundled::ExternalKeyStatus::Exists);
    let text = explanation(&double, &KeyLookup::Found(key.clone())).to_text(false, None);
    insta::assert_snapshot!("with_account", hide_random(&text));
    let KeyLookup::Found(standard) = lookup(dir.path(), &single) else { panic!("not found") };
    assert!(standard.has_material && standard.key_store.is_none(), "{standard:?}");
    let mut other = parse_blob(&single).unwrap();
    other.header.material_id = "other".to_owned();
    let KeyLookup::Found(standard) = look_up(dir.path(), &other) else { panic!("not found") };
    assert!(!standard.has_material, "{standard:?}");

    // The external key is deleted.
    let database = rusqlite::Connection::open(dir.path().join(crate::xks::key_manager::DATABASE_FILE)).unwrap();
    let id = &key.metadata.xks_key_configuration.as_ref().unwrap().id;
    database.execute("DELETE FROM key_versions WHERE id = ?1", [id]).unwrap();
    drop(database);
    let deleted = lookup(dir.path(), &double);
    let text = explanation(&double, &deleted).to_text(false, None);
    assert!(text.contains("Deleted from the bundled external key manager. This ciphertext can never"), "{text}");

    // The KMS key is pending deletion, and then its waiting period ends.
    let aws = BundledAws::open(dir.path(), None).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let key_id = key.metadata.key_id.clone();
    let request = ScheduleKeyDeletion { key_id, pending_window_in_days: Some(7) };
    block_on(client.call(&request)).unwrap();
    drop((client, aws));
    let parsed = parse_blob(&double).unwrap();
    let at = |days: i64| {
        let key = CiphertextKey {
            key_arn: &parsed.header.key_arn,
            material_id: &parsed.header.material_id,
            external_version: Some(1),
        };
        let now = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        KeyLookup::read(dir.path(), &key, now).unwrap()
    };
    let KeyLookup::Found(pending) = at(6) else { panic!("not found") };
    assert_eq!(pending.metadata.key_state.label(), "Pending deletion");
    assert_eq!(at(8), KeyLookup::NotFound);
    let text = explanation(&double, &at(8)).to_text(false, None);
    assert!(text.contains("the KMS key was deleted, and this ciphertext can never be decrypted"), "{text}");
}

#[test]
fn directory_without_an_account_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    let blob = block_on(encrypt(&client(), "alias/app-logs", PLAINTEXT, EncryptionContext::new()));
    assert_eq!(lookup(dir.path(), &blob), KeyLookup::NoAccount);
    assert_eq!(lookup(&dir.path().join("none"), &blob), KeyLookup::NoAccount);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn input_can_have_any_encoding() {
    let blob = block_on(encrypt(&client(), "alias/customer-db", PLAINTEXT, EncryptionContext::new()));
    let text = BASE64_STANDARD.encode(&blob);
    let lines = text.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\r\n");
    for input in [
        blob.clone(),
        format!("{text}\n").into_bytes(),
        format!("\u{feff}{lines}\r\n").into_bytes(),
        text.trim_end_matches('=').as_bytes().to_vec(),
        format!("\"{text}\"\n").into_bytes(),
        format!("{{\"KeyId\": \"k\", \"CiphertextBlob\": \"{text}\"}}").into_bytes(),
    ] {
        assert_eq!(decode(&input).unwrap(), blob);
    }
}

#[test]
fn errors_say_what_to_do() {
    let error = |input: &[u8]| {
        let result: Result<ParsedBlob, InputError> = decode(input).and_then(|blob| parse_blob(&blob));
        result.unwrap_err().to_string()
    };
    for (input, part) in [
        (&b""[..], "the input is empty. Pass a CiphertextBlob"),
        (b" \n", "the input is empty. Pass a CiphertextBlob"),
        (&[b'A'; 9000], "more than 6144 bytes, the limit of AWS KMS. Pass only"),
        (&b"A".repeat(70_000), "more than 6144 bytes, the limit of AWS KMS. Pass only"),
        (b"AQICAHh=", "isn't from the bundled AWS (parsing stopped at offset 0"),
        (&[1, 2, 2, 0, 0xff], "The layout of ciphertexts of AWS isn't public"),
        (b"AQIC AH!h", "its Base64 is damaged at character 7. Copy all"),
        (b"{\"Plaintext\": \"\"}", "the JSON has no CiphertextBlob. Pass the response"),
        (b"XKSC", "parsing stopped at offset 4, because the field \"Format\" needs 1 byte, and 0 follow"),
        (
            b"XKSC\x07\x00\xff",
            "offset 4, because the format is 7, and this version only knows 1. The ciphertext is from",
        ),
        (b"XKSC\x01\x01\x00\x05ab", "offset 8, because the field \"Key ARN\" needs 5 bytes, and 2 follow. The"),
    ] {
        let message = error(input);
        assert!(message.starts_with("Couldn't explain the ciphertext: ") && message.contains(part), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn fields_cover_ciphertexts_of_the_bundled_aws(
        plaintext in prop::collection::vec(any::<u8>(), 1..4096),
        context in prop::collection::btree_map("[a-z]{1,20}", "[a-z]{0,40}", 0..20),
    ) {
        let client = client();
        for key in ["alias/customer-db", "alias/app-logs"] {
            let blob = block_on(encrypt(&client, key, &plaintext, context.clone().into_iter().collect()));
            let parsed = parse_blob(&blob).unwrap();
            let mut end = 0;
            for field in &parsed.fields {
                prop_assert_eq!(field.range.start, end);
                end = field.range.end;
            }
            prop_assert_eq!(end, blob.len());
            prop_assert_eq!(parsed.header.is_external, key == "alias/customer-db");
            let text = explanation(&blob, &KeyLookup::NoAccount).to_text(true, Some(100));
            let hex = crate::text::hex(&plaintext);
            prop_assert!(plaintext.len() < 16 || !text.split_whitespace().collect::<String>().contains(&hex));
        }
    }

    #[test]
    fn truncated_ciphertext_is_an_error_everywhere(length in 0_usize..400) {
        let blob = block_on(encrypt(&client(), "alias/customer-db", PLAINTEXT, EncryptionContext::new()));
        let blob = &blob[..length % blob.len()];
        let text = BASE64_STANDARD.encode(blob);
        for input in [blob, text.as_bytes()] {
            let result = decode(input).and_then(|blob| parse_blob(&blob));
            prop_assert!(result.is_err());
        }
    }

    #[test]
    fn arbitrary_input_never_panics(input: Vec<u8>) {
        if let Ok(blob) = decode(&input) && let Ok(parsed) = parse_blob(&blob) {
            Explanation::new(&blob, &parsed, &KeyLookup::NotFound).to_text(false, Some(20));
        }
    }
}
