//! The header with which a bundled AWS says that proxy faults are active.

/// The header of each response while proxy faults are active: their number, a space, and the words of the first one.
pub const PROXY_FAULTS_HEADER: &str = "x-xks-console-proxy-faults";

/// The active proxy faults, in a few words: the content of [`PROXY_FAULTS_HEADER`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveProxyFaults {
    /// The number of active faults, at least 1.
    pub count: u32,
    /// The words of the first one.
    pub first: String,
}

impl ActiveProxyFaults {
    /// Parses the content of the header.
    pub fn from_header(text: &str) -> Option<Self> {
        let (count, first) = text.split_once(' ')?;
        Some(Self { count: count.parse().ok().filter(|count| *count > 0)?, first: first.to_owned() })
    }
}

impl std::fmt::Display for ActiveProxyFaults {
    /// Writes the content of the header.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.count, self.first)
    }
}
