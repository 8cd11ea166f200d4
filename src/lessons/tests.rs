use super::format::parse;
use super::*;

/// Returns a lesson whose only step has these lines.
fn with_step(step: &str) -> String {
    format!("title = \"T\"\nsummary = \"S\"\nminutes = 1\n[[step]]\ntitle = \"A\"\ntext = \"B\"\n{step}\n")
}

const GOAL: &str = "goals = [{ text = \"G\", expect = 'kms:ListKeys .Keys | length == 1' }]";

#[test]
fn every_lesson_and_the_template_are_valid() {
    for name in names() {
        let lesson = built_in(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((lesson.name.as_str(), lesson.path), (name, None));
    }
    parse("template", None, TEMPLATE).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn problems_have_a_place_and_a_remedy() {
    for (text, at, part) in [
        ("title = \"T\"\n", "1:1", "missing field `summary`; add it"),
        ("title = ", "1:9", ""),
        ("title = \"T\"\nsummary = \"S\"\nminutes = 1\nsteps = 1\n", "4:1", "unknown field `steps`"),
        ("title = \"T\"\nsummary = \"S\"\nminutes = 0\n", "3:11", "at least 1 minute"),
        ("title = \"T\"\nsummary = \"S\"\nminutes = 1\nscenario = \"emty\"\n", "4:12", "did you mean empty?"),
        ("title = \"T\"\nsummary = \"S\"\nminutes = 1\n", "4:1", "no steps"),
        (&with_step(""), "4:1", "add goals"),
        (&with_step("goals = ['kms:ListKeys .Keys | length == 1']"), "7:10", "a goal such as { text"),
        (&with_step(&format!("hints = [\" \"]\n{GOAL}")), "7:10", "hints is empty"),
        (
            &with_step("goals = [{ text = \"G\", expect = 'kms:LstKeys .Keys exists' }]"),
            "7:34",
            "did you mean kms:ListKeys?",
        ),
        (&with_step("goals = [{ text = \"G\", expect = 'kms:ListKeys .Keys' }]"), "7:52", "write ==, !="),
        (
            &with_step("goals = [{ text = \"G\", expect = 'kms:DisableKey {\"KeyId\": \"a\"} exists' }]"),
            "7:33",
            "only be sent in `before`",
        ),
        (
            &with_step(
                "goals = [{ text = \"G\", expect = 'xks-console:DescribeExternalKey {\"CustomKeyStoreId\": \"a\", \"XksKeyId\": \"b\"} .KeySpec exists' }]",
            ),
            "7:33",
            "use xks-console:ListExternalKeys",
        ),
        (
            &with_step("goals = [{ text = \"G\", expect = 'kms:DescribeKey {\"KeyId\": \"${k}\"} exists' }]"),
            "7:33",
            "`k` has no value",
        ),
        (&with_step(&format!("before = [\"kms:DisableKey {{\\\"KeyID\\\": 1}}\"]\n{GOAL}")), "7:27", "KeyId"),
        (&with_step("[step.let]\ngoals = []"), "8:9", "above [step.let]"),
        (&with_step("[step.let]\nkey = 'kms:ListKeys .Keys['"), "8:27", "a number or a comparison"),
        (&with_step("question = \"Q\""), "7:12", "no answers"),
        (&with_step("answers = [\"A\"]"), "7:12", "no question"),
        (&with_step("goals = [{ text = \"G\", expect = '''\nkms:ListKeys\n.Keys = 1''' }]"), "9:7", "write ==, !="),
    ] {
        let error = parse("l", None, text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("l.toml:{at}: ")) && error.contains(part), "{text}\n{error}");
    }
}

#[test]
fn variables_are_known_in_their_step_and_in_later_ones() {
    let second = "[[step]]\ntitle = \"C\"\ntext = \"D\"\nbefore = ['kms:DisableKey {\"KeyId\": \"${key}\"}']\nquestion = \"Q\"\nanswers = [\" Bob \"]";
    let text = with_step(&format!(
        "{GOAL}\n[step.let]\nzone = 'kms:ListKeys .Keys'\nkey = 'kms:DescribeKey {{\"KeyId\": \"${{zone}}\"}} .KeyMetadata'\n{second}"
    ));
    let lesson = parse("l", None, &text).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = lesson.steps[0].variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zone", "key"]);
    let question = lesson.steps[1].question.as_ref().unwrap();
    assert!(question.accepts("bob  ") && !question.accepts("bobby"));
}

#[test]
fn unknown_lesson_gets_a_hint() {
    let error = built_in("first-kay").unwrap_err().to_string();
    assert_eq!(error, "there is no lesson \"first-kay\"; did you mean first-key?");
    assert!(built_in("x").unwrap_err().to_string().contains("choose one of first-key, "));
    assert!(is_path("a.toml") && is_path("./a") && !is_path("first-key"));
    assert!(read(Path::new("/none/a.toml")).unwrap_err().to_string().contains("/none/a.toml"));
}
