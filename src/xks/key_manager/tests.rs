use jiff::Timestamp;

use super::*;
use crate::storage::sealed::SealError;

fn environment() -> Environment {
    Environment::replayable(Timestamp::UNIX_EPOCH, 1)
}

fn new_key(spec: &str, id: &str) -> NewExternalKey {
    NewExternalKey {
        id: id.into(),
        manager_id: None,
        spec: spec.into(),
        usage: vec!["ENCRYPT".into(), "DECRYPT".into()],
        enabled: true,
        callers: Vec::new(),
    }
}

pub fn manager() -> ExternalKeyManager {
    let manager = ExternalKeyManager::in_memory(environment()).unwrap();
    manager.create_partition("acme", &ProxyCredential::generate(&manager.0.random).unwrap()).unwrap();
    manager.create_key("acme", &new_key("AES_256", "k1")).unwrap();
    manager
}

fn encrypt(manager: &ExternalKeyManager, id: &str) -> Result<CiphertextParts, KeyManagerError> {
    manager.encrypt("acme", id, b"plaintext", b"aad", None::<fn(&CiphertextParts)>).map(|result| result.0)
}

#[test]
fn partition_may_have_two_credentials() {
    let manager = manager();
    let first = manager.access_key_ids("acme").unwrap().remove(0);
    let second = ProxyCredential::generate(&manager.0.random).unwrap();
    manager.add_credential("acme", &second).unwrap();
    assert!(manager.secret_access_key("acme", &first).unwrap().is_some());
    assert_eq!(
        manager.secret_access_key("acme", &second.access_key_id).unwrap(),
        Some(second.secret_access_key.clone())
    );
    assert!(manager.remove_credential("acme", &first).unwrap());
    assert!(!manager.remove_credential("acme", &first).unwrap());
    assert_eq!(manager.secret_access_key("acme", &first).unwrap(), None);
    assert!(matches!(manager.add_credential("acme", &second), Err(KeyManagerError::AlreadyExists { .. })));
    assert!(matches!(manager.add_credential("nobody", &second), Err(KeyManagerError::PartitionNotFound(_))));
}

#[test]
fn names_and_ids_must_be_valid_and_unique() {
    let manager = manager();
    let credential = ProxyCredential::generate(&manager.0.random).unwrap();
    for name in ["/a", "a/", "*", "a b", &"a".repeat(117)] {
        let error = manager.create_partition(name, &credential).unwrap_err();
        assert!(matches!(error, KeyManagerError::Invalid { .. }), "{name}: {error}");
    }
    assert!(matches!(manager.create_partition("acme", &credential), Err(KeyManagerError::AlreadyExists { .. })));
    assert!(matches!(
        manager.create_key("acme", &new_key("AES_256", "k1")),
        Err(KeyManagerError::AlreadyExists { .. })
    ));
    assert!(matches!(
        manager.create_key("nobody", &new_key("AES_256", "k1")),
        Err(KeyManagerError::PartitionNotFound(_))
    ));
    for id in ["", "a b", "a/b", &"k".repeat(129)] {
        assert!(
            matches!(manager.create_key("acme", &new_key("AES_256", id)), Err(KeyManagerError::Invalid { .. })),
            "{id}"
        );
    }
    assert!(matches!(manager.create_key("acme", &new_key("AES_512", "k2")), Err(KeyManagerError::Invalid { .. })));
    manager.create_key("acme", &new_key("AES_256", &"k".repeat(128))).unwrap();
}

#[test]
fn key_is_found_only_by_its_external_key_id() {
    let manager = manager();
    let key = NewExternalKey { manager_id: Some("hsm-7".into()), ..new_key("AES_256", "alias-of-7") };
    manager.create_key("acme", &key).unwrap();
    assert_eq!(manager.key("acme", "alias-of-7").unwrap().manager_id, "hsm-7");
    assert!(encrypt(&manager, "alias-of-7").is_ok());
    assert!(matches!(encrypt(&manager, "hsm-7"), Err(KeyManagerError::KeyNotFound)));
}

