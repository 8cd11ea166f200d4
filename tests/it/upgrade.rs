//! What released versions have stored opens in this version: accounts, ciphertexts, and drafts.
//!
//! `tests/fixtures/upgrade` has an archive of each released version, which `.ci/release fixture` makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use xks_console::aws::kms::{CreateAlias, ListAliases};
use xks_console::aws::scalar::Blob;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::drafts::{DraftStore, DraftTarget};
use xks_console::environment::Clock;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::in_process;
use xks_console::tui::target::Target;

use crate::account::{block_on, create_key_request, decrypt, encrypt};

/// The key that an old version has created in an external key store, and one whose key material is in AWS KMS.
const ALIASES: [&str; 2] = ["alias/upgrade", "alias/app-logs"];
/// Fills in the wizard up to the tags.
const FILL_IN: &str = "Wait+Screen /Frankfurt HSM/\nDown\nType 'n'\nWait+Screen /External key ID/\nType 'ledger-archive'\nTab\n\
                       Space\nCtrl+N\nWait+Screen /Add alias/\nType 'ledger'\nTab\nType 'Annual accounts'\nCtrl+N\n\
                       Wait+Screen /Add tags/\n";
/// Resumes the draft where it was left, and creates its key.
const RESUME: &str = "Wait+Screen /Draft of a KMS key: ledger/\nType 'D'\nEnter\nWait+Screen /Add tags/\n#: key F8\n\
                      Wait+Screen /Review/\nCtrl+N\nWait+Screen /Success/\n";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/upgrade")
}

fn open(dir: &Path) -> (BundledAws, Client) {
    let bundled = BundledAws::open(dir, None).unwrap();
    let client = in_process::client(&bundled, Clock::System);
    (bundled, client)
}

/// Plays a tape on a console that uses the account in `dir` and keeps its drafts beside it.
fn play(dir: &Path, text: &str) {
    let (bundled, client) = open(&dir.join("account"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut player = Player::with_client((80, 24), bundled, client, Target::Bundled, Clock::System, runtime);
    let drafts = DraftStore::new(Some(dir.join("drafts")), Clock::System);
    // The directory of an account is part of the identity of a draft.
    player.keep_drafts(drafts, DraftTarget::Bundled("/account".to_owned()), "upgrade");
    let tape = Tape::parse("upgrade", text).unwrap();
    tape::play(&tape, &mut player, &mut |_, _| Ok(())).unwrap();
}

fn aliases(client: &Client) -> Vec<String> {
    let list = block_on(client.call(&ListAliases::default())).unwrap();
    list.aliases.into_iter().map(|alias| alias.alias_name).collect()
}

/// Writes what this version stores.
fn write_data(dir: &Path) {
    let (bundled, client) = open(&dir.join("account"));
    let ciphertexts = block_on(async {
        let request = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
        let key_id = client.call(&request).await.unwrap().key_metadata.key_id;
        let alias = CreateAlias { alias_name: ALIASES[0].to_owned(), target_key_id: key_id };
        client.call(&alias).await.unwrap();
        [encrypt(&client, ALIASES[0]).await, encrypt(&client, ALIASES[1]).await]
    });
    let texts = ciphertexts.map(|blob| BASE64_STANDARD.encode(blob.0));
    fs::write(dir.join("ciphertexts.json"), json!(texts).to_string()).unwrap();
    drop((bundled, client));
    play(dir, FILL_IN);
}

/// Extracts the archive of a version. Its files become private, because the program doesn't open others.
fn extract(archive: &Path) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive).args(["--strip-components", "1", "-C"]).arg(dir.path());
    let mut chmod = Command::new("chmod");
    chmod.args(["-R", "go="]).arg(dir.path());
    assert!(tar.status().unwrap().success() && chmod.status().unwrap().success(), "{}", archive.display());
    dir
}

fn check_account(dir: &Path, ciphertexts: &[Blob]) {
    let (_bundled, client) = open(dir);
    let aliases = aliases(&client);
    for (alias, blob) in ALIASES.iter().zip(ciphertexts) {
        assert!(aliases.iter().any(|found| found == alias), "{aliases:?}");
        block_on(async {
            assert_eq!(decrypt(&client, blob, "nile").await.unwrap().expose(), b"four corners");
            assert!(decrypt(&client, blob, "amazon").await.is_err());
            let again = encrypt(&client, alias).await;
            assert_eq!(decrypt(&client, &again, "nile").await.unwrap().expose(), b"four corners");
        });
    }
}

/// If `XKS_CONSOLE_WRITE_FIXTURE` is the path of a directory, writes there what this version stores instead.
#[test]
fn data_of_every_released_version_opens() {
    if let Some(dir) = std::env::var_os("XKS_CONSOLE_WRITE_FIXTURE") {
        return write_data(Path::new(&dir));
    }
    let archives: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!archives.is_empty());
    for archive in archives {
        let dir = extract(&archive);
        let path = |name| dir.path().join(name);
        let texts: Value = serde_json::from_slice(&fs::read(path("ciphertexts.json")).unwrap()).unwrap();
        let texts: Vec<String> = serde_json::from_value(texts).unwrap();
        let ciphertexts: Vec<Blob> = texts.iter().map(|text| Blob(BASE64_STANDARD.decode(text).unwrap())).collect();
        assert_eq!(ciphertexts.len(), ALIASES.len(), "{}", archive.display());
        check_account(&path("account"), &ciphertexts);
        play(dir.path(), RESUME);
        let (_bundled, client) = open(&path("account"));
        assert!(aliases(&client).contains(&"alias/ledger".to_owned()), "{}", archive.display());
    }
}
