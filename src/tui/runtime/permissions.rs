//! Whether IAM allows what Finish does.

use crate::aws::iam::{EvaluationResult, GetRole, SimulatePrincipalPolicy};
use crate::client::{CallError, Client};
use crate::create_key::permissions::{MissingPermission, PermissionCheck, PolicySource};

/// What the policies of the caller say no to.
pub async fn lacks(client: &Client, demand: &PermissionCheck) -> Result<Vec<MissingPermission>, CallError> {
    let source_arn = match &demand.source {
        PolicySource::User(arn) => arn.clone(),
        PolicySource::Role(name) => client.call(&GetRole { role_name: name.clone() }).await?.role.arn,
        PolicySource::Unknown => return Err(CallError::NotAvailable),
    };
    let mut lacks = Vec::new();
    for (request, needs) in demand.simulation_requests(&source_arn) {
        lacks.extend(demand.missing_permissions(&source_arn, &needs, &results(client, request).await?));
    }
    Ok(lacks)
}

async fn results(client: &Client, request: SimulatePrincipalPolicy) -> Result<Vec<EvaluationResult>, CallError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let answer = client.call(&SimulatePrincipalPolicy { marker: marker.clone(), ..request.clone() }).await?;
        let results = answer.evaluation_results.member;
        if let Some(unknown) = results.iter().find(|result| !result.eval_decision.is_known()) {
            let reason = format!("the decision \"{}\" is unknown", unknown.eval_decision.as_str());
            return Err(CallError::Malformed { operation: "SimulatePrincipalPolicy", reason });
        }
        all.extend(results);
        // A marker that comes again would never end.
        let next = answer.marker.filter(|next| answer.is_truncated && marker.as_ref() != Some(next));
        match next {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}
