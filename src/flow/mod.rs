//! Scripted user flows: tapes drive a whole console on an account of its own, for tests, pictures, and demos.

pub mod player;
pub mod screenshot;
pub mod tape;
