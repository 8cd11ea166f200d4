//! Records where the program was built from: the commit and its date, the target, and the versions of dependencies.
//!
//! A release build reads the commit from Git. Development builds don't, so that a commit doesn't cause a rebuild. Without
//! Git, the commit is that of the crate package, or the environment variable `XKS_CONSOLE_COMMIT`, and its date is
//! `SOURCE_DATE_EPOCH`. What isn't known is empty.
#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The dependencies whose versions are recorded.
const DEPENDENCIES: [&str; 3] = ["rustls", "aws-lc-rs", "aws-lc-sys"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed=XKS_CONSOLE_COMMIT");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let git = (variable("PROFILE") == "release").then(|| Git::open(&root)).flatten();
    let commit = git.as_ref().and_then(|git| git.run(&["rev-parse", "HEAD"]));
    let time = git.as_ref().and_then(|git| git.run(&["log", "-1", "--format=%ct"]));
    if let Some(git) = git {
        git.watch_head();
    }
    let commit = commit.or_else(|| packaged_commit(&root)).unwrap_or_else(|| variable("XKS_CONSOLE_COMMIT"));
    let time = time.unwrap_or_else(|| variable("SOURCE_DATE_EPOCH"));
    record("COMMIT", if is_commit(&commit) { &commit } else { "" });
    record("COMMIT_TIME", if time.parse::<i64>().is_ok() { &time } else { "" });
    record("TARGET", &variable("TARGET"));
    record("PROFILE", &variable("PROFILE"));
    record("FEATURES", &features().join(","));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    let versions = DEPENDENCIES.map(|name| format!("{name}={}", locked_version(&lock, name).unwrap_or_default()));
    record("DEPENDENCIES", &versions.join(","));
}

fn record(name: &str, value: &str) {
    println!("cargo::rustc-env=XKS_CONSOLE_BUILD_{name}={value}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default().trim().to_owned()
}

/// Whether a text has the form of a commit ID.
pub fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the Cargo features that are on, in alphabetical order.
fn features() -> Vec<String> {
    let variables = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut features: Vec<String> = variables
        .filter_map(|name| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase().replace('_', "-")))
        .filter(|name| name != "default")
        .collect();
    features.sort();
    features
}

/// Returns the version of a package in Cargo.lock.
pub fn locked_version(lock: &str, name: &str) -> Option<String> {
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next().map(str::to_owned)
}

/// Returns the commit that Cargo recorded when it packaged the crate.
pub fn packaged_commit(root: &Path) -> Option<String> {
    let info = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, commit) = info.split_once("\"sha1\"")?;
    commit.split('"').nth(1).map(str::to_owned)
}

/// The Git repository of this project.
pub struct Git<'a> {
    root: &'a Path,
}

impl<'a> Git<'a> {
    /// Returns `None` without Git, and if the project is in the repository of something else.
    pub fn open(root: &'a Path) -> Option<Self> {
        let git = Self { root };
        let top = git.run(&["rev-parse", "--show-toplevel"])?;
        (fs::canonicalize(top).ok()? == fs::canonicalize(root).ok()?).then_some(git)
    }

    /// Returns the output of a command, or `None` if it fails.
    fn run(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").arg("-C").arg(self.root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }

    /// Rebuilds when HEAD moves.
    fn watch_head(&self) {
        for file in ["HEAD", "logs/HEAD"] {
            let path = self.run(&["rev-parse", "--git-path", file]).map(|path| self.root.join(path));
            // A file that doesn't exist would cause a rebuild each time.
            if let Some(path) = path.filter(|path| path.exists()) {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
    }
}
