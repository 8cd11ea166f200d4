//! Serving the bundled AWS on a port: `xks-console serve`.

use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroU32;

use crate::bundled::Bundled;
use crate::cli::{Arguments, Serve};
use crate::serve::Server;
use crate::serve::profiles::{self, Served};
use crate::serve::tls::{self, Clients};

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// An address or certificates that can't be used; what the databases say.
pub fn run(arguments: &Arguments, options: &Serve) -> Result<(), Box<dyn Error>> {
    let data_dir = arguments.data_dir(|name| std::env::var_os(name))?;
    let bundled = super::open_bundled(arguments, &data_dir)?;
    let clients =
        options.client_ca.clone().zip(options.client_name.clone()).map(|(authority, name)| Clients { authority, name });
    let (tls, authority) = match (&options.tls_cert, &options.tls_key) {
        (Some(chain), Some(key)) => (Some(tls::from_files(chain, key, clients.as_ref())?), None),
        _ if options.tls_self_signed => {
            let (config, authority) = tls::self_signed(&data_dir, clients.as_ref())?;
            (Some(config), Some(authority))
        }
        _ if clients.is_some() => return Err("--client-ca needs TLS: add --tls-self-signed or --tls-cert".into()),
        _ => (None, None),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut server = Server::open(bundled.clone(), options.listen, tls, options.beyond_loopback).await?;
        if let Some(rate) = options.proxy_rate.and_then(NonZeroU32::new) {
            server = server.with_proxy_rate(rate);
        }
        let stop = stop()?;
        let url = server.url();
        let served = Served { url: &url, region: Bundled::REGION, authority: authority.as_deref() };
        profiles::write(&served, &bundled, &data_dir)?;
        let keys = bundled.access_keys()?;
        let mut out = std::io::stdout().lock();
        if let Some(key) = keys.first() {
            out.write_all(served.exports(key).as_bytes())?;
        }
        out.flush()?;
        drop(out);
        server.run(stop).await;
        Ok(())
    })
}

/// Comes true at the first SIGINT or SIGTERM.
fn stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
