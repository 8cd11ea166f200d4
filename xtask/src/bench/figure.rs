//! The figures of benchmarks.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A figure of one run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figure {
    /// What was measured.
    #[serde(rename = "figure")]
    pub name: String,
    /// The unit of the values.
    pub unit: String,
    /// The value of xks-console.
    pub ours: f64,
    /// The peer in the same run.
    #[serde(default)]
    pub peer: Option<Peer>,
    /// What the ratio to the peer, or the value without a peer, should be.
    #[serde(default)]
    pub target: String,
}

/// A peer and its value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Peer {
    /// The name.
    pub name: String,
    /// The value.
    pub value: f64,
}

impl Figure {
    /// Parses a line of a benchmark's output, or returns `None` if the line is for people.
    pub fn from_json(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Creates a figure without a peer.
    pub fn new(name: &str, unit: &str, ours: f64, target: &str) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), ours, peer: None, target: target.to_owned() }
    }
}

/// The identity of a benchmark in the files of Criterion.
#[derive(Debug, Deserialize)]
struct BenchmarkId {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

/// The estimates in the files of Criterion, in nanoseconds.
#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Returns the median times in Criterion's directory. A function that is called `baseline` is the peer of the others
/// in its group with the same value.
///
/// # Errors
/// A file or directory can't be read.
pub fn criterion_figures(directory: &Path) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut times = Vec::new();
    read_times(directory, &mut times)?;
    times.sort_by(|(one, _), (other, _)| {
        (&one.group_id, &one.value_str, &one.function_id).cmp(&(&other.group_id, &other.value_str, &other.function_id))
    });
    let is_baseline = |id: &BenchmarkId| id.function_id.as_deref() == Some("baseline");
    let baselines: HashMap<_, _> = times
        .iter()
        .filter(|(id, _)| is_baseline(id))
        .map(|(id, time)| ((id.group_id.clone(), id.value_str.clone()), *time))
        .collect();
    let figures = times.into_iter().filter(|(id, _)| !is_baseline(id)).map(|(id, time)| {
        let baseline = baselines.get(&(id.group_id.clone(), id.value_str.clone()));
        let parts = [Some(id.group_id), id.function_id, id.value_str];
        Figure {
            name: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            unit: "µs".to_owned(),
            ours: time / 1e3,
            peer: baseline.map(|time| Peer { name: "baseline".to_owned(), value: time / 1e3 }),
            target: String::new(),
        }
    });
    Ok(figures.collect())
}

/// Reads the newest results below `directory`.
fn read_times(directory: &Path, times: &mut Vec<(BenchmarkId, f64)>) -> Result<(), Box<dyn Error>> {
    let results = directory.join("new");
    if results.join("estimates.json").exists() {
        let id = read_json(&results.join("benchmark.json"))?;
        let Estimates { median } = read_json(&results.join("estimates.json"))?;
        times.push((id, median.point_estimate));
        return Ok(());
    }
    for entry in fs::read_dir(directory).map_err(|error| format!("couldn't read {}: {error}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            read_times(&path, times)?;
        }
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    let failed = |error: &dyn Error| format!("couldn't read {}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_json_are_figures_and_other_lines_are_not() {
        let line =
            r#"{"figure":"key to frame","unit":"ms","ours":1.5,"peer":{"name":"baseline","value":1},"target":"≤ 2"}"#;
        let figure = Figure::from_json(line).unwrap();
        assert_eq!((figure.name.as_str(), figure.ours, figure.target.as_str()), ("key to frame", 1.5, "≤ 2"));
        assert_eq!(figure.peer, Some(Peer { name: "baseline".to_owned(), value: 1.0 }));
        let alone = Figure::from_json(r#"{"figure":"memory","unit":"MB","ours":9,"peer":null}"#).unwrap();
        assert_eq!(alone, Figure::new("memory", "MB", 9.0, ""));
        assert_eq!(Figure::from_json("key to frame: 1.5 ms"), None);
    }

    #[test]
    fn baseline_of_a_group_is_the_peer_of_its_other_functions() {
        let directory = tempfile::tempdir().unwrap();
        for (path, id, nanoseconds) in [
            ("frame/baseline/80x24", r#"{"group_id":"frame","function_id":"baseline","value_str":"80x24"}"#, 2_000),
            ("frame/wizard/80x24", r#"{"group_id":"frame","function_id":"wizard","value_str":"80x24"}"#, 3_000),
            ("encrypt_one layer", r#"{"group_id":"encrypt/one layer","function_id":null,"value_str":null}"#, 9_000),
        ] {
            let results = directory.path().join(path).join("new");
            fs::create_dir_all(&results).unwrap();
            fs::write(results.join("benchmark.json"), id).unwrap();
            let estimates = format!(r#"{{"median":{{"point_estimate":{nanoseconds}.0}}}}"#);
            fs::write(results.join("estimates.json"), estimates).unwrap();
        }
        let mut wizard = Figure::new("frame, wizard, 80x24", "µs", 3.0, "");
        wizard.peer = Some(Peer { name: "baseline".to_owned(), value: 2.0 });
        let encrypt = Figure::new("encrypt/one layer", "µs", 9.0, "");
        assert_eq!(criterion_figures(directory.path()).unwrap(), [encrypt, wizard]);
    }
}
