//! Adds the workloads of a scenario.

use jiff::SignedDuration;

use super::ScenarioWriter;
use crate::bundled::store::OpenError;
use crate::bundled::workloads;

/// The shortest and the longest time between two runs of a workload.
const INTERVALS: [SignedDuration; 2] = [SignedDuration::from_secs(10), SignedDuration::from_hours(24)];

impl ScenarioWriter<'_> {
    pub(super) fn insert_workloads(&self) -> Result<(), OpenError> {
        let days = self.scenario.past.as_ref().map_or(0, |past| i64::from(past.days));
        let first = self.environment().clock.now().saturating_sub(SignedDuration::from_hours(24 * days));
        let first = first.unwrap_or(jiff::Timestamp::MIN);
        for entry in &self.scenario.workload {
            let workload = entry.get_ref();
            let problem = |reason: &str| {
                let reason = format!("the workload \"{}\" {reason}", workload.name);
                self.source.problem_at(&entry.span(), &reason)
            };
            if crate::aws::limits::role_session_name(&workload.name).is_err() {
                return Err(problem(
                    "can't have this name, because a role's session has it too. Use 2 to 64 letters, digits, and - _ . @ = ,",
                ));
            }
            if !self.has_role(&workload.role)? {
                return Err(problem(&format!("refers to the role {}, which doesn't exist", workload.role)));
            }
            if !self.has_key(&workload.key)? {
                return Err(problem(&format!(
                    "refers to the KMS key {}, which doesn't exist. Use an alias, such as alias/orders",
                    workload.key
                )));
            }
            if !(INTERVALS[0]..=INTERVALS[1]).contains(&workload.every) {
                return Err(problem("must run every 10 s to 24 h"));
            }
            if workload.cache_data_keys.is_some_and(|time| !time.is_positive()) {
                return Err(problem(
                    "must cache data keys for some time. Remove cache_data_keys if it doesn't cache them",
                ));
            }
            workloads::insert(self.tx, &self.account_region(), workload, first)?;
        }
        Ok(())
    }

    fn has_role(&self, arn: &str) -> Result<bool, OpenError> {
        let query = "SELECT EXISTS (SELECT 1 FROM principals WHERE kind = 'role' AND document ->> '$.Arn' = ?1)";
        Ok(self.tx.query_row(query, [arn], |row| row.get(0))?)
    }

    fn has_key(&self, alias: &str) -> Result<bool, OpenError> {
        let query = "SELECT EXISTS (SELECT 1 FROM aliases WHERE world = ?1 AND name = ?2)";
        Ok(self.tx.query_row(query, [&self.account_region(), alias], |row| row.get(0))?)
    }
}
