//! Routes to external key store proxies that need an explicit address or their own certificate authorities.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row, params};

use crate::aws::error::ServiceError;
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::aws::xks_console::{ListProxyRoutes, ListProxyRoutesOutput, ProxyRoute, PutProxyRoute};
use crate::bundled::store::Store;
use crate::bundled::{ApiResult, Call};
use crate::xks::network;

/// The maximum size of the CA certificates of a route, in bytes.
const MAX_PEM_BYTES: usize = 64 * 1024;

fn route_from_row(row: &Row) -> rusqlite::Result<ProxyRoute> {
    Ok(ProxyRoute { host: row.get(0)?, address: row.get(1)?, certificate_authorities: row.get(2)? })
}

/// Returns the route to a host, if one is stored.
pub fn find_route(store: &Store, host: &str) -> rusqlite::Result<Option<Arc<ProxyRoute>>> {
    let host = host.to_ascii_lowercase();
    let found = store.get_or_load(&host, |tx, sources| {
        sources.add_row("proxy_routes", &[&host]);
        let query = "SELECT host, address, authorities FROM proxy_routes WHERE host = ?1";
        tx.query_row(query, [&host], route_from_row).optional().map(|found| found.map(Arc::new))
    })?;
    Ok(Option::clone(&found))
}

fn check_route(route: &ProxyRoute) -> Result<(), ServiceError> {
    limits::xks_proxy_host(&route.host).map_err(|violation| violation.to_service_error(&route.host))?;
    if let Some(address) = &route.address {
        limits::xks_proxy_address(address).map_err(|violation| violation.to_service_error(address))?;
    }
    let Some(pem) = &route.certificate_authorities else { return Ok(()) };
    let malformed = |reason: &str| {
        ServiceError::new("MalformedCertificateException", format!("Couldn't read the CA certificates: {reason}."))
    };
    if pem.len() > MAX_PEM_BYTES {
        return Err(malformed("they are larger than 64 KiB"));
    }
    network::parse_certificates(pem.as_bytes()).map(drop).map_err(|reason| malformed(&reason))
}

impl Call<'_> {
    pub fn put_proxy_route(&self, PutProxyRoute(route): &PutProxyRoute) -> ApiResult<Empty> {
        self.authorize("xks-console:PutProxyRoute", "*")?;
        check_route(route)?;
        let ProxyRoute { host, address, certificate_authorities } = route;
        let host = host.to_ascii_lowercase();
        // Requests to the console's own service aren't recorded in CloudTrail.
        self.store().write(|tx| -> ApiResult<Empty> {
            tx.execute("DELETE FROM proxy_routes WHERE host = ?1", [&host])?;
            if address.is_some() || certificate_authorities.is_some() {
                tx.execute(
                    "INSERT INTO proxy_routes VALUES (?1, ?2, ?3)",
                    params![host, address, certificate_authorities],
                )?;
            }
            Ok(Empty {})
        })
    }

    pub fn list_proxy_routes(&self, _: &ListProxyRoutes) -> ApiResult<ListProxyRoutesOutput> {
        self.authorize("xks-console:ListProxyRoutes", "*")?;
        self.store().read(|tx| {
            let mut query = tx.prepare("SELECT host, address, authorities FROM proxy_routes ORDER BY host")?;
            let routes = query.query_map([], route_from_row)?.collect::<Result<_, _>>()?;
            Ok(ListProxyRoutesOutput { routes })
        })
    }
}
