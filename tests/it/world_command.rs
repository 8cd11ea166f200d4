//! `xks-console world export` and `world import`.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine as _};
use serde_json::{Value, json};

use super::account::block_on;
use super::pty::Console;
use super::reset_command::{files, run};
use xks_console::bundled::snapshot;
use xks_console::bundled::{BundledAws, ScenarioExport};
use xks_console::client::Client;
use xks_console::client::named_call::NamedOperation;
use xks_console::environment::{Clock, Environment, Random};
use xks_console::in_process;
use xks_console::storage::sealed::{RootKey, record_aad};

const PASSPHRASE: &str = "correct horse battery";

fn in_memory(scenario: &str) -> (BundledAws, Client) {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let aws = BundledAws::in_memory(scenario, environment.clone()).unwrap();
    let client = in_process::client(&aws, environment.clock);
    (aws, client)
}

fn call(client: &Client, operation: &str, input: Value) -> Value {
    block_on(NamedOperation::find(operation).unwrap().call(client, input)).unwrap()
}

/// Opens the exported scenario as a new account, and exports this one.
fn export_again(export: &ScenarioExport) -> ScenarioExport {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exported.toml");
    std::fs::write(&path, &export.text).unwrap();
    in_memory(path.to_str().unwrap()).0.export_scenario().unwrap()
}

#[test]
fn exported_scenarios_have_the_same_text_when_they_are_exported_again() {
    for scenario in ["default", "empty", "training", "incident"] {
        let export = in_memory(scenario).0.export_scenario().unwrap();
        assert_eq!(export_again(&export).text, export.text, "{scenario}");
    }
    let export = in_memory("default").0.export_scenario().unwrap();
    for part in [
        "console_user = \"/Admin\"",
        "  { id = \"tokenization.v2\", manager_id = \"kid-7f3a91c2\" },",
        "error_code = \"INVALID_CREDENTIALS\"\nhas_wrong_secret = true\n",
        "tags = { environment = \"production\", team = \"data\" }",
        "problem = \"Its private DNS name is not verified.\"",
    ] {
        assert!(export.text.contains(part), "{part}\n{}", export.text);
    }
    let training = in_memory("training").0.export_scenario().unwrap();
    assert!(training.text.contains("every = \"15m\""), "{}", training.text);
}

#[test]
fn changes_of_the_account_are_in_the_scenario_or_reported_as_left_out() {
    let (aws, client) = in_memory("default");
    let keys = ["alias/customer-db", "alias/app-logs", "alias/ci-artifacts", "alias/s3-media"];
    let [db, logs, artifacts, media] = keys.map(|alias| {
        let key = call(&client, "kms:DescribeKey", json!({"KeyId": alias}));
        key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    });
    call(&client, "kms:DisableKey", json!({"KeyId": db}));
    call(&client, "kms:ScheduleKeyDeletion", json!({"KeyId": logs}));
    call(&client, "kms:EnableKeyRotation", json!({"KeyId": artifacts}));
    call(&client, "kms:TagResource", json!({"KeyId": media, "Tags": [{"TagKey": "a b/c", "TagValue": "x = y@z"}]}));
    let grantee = "arn:aws:iam::111122223333:role/ops/LogShipper";
    call(&client, "kms:CreateGrant", json!({"KeyId": media, "GranteePrincipal": grantee, "Operations": ["Encrypt"]}));
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "It's \"all\"\n", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]});
    call(
        &client,
        "kms:PutKeyPolicy",
        json!({"KeyId": media, "Policy": serde_json::to_string_pretty(&policy).unwrap()}),
    );
    aws.key_manager().rotate_key("frankfurt", "hr-records").unwrap();
    aws.key_manager().set_callers("dublin", "eu-messages", &[grantee.to_owned()]).unwrap();
    call(&client, "xks-console:AdvanceAccountClock", json!({"Seconds": 60}));

    let export = aws.export_scenario().unwrap();
    let left_out = export.left_out.join("\n");
    for part in [
        "1 grant\n",
        " events\n",
        "the pending deletion of 1 key, disabled instead",
        "the rotation of 1 key",
        "the older versions of 1 external key",
        "the callers of 1 external key, which all callers can use",
        "ahead of this computer",
        "access keys",
    ] {
        assert!(left_out.contains(part), "{part}\n{left_out}");
    }
    assert_eq!(export.text.matches("\nenabled = false\n").count(), 2, "{}", export.text);
    let again = export_again(&export);
    assert_eq!(again.text, export.text);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("exported.toml");
    std::fs::write(&path, &export.text).unwrap();
    let (_, client) = in_memory(path.to_str().unwrap());
    let found = call(
        &client,
        "kms:GetKeyPolicy",
        json!({"KeyId": call(&client, "kms:DescribeKey",
        json!({"KeyId": "alias/s3-media"}))["KeyMetadata"]["KeyId"]}),
    );
    assert_eq!(serde_json::from_str::<Value>(found["Policy"].as_str().unwrap()).unwrap(), policy);
    let key = call(&client, "kms:DescribeKey", json!({"KeyId": "alias/customer-db"}));
    assert_eq!(key["KeyMetadata"]["KeyState"], "Disabled");
}

