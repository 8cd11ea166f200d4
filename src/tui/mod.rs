//! The console: state, messages, effects, and how they are drawn.
//!
//! [`app::App::update`] is the only place that changes state and does no I/O; [`chrome::draw`] only reads; the
//! [`runtime`] performs effects and answers with messages.

pub mod app;
pub mod chrome;
pub mod dialogs;
pub mod drafts;
pub mod effect;
pub mod flash;
pub mod header;
pub mod keymap;
pub mod monitoring;
pub mod pages;
pub mod path_input;
pub mod preferences;
pub mod runtime;
pub mod target;
pub mod terminal;
pub mod text_view;
pub mod theme;
pub mod widgets;
pub mod wizard;
