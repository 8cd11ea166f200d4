//! The flows of an account contain no key material.

use super::storage;
use crate::aws::kms::{Decrypt, Encrypt, GenerateDataKey};
use crate::aws::scalar::SecretBlob;
use crate::aws::xray::{Flow, ListFlows};
use crate::bundled::{BundledAws, OpenError};
use crate::environment::Environment;
use crate::in_process;
use crate::text::hex;

fn stored_flows(aws: &BundledAws) -> Vec<Flow> {
    let rows = aws.0.store.read(|tx| -> Result<Vec<Vec<u8>>, OpenError> {
        let mut query = tx.prepare("SELECT document FROM flows ORDER BY id")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    rows.unwrap().iter().map(|document| storage::decode(document).unwrap_or_else(|_| panic!("invalid"))).collect()
}

/// The account and Region, the key ID, the ID, and the encrypted bytes of a key material.
type SealedMaterial = ([String; 3], Vec<u8>);

/// Returns the key material of all KMS keys and of the external keys in the partition `frankfurt`.
fn key_materials(aws: &BundledAws) -> Vec<Vec<u8>> {
    let store = &aws.0.store;
    let rows = store.read(|tx| -> Result<Vec<SealedMaterial>, OpenError> {
        let mut query = tx.prepare("SELECT world, id, material_id, material FROM keys")?;
        let rows = query.query_map([], |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    let of_kms = rows.unwrap().into_iter().map(|([world, id, material_id], sealed)| {
        let (account, region) = world.split_once('/').unwrap();
        store.unseal(&["key_material", account, region, &id, &material_id], &sealed).unwrap().to_vec()
    });
    let external = aws.key_manager().keys("frankfurt").unwrap().into_iter();
    let external = external.filter_map(|key| aws.key_manager().key_material("frankfurt", &key.id, key.version));
    of_kms.chain(external.map(|key| key.to_vec())).collect()
}

#[tokio::test]
async fn stored_flows_contain_no_key_material() {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let clock = environment.clock.clone();
    let aws = BundledAws::in_memory("default", environment).unwrap();
    let client = in_process::client(&aws, clock);
    for key in ["alias/customer-db", "alias/app-logs"] {
        let request =
            Encrypt { key_id: key.to_owned(), plaintext: SecretBlob::new(b"plain".to_vec()), ..Encrypt::default() };
        let ciphertext_blob = client.call(&request).await.unwrap().ciphertext_blob;
        client.call(&Decrypt { ciphertext_blob, ..Decrypt::default() }).await.unwrap();
        let request =
            GenerateDataKey { key_id: key.to_owned(), number_of_bytes: Some(32), ..GenerateDataKey::default() };
        client.call(&request).await.unwrap();
    }
    client.call(&ListFlows::default()).await.unwrap();
    let flows = stored_flows(&aws);
    assert_eq!(flows.len(), 6);
    let secrets = key_materials(&aws);
    assert!(secrets.len() > 10 && secrets.iter().all(|secret| secret.len() == 32), "{}", secrets.len());
    let text = serde_json::to_string(&flows).unwrap();
    for secret in secrets {
        // The first 30 bytes have the same Base64 at the start of any text.
        let base64 = serde_json::to_string(&crate::aws::scalar::Blob(secret[..30].to_vec())).unwrap();
        for form in [hex(&secret), base64.trim_matches('"').to_owned(), format!("{secret:?}").replace(' ', "")] {
            assert!(!text.contains(&form));
        }
    }
}
