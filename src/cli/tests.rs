use super::*;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

#[test]
fn command_definition_is_valid() {
    Arguments::command().debug_assert();
}

#[test]
fn no_arguments_open_the_console() {
    assert_eq!(
        parse("xks-console").unwrap(),
        Arguments {
            data_dir: None,
            ephemeral: false,
            connect_to: Vec::new(),
            proxy_ca: None,
            aws_options: AwsOptions::default(),
            display: DisplayOptions::default(),
            scenario: None,
            json: false,
            command: None
        }
    );
}

#[test]
fn data_dir_is_accepted_before_and_after_the_command() {
    let before = parse("xks-console --data-dir /d serve").unwrap();
    assert_eq!(before, parse("xks-console serve --data-dir /d").unwrap());
    assert!(matches!(before.command, Some(Command::Serve(_))));
    assert_eq!(before.data_dir, Some("/d".into()));
}

#[test]
fn global_options_are_accepted_before_and_after_the_command() {
    for (before, after) in [
        ("--json proxy list-partitions", "proxy list-partitions --json"),
        ("--json proxy list-partitions", "proxy --json list-partitions"),
        ("--scenario default serve", "serve --scenario default"),
        ("--scenario default proxy list-partitions", "proxy list-partitions --scenario default"),
        ("--scenario default create-key --yes", "create-key --yes --scenario default"),
        ("--connect-to a=127.0.0.1:1 serve", "serve --connect-to a=127.0.0.1:1"),
        ("--accessible create-key", "create-key --accessible"),
        ("--accessible --aws open a", "--aws open a --accessible"),
    ] {
        let [before, after] = [before, after].map(|line| parse(&format!("xks-console {line}")).unwrap());
        assert_eq!(before, after);
        let is_given =
            before.json || before.display.accessible || before.scenario.is_some() || !before.connect_to.is_empty();
        assert!(is_given);
        assert!(before.argument_conflict().is_none(), "{before:?}");
    }
    for line in ["--json", "serve --json", "proxy --json list-keys --partition p"] {
        let is_list = line.contains("list");
        let conflict = parse(&format!("xks-console {line}")).unwrap().argument_conflict();
        assert_eq!(conflict.map(|error| error.exit_code()), (!is_list).then_some(2), "{line}");
    }
    assert!(parse("xks-console proxy delete-key --partition p --id i --json").unwrap().argument_conflict().is_some());
    assert_eq!(parse("xks-console --aws --scenario default").unwrap_err().exit_code(), 2);
}

#[test]
fn help_examples_are_valid_command_lines() {
    let mut count = 0;
    for text in [
        LONG_HELP,
        create_key::HELP,
        lists::LIST_KEYS_HELP,
        lists::SHOW_KEY_HELP,
        serve::HELP,
        proxy::HELP,
        proxy::CHECK_HELP,
        tapes::TEST_HELP,
        tapes::PLAY_HELP,
        config::HELP,
        explain::HELP,
        program::MAN_HELP,
    ] {
        let text = text.replace(" \\\n    ", " ").replace("'Frankfurt HSM'", "Frankfurt-HSM");
        for line in text.lines().map(str::trim_start) {
            let Some(example) = line.strip_prefix("eval \"$(").unwrap_or(line).strip_prefix("xks-console ") else {
                continue;
            };
            // Two spaces start the description; pipes and redirections belong to the shell.
            let end = ["  ", " | ", " > ", ")"].iter().filter_map(|end| example.trim_start().find(end)).min();
            let words = end.map_or(example, |end| &example.trim_start()[..end]);
            let words = if line.starts_with("xks-console  ") { "" } else { words };
            match parse(&format!("xks-console {words}")) {
                Ok(parsed) => assert!(parsed.argument_conflict().is_none(), "{line}"),
                Err(error) => assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{line}"),
            }
            count += 1;
        }
    }
    assert!(count > 15, "{count} examples");
}