#[test]
fn keys_are_isolated_between_partitions() {
    let manager = manager();
    manager.create_partition("other", &ProxyCredential::generate(&manager.0.random).unwrap()).unwrap();
    assert!(matches!(manager.key("other", "k1"), Err(KeyManagerError::KeyNotFound)));
    manager.create_key("other", &new_key("AES_256", "k1")).unwrap();
    let parts = encrypt(&manager, "k1").unwrap();
    assert!(matches!(manager.decrypt("other", "k1", &parts, b"aad"), Err(KeyManagerError::InvalidCiphertext)));
    assert_eq!(manager.decrypt("acme", "k1", &parts, b"aad").unwrap().expose(), b"plaintext");
}

#[test]
fn key_state_and_usage_take_effect_immediately() {
    let manager = manager();
    let parts = encrypt(&manager, "k1").unwrap();
    manager.set_enabled("acme", "k1", false).unwrap();
    assert!(matches!(encrypt(&manager, "k1"), Err(KeyManagerError::KeyDisabled)));
    assert!(matches!(manager.decrypt("acme", "k1", &parts, b"aad"), Err(KeyManagerError::KeyDisabled)));
    manager.set_enabled("acme", "k1", true).unwrap();
    manager.set_usage("acme", "k1", &["ENCRYPT".to_owned()]).unwrap();
    assert!(encrypt(&manager, "k1").is_ok());
    assert!(matches!(manager.decrypt("acme", "k1", &parts, b"aad"), Err(KeyManagerError::KeyUsage("DECRYPT"))));
    let verified = manager.encrypt("acme", "k1", b"", b"", Some(|_: &CiphertextParts| ()));
    assert!(matches!(verified, Err(KeyManagerError::KeyUsage("DECRYPT"))));
    assert!(matches!(manager.set_enabled("acme", "k9", true), Err(KeyManagerError::KeyNotFound)));
}

#[test]
fn aes_128_key_can_be_described_but_not_used() {
    let manager = manager();
    manager.create_key("acme", &new_key("AES_128", "small")).unwrap();
    assert_eq!(manager.key("acme", "small").unwrap().spec, "AES_128");
    assert!(matches!(encrypt(&manager, "small"), Err(KeyManagerError::KeyUsage("ENCRYPT"))));
}

#[test]
fn rotation_keeps_old_versions_for_decryption() {
    let manager = manager();
    let old = encrypt(&manager, "k1").unwrap();
    assert_eq!(manager.rotate_key("acme", "k1").unwrap(), 2);
    let new = encrypt(&manager, "k1").unwrap();
    assert_ne!(old.ciphertext_metadata, new.ciphertext_metadata);
    for parts in [&old, &new] {
        assert_eq!(manager.decrypt("acme", "k1", parts, b"aad").unwrap().expose(), b"plaintext");
    }
    let swapped = CiphertextParts { ciphertext_metadata: new.ciphertext_metadata, ..old };
    assert!(matches!(manager.decrypt("acme", "k1", &swapped, b"aad"), Err(KeyManagerError::InvalidCiphertext)));
}

#[test]
fn encryptions_are_reserved_in_blocks_up_to_the_limit() {
    let manager = manager();
    encrypt(&manager, "k1").unwrap();
    encrypt(&manager, "k1").unwrap();
    assert_eq!(manager.key("acme", "k1").unwrap().encryptions, 65_536);
    manager.store().mark_used("acme", "k1", MAX_ENCRYPTIONS - 2);
    encrypt(&manager, "k1").unwrap();
    encrypt(&manager, "k1").unwrap();
    assert!(matches!(encrypt(&manager, "k1"), Err(KeyManagerError::Exhausted(1))));
    assert_eq!(manager.key("acme", "k1").unwrap().encryptions, MAX_ENCRYPTIONS);
    manager.rotate_key("acme", "k1").unwrap();
    assert!(encrypt(&manager, "k1").is_ok());
}

