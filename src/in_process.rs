//! A client of the bundled AWS in the same process, without a port.

use std::sync::Arc;

use crate::bundled::{BundledAws, Unrecorded};
use crate::client::{Client, InProcess, ReadOnly};
use crate::environment::Clock;

/// Creates a client of `bundled` with the credentials of the console's user, in the Region of the account.
///
/// The client signs each request, and the bundled AWS verifies it, as over a network. `clock` must agree with the clock of
/// the bundled AWS within five minutes.
pub fn client(bundled: &BundledAws, clock: Clock) -> Client {
    let aws = bundled.clone();
    let transport = InProcess::new(move |request| {
        let aws = aws.clone();
        Box::pin(async move { aws.handle(request).await })
    });
    Client::new(Arc::new(transport), bundled.console_credentials(), BundledAws::REGION, clock)
}

/// Creates a read-only client of `bundled` like [`client`], whose requests leave no CloudTrail event.
///
/// It looks at an account without changing what its user sees there. Each request is still signed, verified, and
/// authorized.
pub fn unrecorded_client(bundled: &BundledAws, clock: Clock) -> Client {
    let aws = bundled.clone();
    let transport = InProcess::new(move |mut request| {
        let aws = aws.clone();
        request.extensions_mut().insert(Unrecorded);
        Box::pin(async move { aws.handle(request).await })
    });
    let client = Client::new(Arc::new(transport), bundled.console_credentials(), BundledAws::REGION, clock);
    client.with_read_only(ReadOnly::ALL)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::named_call::NamedOperation;
    use crate::environment::Environment;

    #[tokio::test]
    async fn unrecorded_client_reads_without_an_event_and_changes_nothing() {
        let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
        let call =
            async |client: &Client, name: &str, input| NamedOperation::find(name).unwrap().call(client, input).await;
        let silent = unrecorded_client(&aws, Clock::System);
        call(&silent, "kms:DescribeKey", json!({"KeyId": "alias/customer-db"})).await.unwrap();
        assert!(call(&silent, "kms:DescribeKey", json!({"KeyId": "alias/none"})).await.is_err());
        assert!(call(&silent, "kms:DisableKey", json!({"KeyId": "alias/customer-db"})).await.is_err());
        let recorded = client(&aws, Clock::System);
        // The service refuses the change, too, if the client sends it.
        let changing = silent.with_read_only(ReadOnly::default());
        let error = call(&changing, "kms:DisableKey", json!({"KeyId": "alias/customer-db"})).await.unwrap_err();
        assert!(error.to_string().contains("isn't a read-only request"), "{error}");
        let key = call(&recorded, "kms:DescribeKey", json!({"KeyId": "alias/customer-db"})).await.unwrap();
        assert_eq!(key["KeyMetadata"]["Enabled"], true);
        let found = call(&recorded, "cloudtrail:LookupEvents", json!({})).await.unwrap();
        let names: Vec<_> = found["Events"].as_array().unwrap().iter().map(|event| &event["EventName"]).collect();
        assert_eq!(names.iter().filter(|name| **name == "DescribeKey").count(), 1, "{names:?}");
    }
}
