//! The AWS KMS console for external key stores, in a terminal, with a bundled AWS to run it against.
//!
//! ```text
//! terminal ── Event ──▶ tui::App::update ── Effect ──▶ tui::runtime ──▶ client ──▶ transport ─┬─▶ HTTPS ──▶ AWS
//!    ▲                        │                             │                                 └─▶ bundled::router
//!    └──── draw(&App) ◀── state ◀──────────── Msg ◀─────────┘                                        │
//!                                                                                                    ▼
//!                        xks::key_manager ◀── xks::proxy ◀── xks::client ◀────────── bundled KMS operation
//! ```
//!
//! Dependencies between modules point one way: `tui` → `create_key` → `aws`, `tui` → `client` → `aws`, and
//! `bundled` → `xks` → `aws`. `aws` depends on no other module. Only `commands` and `flow` connect a console, a client,
//! and the bundled AWS.
//!
//! - `accessible` is the same wizard for screen readers: questions and answers in lines of plain text.
//! - `create_key` contains the logic of the wizard that creates a key. `drafts` stores unfinished keys on disk.
//! - `listing` contains the columns, labels, and search of lists, for the pages of the console and for `list-keys`.
//! - `commands` implements the commands of the program. `commands::create_key` creates keys without the console, with
//!   the same `create_key` module and the same API calls.
//! - `server` serves the bundled AWS and its external key store proxy to other programs.
//! - `storage` contains what both databases and all files of the program share.
//! - `conformance` checks any external key store proxy against the specification, over the network.
//!
//! # A KMS with external key stores in your tests
//!
//! [`BundledAws::in_memory`](bundled::BundledAws::in_memory) needs no files, network, or port:
//!
//! ```
//! use xks_console::bundled::BundledAws;
//! use xks_console::environment::{Clock, Environment};
//! use xks_console::in_process;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let aws = BundledAws::in_memory("default", Environment::system())?;
//! let client = in_process::client(&aws, Clock::System);
//! let key_stores = client.collect_key_stores().await?;
//! assert_eq!(key_stores.len(), 4);
//! # Ok(())
//! # }
//! ```
//!
//! [`client`] shows how to call operations, [`xks::proxy`] how to run an external key store proxy, and [`flow`] how to test
//! the console with a tape.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![warn(clippy::pedantic)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(clippy::doc_markdown, clippy::module_name_repetitions, clippy::missing_errors_doc, clippy::must_use_candidate)]

pub mod access_log;
pub mod accessible;
pub mod aws;
mod blocking;
pub mod build_info;
pub mod bundled;
pub mod cli;
pub mod client;
pub mod clock_step;
pub mod commands;
pub mod config;
pub mod conformance;
pub mod create_key;
pub mod drafts;
pub mod environment;
pub mod error_remedies;
pub mod expectation;
pub mod flow;
pub mod in_process;
pub mod lessons;
pub mod listing;
mod pem;
pub mod server;
pub mod storage;
pub mod text;
pub mod tui;
pub mod xks;
