//! What the program was built from. `build.rs` records it.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

/// What the program was built from. `None` is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version of the program.
    pub version: &'static str,
    /// The Git commit.
    pub commit: Option<&'static str>,
    /// The time of the commit.
    pub commit_time: Option<Timestamp>,
    /// The target triple.
    pub target: &'static str,
    /// The Cargo profile: `debug` or `release`.
    pub profile: &'static str,
    /// The Cargo features.
    pub features: Vec<&'static str>,
    /// The names and versions of the dependencies for TLS, cryptography, and storage.
    pub dependencies: Vec<(&'static str, Option<&'static str>)>,
}

fn known(text: &'static str) -> Option<&'static str> {
    (!text.is_empty()).then_some(text)
}

impl BuildInfo {
    /// Returns the information about this program.
    pub fn current() -> Self {
        let list = |text: &'static str| text.split(',').filter(|item| !item.is_empty());
        let dependency = |text: &'static str| text.split_once('=').map(|(name, version)| (name, known(version)));
        let seconds = env!("XKS_CONSOLE_BUILD_COMMIT_TIME").parse().ok();
        let sqlite = ("SQLite", Some(rusqlite::version()));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: known(env!("XKS_CONSOLE_BUILD_COMMIT")),
            commit_time: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            target: env!("XKS_CONSOLE_BUILD_TARGET"),
            profile: env!("XKS_CONSOLE_BUILD_PROFILE"),
            features: list(env!("XKS_CONSOLE_BUILD_FEATURES")).collect(),
            dependencies: list(env!("XKS_CONSOLE_BUILD_DEPENDENCIES")).filter_map(dependency).chain([sqlite]).collect(),
        }
    }

    /// Returns the date of the commit in UTC, such as `2026-03-02`.
    pub fn commit_date(&self) -> Option<String> {
        self.commit_time.map(|time| time.strftime("%Y-%m-%d").to_string())
    }

    /// Returns the information as JSON. What is unknown is `null`.
    pub fn to_json(&self) -> Value {
        let dependencies: serde_json::Map<String, Value> =
            self.dependencies.iter().map(|(name, version)| ((*name).to_owned(), json!(version))).collect();
        json!({
            "version": self.version,
            "commit": self.commit,
            "commitDate": self.commit_date(),
            "target": self.target,
            "profile": self.profile,
            "features": self.features,
            "dependencies": dependencies,
        })
    }
}

impl fmt::Display for BuildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = "unknown";
        let features = if self.features.is_empty() { "none".to_owned() } else { self.features.join(", ") };
        writeln!(f, "xks-console {}", self.version)?;
        writeln!(f, "Commit:      {}", self.commit.unwrap_or(unknown))?;
        writeln!(f, "Commit date: {}", self.commit_date().as_deref().unwrap_or(unknown))?;
        writeln!(f, "Target:      {}", self.target)?;
        writeln!(f, "Profile:     {}", self.profile)?;
        write!(f, "Features:    {features}")?;
        for (name, version) in &self.dependencies {
            write!(f, "\n{:<12} {}", format!("{name}:"), version.unwrap_or(unknown))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_are_named_and_null() {
        let info = BuildInfo { commit: None, commit_time: None, ..BuildInfo::current() };
        assert!(info.to_string().contains("Commit:      unknown\nCommit date: unknown\n"), "{info}");
        assert_eq!((&info.to_json()["commit"], &info.to_json()["commitDate"]), (&Value::Null, &Value::Null));
        let info =
            BuildInfo { commit: Some("94ce1fb"), commit_time: Timestamp::from_second(1_772_446_500).ok(), ..info };
        assert!(info.to_string().contains("Commit:      94ce1fb\nCommit date: 2026-03-02\n"), "{info}");
    }

    #[test]
    fn dependencies_have_versions_and_no_value_is_a_path() {
        let info = BuildInfo::current();
        let names: Vec<&str> = info.dependencies.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["rustls", "aws-lc-rs", "aws-lc-sys", "SQLite"]);
        assert!(info.dependencies.iter().all(|(_, version)| version.is_some_and(|version| version.contains('.'))));
        assert!(!info.to_string().contains('/'), "{info}");
    }
}
