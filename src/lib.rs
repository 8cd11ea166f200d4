//! The AWS KMS console for external key stores, in a terminal, with a bundled AWS to run against.
//!
//! ```text
//! terminal ── Event ──▶ tui::App::update ── Effect ──▶ tui::runtime ──▶ client ──▶ transport ─┬─▶ HTTPS ──▶ AWS
//!    ▲                        │                             │                                 └─▶ bundled::router
//!    └──── draw(&App) ◀── state ◀──────────── Msg ◀─────────┘                                        │
//!                                                                                                    ▼
//!                        xks::key_manager ◀── xks::proxy ◀── xks::client ◀────────── bundled KMS operation
//! ```
//!
//! Arrows between modules point one way: `tui` → `create_key` → `aws`, `tui` → `client` → `aws`,
//! `bundled` → `xks` → `aws`. `aws` knows nobody; only the binary and `flow` wire a console, a client and
//! the bundled AWS together.
//!
//! `drafts` keeps on disk what `create_key` is told, for the console.
//! `commands::create_key` makes keys without a screen: by the `create_key` of the console, and the calls of its runtime.
//!
//! `commands` is what each command of the program does. `storage` is what both databases and every file share.
//!
//! `conformance` stands beside them: it holds any external key store proxy to the specification, over the network alone.
#![forbid(unsafe_code)]
#![warn(clippy::pedantic)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(clippy::doc_markdown, clippy::module_name_repetitions, clippy::missing_errors_doc, clippy::must_use_candidate)]

pub mod access_log;
pub mod aws;
pub mod bundled;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod conformance;
pub mod create_key;
pub mod drafts;
pub mod environment;
pub mod flow;
mod pem;
pub mod server;
pub mod storage;
pub mod text;
pub mod tui;
pub mod xks;