#[test]
fn aws_options_conflict_with_bundled_options() {
    for line in [
        "xks-console --aws --data-dir d",
        "xks-console --aws --connect-to a=127.0.0.1:1",
        "xks-console --endpoint-url http://10.0.0.1:4599",
        "xks-console --endpoint-url 127.0.0.1:4599",
        "xks-console --region a.example.com",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
    let conflict = |line: &str| parse(line).unwrap().argument_conflict().map(|error| error.exit_code());
    assert_eq!(conflict("xks-console --aws serve"), Some(2));
    assert_eq!(conflict("xks-console --log f serve"), Some(2));
    assert_eq!(conflict("xks-console --read-only serve"), Some(2));
    assert_eq!(conflict("xks-console serve"), None);
}

#[test]
fn endpoint_with_a_password_is_rejected_without_repeating_it() {
    for line in [
        "xks-console --endpoint-url https://ada:hunter2@kms.example.com",
        "xks-console --endpoint-url https://kms.example.com/?token=hunter2",
        "xks-console create-key --yes --endpoint-url ada:hunter2@kms.example.com",
        "xks-console proxy check --key k --endpoint https://ada:hunter2@xks.example.com",
        "xks-console proxy check --key k --endpoint http://ada:hunter2@127.0.0.1:8080",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        let message = format!("{error} {error:?}");
        assert!(
            !message.contains("hunter2") && message.contains("--endpoint") && message.contains("Remove "),
            "{message}"
        );
    }
}

#[test]
fn create_key_accepts_aws_options_before_or_after_the_command() {
    let before = parse("xks-console --aws --region eu-west-1 create-key --yes").unwrap();
    let after = parse("xks-console create-key --yes --aws --region eu-west-1").unwrap();
    assert_eq!(before.aws_options(), after.aws_options());
    assert_eq!(before.aws_options().region.as_deref(), Some("eu-west-1"));
    let conflict = |line: &str| parse(line).unwrap().argument_conflict().map(|error| error.exit_code());
    assert_eq!(conflict("xks-console create-key --aws"), None);
    assert_eq!(conflict("xks-console open alias/a --aws --region eu-west-1"), None);
    assert_eq!(conflict("xks-console --aws open alias/a"), None);
    assert_eq!(conflict("xks-console open alias/a --json"), Some(2));
    assert_eq!(conflict("xks-console --data-dir d create-key"), None);
    for line in [
        "xks-console --aws create-key --region eu-west-1",
        "xks-console --data-dir d create-key --aws",
        "xks-console --scenario default create-key --aws",
        "xks-console --aws create-key --data-dir d",
    ] {
        assert_eq!(conflict(line), Some(2), "{line}");
    }
    for line in [
        "xks-console create-key --aws --data-dir d",
        "xks-console create-key --batch f --alias a",
        "xks-console create-key --alias",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn tape_commands_refuse_options_that_do_not_apply() {
    let conflict = |line: &str| parse(line).unwrap().argument_conflict().map(|error| error.to_string());
    for (line, part) in [
        ("xks-console test --data-dir d", "account in memory"),
        ("xks-console record a.tape --data-dir d", "account in memory"),
        ("xks-console test --scenario empty", "#: world"),
        ("xks-console --log f play a.tape", "only with the console"),
        ("xks-console test --aws", "--read-only"),
        ("xks-console test --endpoint-url https://kms.us-west-2.amazonaws.com", "--read-only"),
        ("xks-console --endpoint-url http://127.0.0.1:1 test --accept", "need an account in memory"),
        ("xks-console --endpoint-url http://127.0.0.1:1 test --pty", "need an account in memory"),
        ("xks-console test --region eu-west-1", "only together with --aws"),
        ("xks-console test --read-only", "only together with --aws"),
        ("xks-console play a.tape --json", "--json can be used only"),
    ] {
        assert!(conflict(line).is_some_and(|message| message.contains(part)), "{line}: {:?}", conflict(line));
    }
    for line in [
        "xks-console test --aws --read-only",
        "xks-console test flows --json --connect-to a=127.0.0.1:1",
        "xks-console --endpoint-url http://127.0.0.1:1 test",
        "xks-console record a.tape --scenario empty",
        "xks-console play a.tape --pictures p --check --connect-to a=127.0.0.1:1",
        "xks-console play a.tape --cast a --cast-version 2 --speed 2 --stage",
    ] {
        assert_eq!(conflict(line), None, "{line}");
    }
    for line in [
        "xks-console test --endpoint-url http://127.0.0.1:1 --connect-to a=127.0.0.1:1",
        "xks-console test --accept --endpoint-url http://127.0.0.1:1",
        "xks-console test --accept --review",
        "xks-console test --pty --accept",
        "xks-console test --size 80",
        "xks-console play",
        "xks-console play a.tape --speed 0",
        "xks-console play a.tape --cast a --svg b",
        "xks-console play a.tape --check",
        "xks-console play a.tape --cast a --check",
        "xks-console play a.tape --svg a --cast-version 2",
        "xks-console play a.tape --pictures p --cast-version 2",
        "xks-console play a.tape --pictures p --speed 2",
        "xks-console play a.tape --pictures p --stage",
        "xks-console play a.tape --step --on-keypress",
        "xks-console tape",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn proxy_rate_is_at_least_one_request_per_second() {
    let rate = |line: &str| match parse(line).unwrap().command {
        Some(Command::Serve(options)) => options.proxy_rate,
        other => panic!("{other:?}"),
    };
    assert_eq!(rate("xks-console serve"), None);
    assert_eq!(rate("xks-console serve --proxy-rate 1800"), Some(1800));
    assert_eq!(parse("xks-console serve --proxy-rate 0").unwrap_err().exit_code(), 2);
}

#[test]
fn usage_errors_exit_with_code_2() {
    for line in [
        "xks-console open",
        "xks-console opn alias/a",
        "xks-console --data-dir",
        "xks-console --check",
        "xks-console serve true",
        "xks-console serve --detach -- true",
        "xks-console serve --stop --listen 127.0.0.1:1",
        "xks-console serve --stop --detach",
        "xks-console serve --detached",
        "xks-console serve --client-ca ca.pem --client-name name",
        "xks-console serve --tls-self-signed --client-ca ca.pem",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn help_contains_every_section_and_fits_100_columns() {
    let help = Arguments::command().render_long_help().to_string();
    for part in ["Examples:", "Keys:", "Exit codes:", "--scenario <NAME|FILE>", "~/.local/share/xks-console"] {
        assert!(help.contains(part), "the help doesn't contain {part}: {help}");
    }
    let mut command = Arguments::command();
    command.build();
    let create_key = command.find_subcommand_mut("create-key").unwrap().render_long_help().to_string();
    for part in ["The key:", "Exit codes:", "--batch <FILE>", "--administrator <ARN>"] {
        assert!(create_key.contains(part), "the help doesn't contain {part}: {create_key}");
    }
    for line in help.lines().chain(create_key.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}
