//! A KMS key as it is stored in the database.

use crate::aws::kms::{KeyMetadata, KeyState};

/// A stored key, with its current key state.
pub struct KeyRecord {
    /// The key metadata that DescribeKey returns. Its key state is the current one.
    pub metadata: KeyMetadata,
    /// The stored key state. It becomes the current one again when the key store is connected again.
    pub stored_state: KeyState,
    /// The key policy.
    pub policy: String,
    /// The ID of the current key material.
    pub material_id: String,
    /// The current key material, encrypted under the root key.
    pub material: Vec<u8>,
}
