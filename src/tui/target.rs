//! The AWS endpoint that the console connects to.

/// The kind of AWS that the console connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The bundled AWS in this process.
    Bundled,
    /// AWS at a custom endpoint, with its host and port.
    Endpoint(String),
    /// Real AWS.
    Aws,
}
