//! ListFlows and GetFlow.

use rusqlite::{OptionalExtension as _, params};

use super::{MAX_FLOWS, storage};
use crate::aws::error::ServiceError;
use crate::aws::xray::{FlowField, FlowSummary, GetFlow, GetFlowOutput, ListFlows, ListFlowsOutput};
use crate::bundled::kms::ciphertext::{self, FieldRow};
use crate::bundled::{ApiResult, Call};

/// The number of flows on a page, unless the request says another one.
const DEFAULT_MAX_RESULTS: u32 = 100;

/// Returns whether the flow contains the text, which is in lowercase.
fn matches(flow: &FlowSummary, filter: &str) -> bool {
    let texts = [&flow.flow_id, &flow.operation, &flow.caller].into_iter();
    let mut texts = texts.chain(&flow.key_arn).chain(&flow.error_code);
    texts.any(|text| text.to_lowercase().contains(filter))
}

fn field(row: FieldRow) -> FlowField {
    let FieldRow { name, layer, offset, length, hex, text, meaning } = row;
    FlowField { name, layer: layer.title().to_owned(), offset, length, value: text.unwrap_or(hex), meaning }
}

impl Call<'_> {
    pub fn list_flows(&self, request: &ListFlows) -> ApiResult<ListFlowsOutput> {
        let max_results = request.max_results.unwrap_or(DEFAULT_MAX_RESULTS) as usize;
        if !(1..=MAX_FLOWS).contains(&max_results) {
            let message = format!("MaxResults must be from 1 to {MAX_FLOWS}.");
            return Err(ServiceError::new("ValidationException", message).into());
        }
        let before = match &request.next_token {
            None => i64::MAX,
            Some(token) => token.parse().map_err(|_| {
                let message = "NextToken is not valid. Use the NextToken of the previous response.";
                ServiceError::new("ValidationException", message)
            })?,
        };
        self.authorize("xks-console:ListFlows", "*")?;
        self.aws.flow_buffer.flush(self.store());
        let filter = request.filter.as_ref().map(|filter| filter.to_lowercase());
        self.store().read(|tx| {
            let mut query =
                tx.prepare_cached("SELECT id, summary FROM flows WHERE world = ?1 AND id < ?2 ORDER BY id DESC")?;
            let mut rows = query.query(params![self.account_region, before])?;
            let (mut flows, mut last) = (Vec::new(), before);
            while let Some(row) = rows.next()? {
                let flow: FlowSummary = serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
                if filter.as_ref().is_some_and(|filter| !matches(&flow, filter)) {
                    continue;
                }
                if flows.len() == max_results {
                    return Ok(ListFlowsOutput { flows, next_token: Some(last.to_string()) });
                }
                flows.push(flow);
                last = row.get(0)?;
            }
            Ok(ListFlowsOutput { flows, next_token: None })
        })
    }

    pub fn get_flow(&self, request: &GetFlow) -> ApiResult<GetFlowOutput> {
        self.authorize("xks-console:GetFlow", "*")?;
        self.aws.flow_buffer.flush(self.store());
        let document: Option<Vec<u8>> = self.store().read(|tx| -> ApiResult<_> {
            let mut query = tx.prepare_cached("SELECT document FROM flows WHERE request = ?1 AND world = ?2")?;
            Ok(query.query_row([&request.flow_id, &self.account_region], |row| row.get(0)).optional()?)
        })?;
        let Some(document) = document else {
            let message = format!(
                "The flow {} was not found. The account keeps the newest {MAX_FLOWS} flows. List them with ListFlows.",
                request.flow_id
            );
            return Err(ServiceError::new("NotFoundException", message).into());
        };
        let mut flow = storage::decode(&document)?;
        let blob = flow.ciphers.last().and_then(|cipher| cipher.blob.as_ref());
        if let Some((blob, parsed)) = blob.and_then(|blob| Some((blob, ciphertext::parse(&blob.0).ok()?))) {
            flow.fields = parsed.fields.iter().map(|range| field(FieldRow::new(&blob.0, range))).collect();
        }
        Ok(GetFlowOutput { flow: serde_json::to_string(&flow)? })
    }
}
