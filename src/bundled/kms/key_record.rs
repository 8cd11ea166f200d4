//! A KMS key as the database holds it.

use crate::aws::kms::{KeyMetadata, KeyState};

/// A key as it is stored, its state as it is now.
pub struct KeyRecord {
    /// What DescribeKey tells.
    pub metadata: KeyMetadata,
    /// The state that is stored: it comes back when its store is connected again.
    pub stored_state: KeyState,
    /// Its policy.
    pub policy: String,
    /// The ID of its key material.
    pub material_id: String,
    /// Its key material, wrapped.
    pub material: Vec<u8>,
}
