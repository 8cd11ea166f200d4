//! Checks whether IAM allows the operations of *Finish*.

use crate::aws::iam::{EvaluationResult, GetRole, SimulatePrincipalPolicy};
use crate::client::{CallError, Client};
use crate::create_key::permissions::{MissingPermission, PermissionCheck, PolicySource};

/// Returns the permissions that the IAM policies of the caller deny or lack.
pub async fn missing_permissions(
    client: &Client,
    check: &PermissionCheck,
) -> Result<Vec<MissingPermission>, CallError> {
    let source_arn = match &check.source {
        PolicySource::User(arn) => arn.clone(),
        PolicySource::Role(name) => client.call(&GetRole { role_name: name.clone() }).await?.role.arn,
        PolicySource::Unknown => return Err(CallError::NotAvailable),
    };
    let mut missing = Vec::new();
    for (request, needs) in check.simulation_requests(&source_arn) {
        missing.extend(check.missing_permissions(&source_arn, &needs, &simulate(client, request).await?));
    }
    Ok(missing)
}

async fn simulate(client: &Client, request: SimulatePrincipalPolicy) -> Result<Vec<EvaluationResult>, CallError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let answer = client.call(&SimulatePrincipalPolicy { marker: marker.clone(), ..request.clone() }).await?;
        let results = answer.evaluation_results.member;
        if let Some(unknown) = results.iter().find(|result| !result.eval_decision.is_known()) {
            let reason = format!("unknown decision \"{}\"", unknown.eval_decision.as_str());
            return Err(CallError::Malformed { operation: "SimulatePrincipalPolicy", reason });
        }
        all.extend(results);
        // A repeated marker would loop forever.
        let next = answer.marker.filter(|next| answer.is_truncated && marker.as_ref() != Some(next));
        match next {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}
