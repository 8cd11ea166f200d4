//! The clock of the account, which can be moved ahead of the clock of this machine.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use jiff::SignedDuration;

use crate::aws::error::ServiceError;
use crate::aws::scalar::EpochSeconds;
use crate::aws::xks_console::{AccountClock, AdvanceAccountClock, DescribeAccountClock};
use crate::bundled::{ApiResult, BundledAws, Call, Inner};
use crate::clock_step;

/// Returns why a clock can't be moved by `seconds`.
fn invalid_time(seconds: i64) -> ServiceError {
    let message = if seconds > 0 {
        "Couldn't move the clock: the account would be more than 10 years ahead of this computer. Choose a shorter time, or \
         start over with a new account."
    } else {
        "Couldn't move the clock: the time of an account only moves forward, because events and deletions can't be undone. \
         Choose a time of at least one second, or start over with a new account."
    };
    ServiceError::new("ValidationException", message)
}

impl Call<'_> {
    pub fn describe_account_clock(&self, _: &DescribeAccountClock) -> ApiResult<AccountClock> {
        self.authorize("xks-console:DescribeAccountClock", "*")?;
        Ok(self.account_clock())
    }

    pub async fn advance_account_clock(&self, request: &AdvanceAccountClock) -> ApiResult<AccountClock> {
        self.authorize("xks-console:AdvanceAccountClock", "*")?;
        let (time, ahead) = (SignedDuration::from_secs(request.seconds), self.store().environment().clock.ahead());
        if !time.is_positive() || ahead.saturating_add(time) > clock_step::MAX {
            return Err(invalid_time(request.seconds).into());
        }
        let advance = |step| {
            if !self.store().advance_clock(step, clock_step::MAX)? {
                // Another process has moved the clock in the meantime.
                return Err(invalid_time(request.seconds).into());
            }
            Ok(())
        };
        self.aws.pass_time(time, advance).await?;
        Ok(self.account_clock())
    }

    fn account_clock(&self) -> AccountClock {
        let clock = &self.store().environment().clock;
        AccountClock { time: EpochSeconds(clock.now()), seconds_ahead: clock.ahead().as_secs() }
    }
}

impl BundledAws {
    /// Returns the router of the external key store proxy, which serves all partitions of the external key manager.
    pub fn proxy_router(&self) -> axum::Router {
        let (aws, proxy) = (Arc::downgrade(&self.0), self.0.proxy.clone());
        axum::Router::new().fallback(async move |request: Request<Body>| {
            if let Some(aws) = aws.upgrade() {
                aws.read_clock();
            }
            proxy.respond(request).await.map(Body::from)
        })
    }

    /// Responds to a request to the external key store proxy.
    pub async fn handle_proxy_request(&self, request: Request<Incoming>) -> Response<Bytes> {
        self.0.read_clock();
        self.0.proxy.respond(request).await
    }
}

impl Inner {
    /// Reads how far the account is ahead, because another process may have moved its clock. Without the database, the last
    /// known time applies.
    fn read_clock(&self) {
        let _ = self.store.invalidate_stale_cache();
    }
}
