//! The AWS that a console works on.

/// Which AWS the console speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The AWS inside this program.
    Bundled,
    /// An AWS at an address: its host and port.
    Endpoint(String),
    /// AWS itself.
    Aws,
}
