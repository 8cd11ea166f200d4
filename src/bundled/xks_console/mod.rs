//! Operations that only the bundled AWS has: for the external key manager, the proxies of key stores, and the account's
//! clock.

mod account_clock;
pub(super) mod external_keys;
mod proxy_faults;
pub(super) mod proxy_routes;
