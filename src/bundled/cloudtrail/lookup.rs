//! LookupEvents and GetKeyLastUsage, which search the recorded events.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::Value;

use super::{RETENTION, is_cryptographic};
use crate::aws::cloudtrail::{Event, LookupAttribute, LookupEvents, LookupEventsOutput, Resource};
use crate::aws::error::ServiceError;
use crate::aws::kms::{GetKeyLastUsage, GetKeyLastUsageOutput, KeyLastUsage};
use crate::aws::scalar::EpochSeconds;
use crate::bundled::{ApiResult, Call, account_region};
use crate::storage::segments::unpack;

/// The maximum number of events on a page.
const MAX_RESULTS_PER_PAGE: u32 = 50;

impl Call<'_> {
    pub fn lookup_events(&self, request: &LookupEvents) -> ApiResult<LookupEventsOutput> {
        let max_results = request.max_results.unwrap_or(MAX_RESULTS_PER_PAGE);
        if !(1..=MAX_RESULTS_PER_PAGE).contains(&max_results) {
            let message = "MaxResults must be from 1 to 50.";
            return Err(ServiceError::new("InvalidMaxResultsException", message).into());
        }
        if request.event_category.as_ref().is_some_and(|category| category != "insight") {
            return Err(ServiceError::new("InvalidEventCategoryException", "EventCategory must be insight.").into());
        }
        let millis = |time: Option<EpochSeconds>, default: i64| time.map_or(default, |time| time.0.as_millisecond());
        let (start, end) = (millis(request.start_time, 0), millis(request.end_time, i64::MAX));
        if start > end {
            let message = "StartTime must be before EndTime.";
            return Err(ServiceError::new("InvalidTimeRangeException", message).into());
        }
        let attribute = lookup_attribute(request)?;
        let (mut segment, mut seen) = page_start(request)?;
        self.authorize("cloudtrail:LookupEvents", "*")?;
        if request.event_category.is_some() {
            return Ok(LookupEventsOutput::default());
        }
        self.aws.event_buffer.flush(self.store());
        self.store().read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, lines FROM events WHERE world = ?1 AND id <= ?2 AND last >= ?3 AND first <= ?4
                 ORDER BY id DESC",
            )?;
            let mut rows = query.query(params![self.account_region, segment, start, end])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let skip = if id == segment { seen } else { 0 };
                let lines = unpack(row.get_ref(1)?).map_err(rusqlite::Error::from)?;
                for (at, line) in lines.rsplit('\n').enumerate().skip(skip) {
                    let Some(event) = parse_event(line, attribute)
                        .filter(|event| (start..=end).contains(&event.event_time.0.as_millisecond()))
                    else {
                        continue;
                    };
                    if events.len() == max_results as usize {
                        return Ok(LookupEventsOutput { events, next_token: Some(format!("{segment}.{seen}")) });
                    }
                    events.push(event);
                    (segment, seen) = (id, at + 1);
                }
            }
            Ok(LookupEventsOutput { events, next_token: None })
        })
    }

    /// Returns when a key was last used, as far as the recorded events go back.
    pub fn get_key_last_usage(&self, request: &GetKeyLastUsage) -> ApiResult<GetKeyLastUsageOutput> {
        let key = self.find_cached_key(&request.key_id, "kms:GetKeyLastUsage")?;
        self.aws.event_buffer.flush(self.store());
        let owner = account_region(&key.metadata.aws_account_id, &self.region);
        let last = self.store().read(|tx| -> ApiResult<_> {
            let mut query = tx.prepare_cached("SELECT lines FROM events WHERE world = ?1 ORDER BY id DESC")?;
            let mut rows = query.query([&owner])?;
            while let Some(row) = rows.next()? {
                let lines = unpack(row.get_ref(0)?).map_err(rusqlite::Error::from)?;
                let mut key_lines = lines.rsplit('\n').filter(|line| line.contains(&*key.metadata.key_id));
                if let Some(usage) = key_lines.find_map(|line| parse_key_usage(line, &key.metadata.arn)) {
                    return Ok(Some(usage));
                }
            }
            Ok(None)
        })?;
        let start = self.store().environment().clock.now().saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        let created = key.metadata.creation_date;
        Ok(GetKeyLastUsageOutput {
            key_id: key.metadata.arn.clone(),
            key_last_usage: last,
            tracking_start_date: EpochSeconds(created.0.max(start)),
            key_creation_date: created,
        })
    }
}

