//! Operations of this program alone, which AWS doesn't have: the external key manager and the proxies of key stores.

pub(super) mod external_keys;
pub(super) mod proxy_routes;