#[test]
fn data_directory_persists_partitions_keys_and_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let credential = ProxyCredential::generate(&Random::system()).unwrap();
    let parts = {
        let manager = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
        assert!(manager.is_empty().unwrap());
        manager.create_partition("acme", &credential).unwrap();
        manager.create_key("acme", &new_key("AES_256", "k1")).unwrap();
        encrypt(&manager, "k1").unwrap()
    };
    let manager = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
    assert!(!manager.is_empty().unwrap());
    assert_eq!(manager.partitions().unwrap(), ["acme"]);
    assert_eq!(manager.keys("acme").unwrap().len(), 1);
    assert_eq!(manager.decrypt("acme", "k1", &parts, b"aad").unwrap().expose(), b"plaintext");
    assert_eq!(
        manager.secret_access_key("acme", &credential.access_key_id).unwrap(),
        Some(credential.secret_access_key.clone())
    );
    encrypt(&manager, "k1").unwrap();
    assert_eq!(manager.key("acme", "k1").unwrap().encryptions, 2 * 65_536, "a new process reserves a new block");
    drop(manager);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let secret = credential.secret_access_key.expose().as_bytes();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "the secret is stored unencrypted");
    }
}

#[test]
fn two_processes_see_each_others_changes() {
    let dir = tempfile::tempdir().unwrap();
    let first = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
    let second = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
    first.create_partition("acme", &ProxyCredential::generate(&Random::system()).unwrap()).unwrap();
    first.create_key("acme", &new_key("AES_256", "k1")).unwrap();
    let parts = encrypt(&second, "k1").unwrap();
    first.set_enabled("acme", "k1", false).unwrap();
    assert!(matches!(encrypt(&second, "k1"), Err(KeyManagerError::KeyDisabled)));
    first.set_enabled("acme", "k1", true).unwrap();
    assert_eq!(first.decrypt("acme", "k1", &parts, b"aad").unwrap().expose(), b"plaintext");
}

#[test]
fn new_data_directory_can_be_opened_concurrently() {
    let dir = tempfile::tempdir().unwrap();
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| ExternalKeyManager::open(dir.path(), Environment::system()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    opened[0].create_partition("acme", &ProxyCredential::generate(&Random::system()).unwrap()).unwrap();
    opened[0].create_key("acme", &new_key("AES_256", "k1")).unwrap();
    let parts = encrypt(&opened[1], "k1").unwrap();
    for manager in &opened {
        assert_eq!(manager.decrypt("acme", "k1", &parts, b"aad").unwrap().expose(), b"plaintext");
    }
}

#[test]
fn missing_or_wrong_root_key_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    drop(ExternalKeyManager::open(dir.path(), Environment::system()).unwrap());
    let root = dir.path().join(ROOT_KEY_FILE);
    std::fs::remove_file(&root).unwrap();
    let error = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap_err();
    assert!(matches!(error, KeyManagerError::Seal(SealError::RootKeyMissing(_))), "{error}");
    crate::storage::sealed::RootKey::load_or_create(&root, false, &Random::system()).unwrap();
    let error = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap_err();
    assert!(matches!(error, KeyManagerError::Seal(SealError::OpenFailed)), "{error}");
}

#[test]
fn replayable_environment_cannot_open_a_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(ExternalKeyManager::open(dir.path(), environment()), Err(KeyManagerError::Replayable)));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn health_check_uses_a_dedicated_key() {
    let manager = manager();
    manager.check_health().unwrap();
    assert_eq!(manager.key("acme", "k1").unwrap().encryptions, 0);
    assert_eq!(manager.partitions().unwrap(), ["acme"]);
}

#[test]
fn debug_output_hides_secrets() {
    assert_eq!(format!("{:?}", manager()), "ExternalKeyManager(…)");
}

#[test]
fn keys_created_before_callers_existed_allow_every_caller() {
    let dir = tempfile::tempdir().unwrap();
    let credential = ProxyCredential::generate(&Random::system()).unwrap();
    {
        let manager = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
        manager.create_partition("acme", &credential).unwrap();
        manager.create_key("acme", &new_key("AES_256", "k1")).unwrap();
    }
    let database = rusqlite::Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    database.execute_batch("ALTER TABLE external_keys DROP COLUMN callers; PRAGMA user_version = 2").unwrap();
    let manager = ExternalKeyManager::open(dir.path(), Environment::system()).unwrap();
    assert_eq!(manager.key("acme", "k1").unwrap().callers, Vec::<String>::new());
    assert!(encrypt(&manager, "k1").is_ok());
}