/// Returns all forms in which a secret could be in a text.
fn forms(secret: &[u8]) -> Vec<String> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![hex.to_uppercase(), hex, BASE64_STANDARD.encode(secret)];
    forms.push(BASE64_STANDARD_NO_PAD.encode(secret));
    forms.extend(std::str::from_utf8(secret).map(str::to_owned));
    forms
}

/// Decrypts everything that is sealed in the databases of an account: key material and credentials.
fn sealed_secrets(dir: &Path) -> Vec<Vec<u8>> {
    // The parts that identify a record come before the secret.
    let queries = [
        "SELECT 'key_material', substr(world, 1, 12), substr(world, 14), id, material_id, material FROM keys",
        "SELECT 'key_stores', substr(world, 14), id, secret FROM key_stores",
        "SELECT 'access_keys', id, secret FROM access_keys",
    ];
    let mut secrets = open_sealed(dir, "account", &queries);
    let queries = [
        "SELECT 'credentials', partition, access_key_id, sealed FROM credentials",
        "SELECT 'key_versions', partition, id, CAST(version AS TEXT), sealed FROM key_versions",
    ];
    secrets.extend(open_sealed(dir, "external-key-manager", &queries));
    secrets
}

fn open_sealed(dir: &Path, name: &str, queries: &[&str]) -> Vec<Vec<u8>> {
    let root_key = RootKey::load_or_create(&dir.join(format!("{name}.root")), true, &Random::system()).unwrap();
    let connection = rusqlite::Connection::open(dir.join(format!("{name}.sqlite"))).unwrap();
    let mut secrets = Vec::new();
    for query in queries {
        let mut query = connection.prepare(query).unwrap();
        let last = query.column_count() - 1;
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let parts: Vec<String> = (0..last).map(|column| row.get(column).unwrap()).collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let sealed: Vec<u8> = row.get(last).unwrap();
            secrets.push(root_key.open(&record_aad(&parts), &sealed).unwrap().to_vec());
        }
    }
    secrets
}

#[test]
fn exported_scenario_contains_no_secrets() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("d");
    let aws = BundledAws::open(&dir, Some("training")).unwrap();
    let mut secrets: Vec<Vec<u8>> =
        ["account.root", "external-key-manager.root"].map(|file| std::fs::read(dir.join(file)).unwrap()).to_vec();
    for key in aws.access_keys().unwrap() {
        secrets.push(key.credentials.secret_access_key.expose().as_bytes().to_vec());
        secrets.push(key.credentials.access_key_id.into_bytes());
    }
    secrets.push(aws.mfa_device().unwrap().seed.expose().as_bytes().to_vec());
    let configuration: Value = serde_json::from_str(&aws.proxy_configuration("frankfurt").unwrap()).unwrap();
    let secret = configuration["XksProxyAuthenticationCredential"]["RawSecretAccessKey"].as_str().unwrap();
    secrets.push(secret.as_bytes().to_vec());
    drop(aws);
    secrets.extend(sealed_secrets(&dir));
    assert!(secrets.len() > 40, "{}", secrets.len());
    let (code, out, message) = run(home.path(), &["world", "export", "--scenario", "class.toml", "--data-dir", "d"]);
    assert_eq!((code, out.as_str()), (0, ""), "{message}");
    assert!(message.contains("It doesn't include:\n") && message.contains("events\n"), "{message}");
    let text = std::fs::read_to_string(home.path().join("class.toml")).unwrap() + &message;
    for secret in &secrets {
        for form in forms(secret) {
            assert!(form.len() >= 12 && !text.contains(&form), "{form}");
        }
    }
}

