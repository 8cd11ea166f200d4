//! Operations that only the bundled AWS has: for the external key manager, and for the proxies of key stores.

pub(super) mod external_keys;
pub(super) mod proxy_routes;
