//! The settings of options, environment variables, and `config.toml`, in the program as a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::endpoint::{ServedAws, run_console};

/// A home directory with a `config.toml`.
struct Home(tempfile::TempDir);

impl Home {
    fn with(text: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.file().parent().unwrap()).unwrap();
        fs::write(home.file(), text).unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join(".config/xks-console/config.toml")
    }

    fn run(&self, line: &str, variables: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(line.split_whitespace())
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the program, which must succeed, and returns its standard output.
    #[track_caller]
    fn output(&self, line: &str, variables: &[(&str, &str)]) -> String {
        let output = self.run(line, variables);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the line of `config print` that sets `key`.
    #[track_caller]
    fn setting(&self, key: &str, options: &str, variables: &[(&str, &str)]) -> String {
        let printed = self.output(&format!("{options} config print"), variables);
        let prefix = format!("{key} = ");
        let line = printed.lines().find(|line| line.starts_with(&prefix));
        line.unwrap_or_else(|| panic!("{key}: {printed}")).to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn option_precedes_variable_precedes_file_precedes_default() {
    let home = Home::with("theme = \"light\"\ntarget = \"aws\"\n");
    let variable = [("XKS_CONSOLE_THEME", "mono"), ("XKS_CONSOLE_TARGET", "http://127.0.0.1:1")];
    let line = format!("Set in {}, line 1.", home.file().display());
    for (options, variables, value, origin) in [
        ("--theme dark", &variable[..], "theme = \"dark\"", "Set by --theme."),
        ("", &variable[..], "theme = \"mono\"", "Set by XKS_CONSOLE_THEME."),
        ("", &[("NO_COLOR", "1")][..], "theme = \"mono\"", "Set by NO_COLOR."),
        ("", &[][..], "theme = \"light\"", line.as_str()),
    ] {
        let line = home.setting("theme", options, variables);
        assert!(line.starts_with(value) && line.ends_with(origin), "{line}");
    }
    let line = home.setting("symbols", "", &variable);
    assert!(line.starts_with("symbols = \"auto\"") && line.ends_with("This is the default."), "{line}");
    for (options, variables, value) in [
        ("", &[][..], "target = \"aws\""),
        ("", &variable[..], "target = \"http://127.0.0.1:1\""),
        ("--aws", &variable[..], "target = \"aws\""),
        ("--endpoint-url http://127.0.0.1:2", &variable[..], "target = \"http://127.0.0.1:2\""),
        ("--bundled", &variable[..], "target = \"bundled\""),
        ("--data-dir d", &variable[..], "target = \"bundled\""),
    ] {
        let line = home.setting("target", options, variables);
        assert!(line.starts_with(value), "{options}: {line}");
    }
}

#[test]
fn read_only_mode_cannot_be_turned_off() {
    let home = Home::with("read-only = true\n");
    let line = home.setting("read-only", "", &[("XKS_CONSOLE_READ_ONLY", "0")]);
    assert!(line.starts_with("read-only = true") && line.contains("line 1"), "{line}");
    let output = home.run("create-key --yes --origin AWS_KMS --alias reports", &[("XKS_CONSOLE_READ_ONLY", "0")]);
    assert!(!output.status.success() && text(&output.stderr).contains("ReadOnly"), "{output:?}");
    let writable = Home::with("read-only = false\n");
    let line = writable.setting("read-only", "", &[("XKS_CONSOLE_READ_ONLY", "1")]);
    assert!(line.starts_with("read-only = true") && line.ends_with("Set by XKS_CONSOLE_READ_ONLY."), "{line}");
    let line = writable.setting("read-only", "--read-only", &[]);
    assert!(line.starts_with("read-only = true") && line.ends_with("Set by --read-only."), "{line}");
}

#[test]
fn data_directory_of_the_file_and_the_variable_is_used() {
    let home = Home::with("data-dir = \"~/from-file\"\n");
    home.output("proxy list-partitions", &[]);
    assert!(home.path().join("from-file").is_dir());
    home.output("proxy list-partitions", &[("XKS_CONSOLE_DATA_DIR", "from-variable")]);
    assert!(home.path().join("from-variable").is_dir());
    home.output("proxy list-partitions --data-dir from-option", &[("XKS_CONSOLE_DATA_DIR", "never")]);
    assert!(home.path().join("from-option").is_dir() && !home.path().join("never").exists());
    assert!(!home.path().join(".local").exists());
}

#[test]
fn problems_are_reported_by_config_check_and_at_startup() {
    let home = Home::with("theme = \"drak\"\n\n[keys]\nquit = \"Ctrl-C\"\nhlep = \"F1\"\n");
    let file = home.file().display().to_string();
    let expected = [
        format!("{file}, line 1: theme: \"drak\" is not a valid value. Did you mean \"dark\"?"),
        format!("{file}, line 4: keys.quit: Ctrl-C always quits, so it can't be assigned. Choose another key."),
        format!("{file}, line 5: keys.hlep: \"hlep\" is not an action. Did you mean \"help\"?"),
        "XKS_CONSOLE_MOUSE: Expected true or false, but found string \"maybe\".".to_owned(),
    ];
    let variables = [("XKS_CONSOLE_MOUSE", "maybe")];
    for line in ["config check", "config --check"] {
        let output = home.run(line, &variables);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), expected);
        assert_eq!(text(&output.stderr), "xks-console: 4 problems found.\n");
    }
    for line in ["proxy list-partitions", "create-key --yes --xks-key-id k", "serve --stop", "config print"] {
        let output = home.run(line, &variables);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{line}: {message}");
        assert!(expected.iter().all(|problem| message.contains(problem)), "{line}: {message}");
        assert!(output.stdout.is_empty(), "{line}");
    }
    // The path is what someone needs to correct the file.
    assert_eq!(home.output("config path", &variables), format!("{file}\n"));
}

#[test]
fn check_of_one_file_ignores_everything_else() {
    let home = Home::with("theme = \"drak\"\n");
    fs::write(home.path().join("good.toml"), "theme = \"dark\"\n").unwrap();
    fs::write(home.path().join("bad.toml"), "a = [\n").unwrap();
    for line in ["config check good.toml", "config --check good.toml"] {
        assert_eq!(home.output(line, &[("XKS_CONSOLE_MOUSE", "maybe")]), "No problems found in good.toml.\n");
    }
    let output = home.run("config check bad.toml", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("bad.toml, line 1: "), "{output:?}");
    let output = home.run("config check none.toml", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Couldn't read none.toml: the file doesn't exist"), "{output:?}");
    fs::write(home.file(), "theme = \"dark\"\n").unwrap();
    let expected = format!("No problems found in {} and the environment variables.\n", home.file().display());
    assert_eq!(home.output("config check", &[]), expected);
    fs::remove_file(home.file()).unwrap();
    assert!(home.output("config check", &[]).ends_with("config.toml doesn't exist.\n"));
}

#[test]
fn printed_configuration_is_valid_and_prints_the_same() {
    let home = Home::with(
        "theme = \"dark\"\ncolumns = [\"key-id\"]\n[profile.prod]\nread-only = true\n[keys]\nhelp = [\"F1\", \"h\"]\n",
    );
    let printed = home.output("--aws --region eu-west-1 config --print", &[("XKS_CONSOLE_PAGE_SIZE", "20")]);
    for line in ["theme = \"dark\"  # ", "target = \"aws\"  # ", "page-size = 20  # ", "region = \"eu-west-1\"  # "] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    assert!(printed.lines().all(|line| line.contains("# ")), "{printed}");
    fs::write(home.file(), &printed).unwrap();
    let again = home.output("config print", &[]);
    let without_comments = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split("  # ").next().unwrap_or_default().to_owned())
            .filter(|line| !line.starts_with('#'))
            .collect()
    };
    assert_eq!(without_comments(&printed), without_comments(&again));
}