#[test]
fn exported_files_are_not_replaced_without_force() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("passphrase"), PASSPHRASE).unwrap();
    for file in [&["--scenario", "own.toml"][..], &["--snapshot", "own.toml", "--passphrase-file", "passphrase"]] {
        let export = [&["world", "export", "--data-dir", "d"], file].concat();
        let (code, _, message) = run(home.path(), &export);
        assert_eq!(code, 1);
        assert!(message.contains("d contains no account"), "{message}");
        assert!(!home.path().join("d").exists());
    }
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d"]).0, 0);
    for file in [&["--scenario", "own.toml"][..], &["--snapshot", "own.toml", "--passphrase-file", "passphrase"]] {
        let export = [&["world", "export", "--data-dir", "d"], file].concat();
        std::fs::write(home.path().join("own.toml"), "mine").unwrap();
        let (code, _, message) = run(home.path(), &export);
        assert_eq!(code, 1);
        assert!(message.contains("own.toml already exists") && message.contains("--force"), "{message}");
        assert_eq!(std::fs::read(home.path().join("own.toml")).unwrap(), b"mine");
        let (code, _, message) = run(home.path(), &[&export[..], &["--force"]].concat());
        assert_eq!(code, 0, "{message}");
        assert_ne!(std::fs::read(home.path().join("own.toml")).unwrap(), b"mine");
    }
    assert_eq!(
        files(home.path()),
        [".local", "d", "own.toml", "passphrase"]
            .iter()
            .filter(|file| home.path().join(file).exists())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    );
}

#[test]
fn imported_account_decrypts_what_the_exported_one_encrypted() {
    let home = tempfile::tempdir().unwrap();
    let (dir, copy) = (home.path().join("d"), home.path().join("copy"));
    let aws = BundledAws::open(&dir, None).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let input = json!({"KeyId": "alias/customer-db", "Plaintext": BASE64_STANDARD.encode("ledger")});
    let ciphertext = call(&client, "kms:Encrypt", input)["CiphertextBlob"].clone();
    std::fs::write(home.path().join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
    let export = ["world", "export", "--snapshot", "all", "--passphrase-file", "passphrase", "--data-dir", "d"];
    let (code, _, message) = run(home.path(), &export);
    assert_eq!(code, 1);
    assert!(message.contains("another program uses the account in d. Close"), "{message}");
    drop((client, aws));
    let (code, out, message) = run(home.path(), &export);
    assert_eq!((code, out.as_str()), (0, ""), "{message}");
    let sealed = std::fs::read(home.path().join("all")).unwrap();
    let root_key = std::fs::read(dir.join("account.root")).unwrap();
    assert!(!sealed.windows(root_key.len()).any(|window| window == root_key));
    assert!(!sealed.windows(13).any(|window| window == b"SQLite format"));

    // The account in the copy is the only one that is left.
    std::fs::remove_dir_all(&dir).unwrap();
    let import = ["world", "import", "all", "--passphrase-file", "passphrase", "--data-dir", "copy"];
    let (code, out, message) = run(home.path(), &import);
    assert_eq!((code, out.as_str()), (0, ""), "{message}");
    let mut expected = ["account.root", "account.sqlite", "external-key-manager.root", "external-key-manager.sqlite"];
    expected.sort_unstable();
    assert_eq!(files(&copy), expected);
    let aws = BundledAws::open(&copy, None).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let decrypted = call(&client, "kms:Decrypt", json!({"CiphertextBlob": ciphertext}));
    assert_eq!(decrypted["Plaintext"], BASE64_STANDARD.encode("ledger"));
    drop((client, aws));

    let (code, _, message) = run(home.path(), &import);
    assert_eq!(code, 1);
    assert!(message.contains("copy already contains an account"), "{message}");
}

#[test]
fn unusable_snapshots_are_refused_and_leave_no_account() {
    let home = tempfile::tempdir().unwrap();
    drop(BundledAws::open(&home.path().join("d"), Some("empty")).unwrap());
    let sealed = snapshot::export(&home.path().join("d"), PASSPHRASE).unwrap();
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut newer = sealed.clone();
    newer[11] = 9;
    let copy = home.path().join("copy");
    let cases: [(&[u8], &str, &[&str]); 6] = [
        (&sealed, "another passphrase", &["the passphrase is wrong"]),
        (&damaged, PASSPHRASE, &["it's damaged", "Copy the file again"]),
        (&sealed[..sealed.len() / 2], PASSPHRASE, &["it isn't complete"]),
        (&newer, PASSPHRASE, &["format 9", "Upgrade xks-console"]),
        (b"-----BEGIN", PASSPHRASE, &["it isn't a snapshot"]),
        (b"", PASSPHRASE, &["it isn't a snapshot"]),
    ];
    for (bytes, passphrase, parts) in cases {
        std::fs::write(home.path().join("all"), bytes).unwrap();
        let error = snapshot::import(&copy, &home.path().join("all"), passphrase).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}\n{error}");
        assert!(!copy.exists(), "{error}");
    }
}

