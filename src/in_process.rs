//! A client of the bundled AWS in the same process, without a port.

use std::sync::Arc;

use crate::bundled::BundledAws;
use crate::client::{Client, InProcess};
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
