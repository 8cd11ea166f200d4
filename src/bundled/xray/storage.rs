//! Stores flows in the database of the account.

use rusqlite::types::FromSqlError;
use rusqlite::{Transaction, params};

use super::MAX_FLOWS;
use super::flow_buffer::PendingFlow;
use crate::aws::xray::Flow;
use crate::bundled::ApiResult;

/// A flow as it is stored.
pub struct EncodedFlow {
    account_regions: Vec<String>,
    flow_id: String,
    summary: String,
    document: Vec<u8>,
}

impl EncodedFlow {
    /// Encodes a flow. This takes longer than storing it, so do it before the database is locked.
    pub(super) fn new(PendingFlow { account_regions, flow }: PendingFlow) -> ApiResult<Self> {
        let summary = serde_json::to_string(&flow.summary)?;
        let document = lz4_flex::compress_prepend_size(&serde_json::to_vec(&flow)?);
        Ok(Self { account_regions, flow_id: flow.summary.flow_id, summary, document })
    }
}

/// Appends flows, and deletes the oldest ones beyond [`MAX_FLOWS`].
pub fn append(tx: &Transaction, flows: &[EncodedFlow]) -> ApiResult<()> {
    let mut insert =
        tx.prepare_cached("INSERT INTO flows (world, request, summary, document) VALUES (?1, ?2, ?3, ?4)")?;
    for EncodedFlow { account_regions, flow_id, summary, document } in flows {
        for account_region in account_regions {
            insert.execute(params![account_region, flow_id, summary, document])?;
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
