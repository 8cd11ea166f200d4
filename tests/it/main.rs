//! Tests of the whole: the bundled AWS on the wire, flows as tapes, and the program in a pseudo-terminal.

mod account;
mod api_calls;
mod authorization;
mod bundled;
mod crash;
mod dry_run;
mod endpoint;
mod events;
mod external_keys;
mod flows;
mod guide;
mod key_states;
mod key_stores;
mod metrics;
mod monitoring;
mod pages;
mod process;
mod proxies;
mod proxy_check;
mod random;
mod rotation;
mod served;
mod snapshots;
mod tasks;
mod trail;
mod xks_proxy;
