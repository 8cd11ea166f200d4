//! Stores flows in the database of the account.

use rusqlite::types::FromSqlError;
use rusqlite::{Transaction, params};

use super::{MAX_FLOWS, PendingFlow};
use crate::aws::xray::Flow;
use crate::bundled::ApiResult;

/// A flow as it is stored.
pub(super) struct EncodedFlow<'a> {
    pending: &'a PendingFlow,
    summary: String,
    document: Vec<u8>,
}

impl<'a> EncodedFlow<'a> {
    /// Encodes a flow. This takes longer than storing it, so do it before the database is locked.
    pub(super) fn new(pending: &'a PendingFlow) -> ApiResult<Self> {
        let summary = serde_json::to_string(&pending.flow.summary)?;
        let document = lz4_flex::compress_prepend_size(&serde_json::to_vec(&pending.flow)?);
        Ok(Self { pending, summary, document })
    }
}

/// Appends flows, and deletes the oldest ones beyond [`MAX_FLOWS`].
pub(super) fn append(tx: &Transaction, flows: &[EncodedFlow]) -> ApiResult<()> {
    let mut insert =
        tx.prepare_cached("INSERT INTO flows (world, request, summary, document) VALUES (?1, ?2, ?3, ?4)")?;
    for EncodedFlow { pending, summary, document } in flows {
        for account_region in &pending.account_regions {
            insert.execute(params![account_region, pending.flow.summary.flow_id, summary, document])?;
        }
    }
    drop(insert);
    let most = i64::try_from(MAX_FLOWS).unwrap_or(i64::MAX);
    tx.prepare_cached("DELETE FROM flows WHERE id <= (SELECT max(id) FROM flows) - ?1")?.execute([most])?;
    Ok(())
}

/// Returns the flow in a stored document.
pub(super) fn decode(document: &[u8]) -> ApiResult<Flow> {
    let json = lz4_flex::decompress_size_prepended(document);
    let json = json.map_err(|error| rusqlite::Error::from(FromSqlError::Other(error.into())))?;
    Ok(serde_json::from_slice(&json)?)
}
