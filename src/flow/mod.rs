//! Scripted user flows: tapes drive a complete console with its own account, for tests, screenshots, and demos.

pub mod player;
pub mod screenshot;
pub mod tape;
