//! What `build.rs` finds out about the source.

#[path = "../../build.rs"]
#[allow(dead_code)]
mod script;

use script::{Git, is_commit, locked_version, packaged_commit};

#[test]
fn versions_come_from_the_lock_file() {
    let lock = "[[package]]\nname = \"rustls-pemfile\"\nversion = \"9.9.9\"\n\n[[package]]\nname = \"rustls\"\nversion = \"0.23.46\"\n";
    assert_eq!(locked_version(lock, "rustls").as_deref(), Some("0.23.46"));
    assert_eq!(locked_version(lock, "ring"), None);
}

#[test]
fn project_inside_another_repository_has_no_commit_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let project = dir.path().join("project");
    std::fs::create_dir_all(&project).unwrap();
    assert!(Git::open(&project).is_none());
    assert_eq!(packaged_commit(&project), None);
    match std::process::Command::new("git").args(["init", "--quiet"]).arg(dir.path()).status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        status => {
            assert!(status.unwrap().success());
            assert!(Git::open(&project).is_none() && Git::open(dir.path()).is_some());
        }
    }
    let info = "{\n  \"git\": {\n    \"sha1\": \"94ce1fb0\"\n  },\n  \"path_in_vcs\": \"\"\n}";
    std::fs::write(project.join(".cargo_vcs_info.json"), info).unwrap();
    assert_eq!(packaged_commit(&project).as_deref(), Some("94ce1fb0"));
}

#[test]
fn only_hexadecimal_text_is_a_commit() {
    assert!(is_commit("94ce1fb") && is_commit(&"a".repeat(64)));
    for text in ["", "94ce1f", "main-branch", "/home/ada/src", &"a".repeat(65)] {
        assert!(!is_commit(text), "{text}");
    }
}
