//! The figures that a benchmark reports: as lines for people, and as lines of JSON for `cargo xtask bench`, which sets
//! the environment variable `XKS_CONSOLE_BENCH_JSON`.

use serde_json::json;

/// A measured figure, and the same figure of a peer in the same run.
pub struct Figure<'a> {
    /// What was measured, such as `key to frame, 80x24`.
    pub name: &'a str,
    /// The unit of the values, such as `ms`.
    pub unit: &'a str,
    /// The value of xks-console.
    pub ours: f64,
    /// The name and value of the peer.
    pub peer: Option<(&'a str, f64)>,
    /// What the ratio to the peer, or the value without a peer, should be, such as `≤ 3`. With a unit, it is
    /// what the value should be. Empty if there is no target.
    pub target: &'a str,
}

/// Prints a figure.
pub fn report(figure: &Figure) {
    let Figure { name, unit, ours, peer, target } = figure;
    let target_note = if target.is_empty() { String::new() } else { format!(", target {target}") };
    match peer {
        Some((peer, value)) => {
            let ratio = ours / value;
            println!("{name}: {peer} {value:.2} {unit}, xks-console {ours:.2} {unit}, ratio {ratio:.2}{target_note}");
        }
        None => println!("{name}: {ours:.2} {unit}{target_note}"),
    }
    if std::env::var_os("XKS_CONSOLE_BENCH_JSON").is_some() {
        let peer = peer.map(|(name, value)| json!({ "name": name, "value": value }));
        println!("{}", json!({ "figure": name, "unit": unit, "ours": ours, "peer": peer, "target": target }));
    }
}