#[test]
fn accounts_of_newer_versions_and_damaged_accounts_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let (dir, copy, file) = (home.path().join("d"), home.path().join("copy"), home.path().join("all"));
    let broken = |change: &dyn Fn(&Path)| {
        let _ = std::fs::remove_dir_all(&dir);
        drop(BundledAws::open(&dir, Some("empty")).unwrap());
        change(&dir);
        std::fs::write(&file, snapshot::export(&dir, PASSPHRASE).unwrap()).unwrap();
        let error = snapshot::import(&copy, &file, PASSPHRASE).unwrap_err().to_string();
        assert_eq!(files(&copy), [""; 0], "{error}");
        error
    };
    let error = broken(&|dir| std::fs::write(dir.join("account.root"), [7; 32]).unwrap());
    assert!(error.contains("another root key"), "{error}");
    let error = broken(&|dir| {
        let connection = rusqlite::Connection::open(dir.join("account.sqlite")).unwrap();
        connection.execute("DELETE FROM meta WHERE name = 'scenario'", []).unwrap();
    });
    assert!(error.contains("never filled"), "{error}");
    let error = broken(&|dir| {
        let connection = rusqlite::Connection::open(dir.join("external-key-manager.sqlite")).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
    });
    assert!(error.contains("99") && error.contains("newer"), "{error}");
    let connection = rusqlite::Connection::open(dir.join("account.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = snapshot::export(&dir, PASSPHRASE).unwrap_err().to_string();
    assert!(error.contains("schema 99") && error.contains("newer version"), "{error}");
}

#[test]
fn interrupted_import_leaves_no_account_and_can_be_repeated() {
    let home = tempfile::tempdir().unwrap();
    let (dir, copy, file) = (home.path().join("d"), home.path().join("copy"), home.path().join("all"));
    drop(BundledAws::open(&dir, Some("empty")).unwrap());
    std::fs::write(&file, snapshot::export(&dir, PASSPHRASE).unwrap()).unwrap();
    // Everything except the database of the account has its final name.
    let interrupt = || {
        std::fs::create_dir_all(copy.join("importing")).unwrap();
        std::fs::copy(dir.join("account.sqlite"), copy.join("importing/account.sqlite")).unwrap();
        for name in ["account.root", "external-key-manager.root", "external-key-manager.sqlite"] {
            std::fs::copy(dir.join(name), copy.join(name)).unwrap();
        }
    };
    interrupt();
    snapshot::import(&copy, &file, PASSPHRASE).unwrap();
    assert!(!copy.join("importing").exists());
    assert_eq!(std::fs::read(copy.join("account.root")).unwrap(), std::fs::read(dir.join("account.root")).unwrap());
    std::fs::remove_dir_all(&copy).unwrap();
    interrupt();
    drop(BundledAws::open(&copy, Some("empty")).unwrap());
    assert!(!copy.join("importing").exists());
    assert_ne!(std::fs::read(copy.join("account.root")).unwrap(), std::fs::read(dir.join("account.root")).unwrap());
    // Without an interrupted import, the files belong to somebody.
    std::fs::remove_file(copy.join("account.sqlite")).unwrap();
    let error = snapshot::import(&copy, &file, PASSPHRASE).unwrap_err().to_string();
    assert!(error.contains("already contains external-key-manager.sqlite"), "{error}");
}

#[test]
fn passphrase_is_asked_for_twice_without_echo() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d"]).0, 0);
    let export = ["world", "export", "--snapshot", "all", "--data-dir", "d"];
    let (code, _, message) = run(home.path(), &export);
    assert_eq!(code, 2);
    assert!(message.contains("no terminal") && message.contains("--passphrase-file"), "{message}");
    for (answers, code, text) in [
        (&["eleven char\r"][..], 2, "too short"),
        (&["correct horse battery\r", "correct horse batterz\r"], 2, "are different"),
        (&["correct horse battery\r", "correct horse battery\r"], 0, "was written to all"),
    ] {
        let mut console = Console::run(&export, home.path(), (100, 24), &[]);
        for (question, answer) in ["Passphrase for the snapshot: ", "The same passphrase again: "].iter().zip(answers) {
            console.wait_for(question.trim_end());
            console.send(answer);
        }
        console.wait_for_wrapped(text);
        assert!(!console.text().contains("horse"), "{}", console.text());
        assert_eq!(console.wait_for_exit().0, code);
    }
    let mut console = Console::run(&["world", "import", "all", "--data-dir", "copy"], home.path(), (100, 24), &[]);
    console.wait_for("Passphrase of the snapshot:");
    console.send("correct horse battery\r");
    console.wait_for_wrapped("Created the account from the snapshot in copy");
    assert_eq!(console.wait_for_exit().0, 0);
    assert!(BundledAws::exists(&home.path().join("copy")));
}