/// Parses the usage of a key from a line. Returns `None` if the line records something else.
fn parse_key_usage(line: &str, arn: &str) -> Option<KeyLastUsage> {
    let record: Value = serde_json::from_str(line).ok()?;
    let operation = record["eventName"].as_str().filter(|name| is_cryptographic(name))?;
    let is_about_key = record["resources"].as_array()?.iter().any(|resource| resource["ARN"] == arn);
    let text = |name: &str| record[name].as_str().map(str::to_owned);
    (is_about_key && record["errorCode"].is_null()).then_some(())?;
    Some(KeyLastUsage {
        operation: operation.to_owned(),
        timestamp: EpochSeconds(record["eventTime"].as_str()?.parse().ok()?),
        cloud_trail_event_id: text("eventID")?,
        kms_request_id: text("requestID")?,
    })
}

const LOOKUP_ATTRIBUTES: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

/// Returns the attribute that the events must match, if any.
fn lookup_attribute(request: &LookupEvents) -> Result<Option<&LookupAttribute>, ServiceError> {
    match request.lookup_attributes.as_deref().unwrap_or_default() {
        [] => Ok(None),
        [attribute] if LOOKUP_ATTRIBUTES.contains(&attribute.attribute_key.as_str()) => Ok(Some(attribute)),
        _ => {
            let message = format!(
                "Specify at most one lookup attribute. The valid attributes are {}.",
                LOOKUP_ATTRIBUTES.join(", ")
            );
            Err(ServiceError::new("InvalidLookupAttributesException", message))
        }
    }
}

/// Returns where a page starts: the ID of a segment, and how many of its lines the previous pages have covered.
fn page_start(request: &LookupEvents) -> Result<(i64, usize), ServiceError> {
    let Some(token) = &request.next_token else { return Ok((i64::MAX, 0)) };
    token.split_once('.').and_then(|(segment, seen)| Some((segment.parse().ok()?, seen.parse().ok()?))).ok_or_else(
        || {
            let message = "NextToken is not valid. Use the NextToken of the previous response.";
            ServiceError::new("InvalidNextTokenException", message)
        },
    )
}

/// Parses the event on a line. Returns `None` if it doesn't match the attribute.
fn parse_event(line: &str, attribute: Option<&LookupAttribute>) -> Option<Event> {
    // Most lines can be skipped without parsing them.
    if attribute.is_some_and(|attribute| !line.contains(&*attribute.attribute_value)) {
        return None;
    }
    let record: Value = serde_json::from_str(line).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let user = &record["userIdentity"];
    let resources = record["resources"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let event = Event {
        event_id: text(&record["eventID"])?,
        event_name: text(&record["eventName"])?,
        read_only: record["readOnly"].to_string(),
        access_key_id: text(&user["accessKeyId"]),
        event_time: EpochSeconds(record["eventTime"].as_str()?.parse().ok()?),
        event_source: text(&record["eventSource"])?,
        username: text(&user["userName"])
            .or_else(|| user["arn"].as_str().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)),
        resources: resources
            .map(|one| Resource { resource_type: text(&one["type"]), resource_name: text(&one["ARN"]) })
            .collect(),
        cloud_trail_event: line.to_owned(),
        problem: None,
    };
    attribute.is_none_or(|attribute| matches_attribute(&event, attribute)).then_some(event)
}

fn matches_attribute(event: &Event, attribute: &LookupAttribute) -> bool {
    let value = attribute.attribute_value.as_str();
    let any_resource = |part: fn(&Resource) -> &Option<String>| {
        event.resources.iter().any(|resource| part(resource).as_deref() == Some(value))
    };
    match attribute.attribute_key.as_str() {
        "EventId" => event.event_id == value,
        "EventName" => event.event_name == value,
        "ReadOnly" => event.read_only == value,
        "Username" => event.username.as_deref() == Some(value),
        "ResourceType" => any_resource(|resource| &resource.resource_type),
        // A KMS key matches by ARN or by key ID, which is the last part of the ARN.
        "ResourceName" => event.resources.iter().any(|resource| {
            resource.resource_name.as_deref().is_some_and(|arn| arn == value || arn.rsplit('/').next() == Some(value))
        }),
        "EventSource" => event.event_source == value,
        _ => event.access_key_id.as_deref() == Some(value),
    }
}