#[test]
fn usage_errors_exit_with_code_2() {
    let home = Home::with("");
    for line in [
        "config",
        "config --print --check",
        "config pritn",
        "--bundled --aws config print",
        "--theme drak config print",
        "--theme dark serve",
        "--no-mouse proxy list-partitions",
        "--json config print",
        "create-key --yes --profile p",
        "serve --bundled",
    ] {
        let output = home.run(line, &[]);
        assert_eq!(output.status.code(), Some(2), "{line}: {output:?}");
    }
    let output = home.run("create-key --yes --profile p", &[]);
    assert!(text(&output.stderr).contains("--profile can be used only with AWS or another endpoint"), "{output:?}");
}

#[test]
fn console_uses_target_profile_columns_and_page_size_of_the_file() {
    let aws = ServedAws::start();
    let home = aws.dir.path();
    let config_home = home.join("user-config");
    fs::create_dir_all(config_home.join("xks-console")).unwrap();
    let file = config_home.join("xks-console/config.toml");
    let settings =
        format!("target = \"{}\"\nprofile = \"Admin\"\ncolumns = [\"description\", \"key-spec\"]\n", aws.url);
    fs::write(&file, settings + "page-size = 10\n[profiles.Admin]\nread-only = true\n").unwrap();
    let xdg = ("XDG_CONFIG_HOME", config_home.to_str().unwrap());
    let mut console = run_console(&["open", "alias/customer-db"], home, &[xdg]);
    console.wait_for("AWS at 127.0.0.1:");
    console.wait_for("READ-ONLY");
    console.send("\x1b");
    console.wait_for("Customer managed keys (");
    console.wait_for("Description");
    console.wait_for("Key spec");
    assert!(!console.text().contains("Creation date"), "{}", console.text());
    console.kill();
    let mut console = run_console(&["--bundled"], home, &[xdg]);
    console.wait_for("Frankfurt HSM");
    assert!(!console.text().contains("AWS at") && !console.text().contains("READ-ONLY"), "{}", console.text());
    console.kill();
    assert!(home.join("data/xks-console").is_dir());
    fs::write(&file, "theme = \"drak\"\n").unwrap();
    let (code, written) = run_console(&[], home, &[xdg]).wait_for_exit();
    assert!(code == 1 && written.contains("config.toml, line 1: theme: "), "{code} {written}");
}

#[test]
fn reference_page_names_every_setting_and_its_examples_are_valid() {
    let page = include_str!("../../docs/src/reference/configuration.md");
    let home = Home::with("");
    let schema: serde_json::Value = serde_json::from_str(&home.output("config schema", &[])).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert!(keys.len() > 10, "{keys:?}");
    for key in keys {
        let variable = format!("`XKS_CONSOLE_{}`", key.to_uppercase().replace('-', "_"));
        let has_variable = !["profiles", "keys"].contains(&key.as_str());
        assert!(page.contains(&format!("`{key}`")) && page.contains(&variable) == has_variable, "{key}");
    }
    let actions = schema["properties"]["keys"]["properties"].as_object().unwrap();
    for action in actions.keys() {
        assert!(page.contains(&format!("`{action}`")), "{action}");
    }
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        fs::write(home.path().join("example.toml"), block).unwrap();
        home.output("config check example.toml", &[]);
    }
}