#[test]
fn ctrl_c_at_the_passphrase_shows_typed_text_again() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("all"), b"").unwrap();
    let mut console = Console::shell(
        "trap : INT; $XKS world import all --data-dir copy; stty -a | tr -s ';\\n' ' '",
        home.path(),
        &[],
    );
    console.wait_for("Passphrase of the snapshot:");
    console.send("\x03");
    console.wait_for("Stopped.");
    let (code, output) = console.wait_for_exit();
    assert_eq!(code, 0);
    assert!(output.contains(" echo ") && !output.contains(" -echo "), "{output}");
}

#[test]
fn world_refuses_options_that_have_no_meaning() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["world", "export"][..], "--scenario"),
        (&["world", "export", "--scenario", "a.toml", "--snapshot", "b"], "cannot be used with"),
        (&["world", "export", "--scenario", "a.toml", "--passphrase-file", "b"], "cannot be used with"),
        (&["world", "import", "all", "--scenario", "empty"], "--scenario can't be used"),
        (&["--ephemeral", "world", "export", "--scenario", "a.toml"], "--ephemeral can be used only with"),
        (&["world", "import", "all", "--json"], "--json can be used only with"),
    ] {
        let (code, _, message) = run(home.path(), arguments);
        assert_eq!(code, 2, "{arguments:?} {message}");
        assert!(message.contains(part), "{arguments:?} {message}");
    }
    let (code, _, message) = run(home.path(), &["world", "export", "--scenario", "class"]);
    assert_eq!(code, 1);
    assert!(message.contains("must end in .toml, such as class.toml"), "{message}");
}

#[test]
fn export_never_replaces_a_file_of_the_account() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("passphrase"), PASSPHRASE).unwrap();
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d"]).0, 0);
    for file in
        [&["--snapshot", "d/account.sqlite", "--passphrase-file", "passphrase"][..], &["--scenario", "d/x.toml"]]
    {
        let (code, _, message) = run(home.path(), &[&["world", "export", "--force", "--data-dir", "d"], file].concat());
        assert_eq!(code, 1);
        assert!(message.contains("is in the data directory"), "{message}");
    }
    assert_eq!(run(home.path(), &["list-stores", "--data-dir", "d"]).0, 0);
}
