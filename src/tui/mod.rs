//! The console: state, messages, effects, and how they are drawn.
//!
//! [`app::App::update`] is the only place that changes state and does no I/O; [`chrome::draw`] only reads; the
//! [`runtime`] performs effects and answers with messages.

pub mod app;
pub mod badge;
pub mod chrome;
pub mod connect;
pub mod drafts;
pub mod effect;
pub mod flash;
pub mod keymap;
pub mod login;
pub mod monitoring;
pub mod pages;
pub mod preferences;
pub mod runtime;
pub mod switcher;
pub mod tasks;
pub mod terminal;
pub mod text_view;
pub mod theme;
pub mod typed_path;
pub mod widgets;
pub mod wizard;
