//! Whether IAM allows what Finish does.

use crate::aws::iam::{EvaluationResult, GetRole, SimulatePrincipalPolicy};
use crate::client::{CallError, Client};
use crate::create_key::permissions::{Demand, Lack, Source};

/// What the policies of the caller say no to.
pub async fn lacks(client: &Client, demand: &Demand) -> Result<Vec<Lack>, CallError> {
    let source_arn = match &demand.source {
        Source::User(arn) => arn.clone(),
        Source::Role(name) => client.call(&GetRole { role_name: name.clone() }).await?.role.arn,
        Source::Unknown => return Err(CallError::NotAvailable),
    };
    let mut lacks = Vec::new();
    for (request, needs) in demand.questions(&source_arn) {
        lacks.extend(demand.lacks(&source_arn, &needs, &results(client, request).await?));
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
