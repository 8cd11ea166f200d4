use serde_json::json;

use super::*;
use crate::client::named_call::NamedOperation;
use crate::lessons::directory::{self, LessonFilesError};
use crate::lessons::format;
use crate::xks::network::Network;

/// The first step breaks an external key and asks for it, and the second step waits for its repair.
const LESSON: &str = r#"
title = "Repair"
summary = "S"
minutes = 1
[[step]]
title = "Find"
text = "T"
hints = ["one", "two"]
before = ['xks-console:DisableExternalKey {"Partition": "frankfurt", "Id": "customer-db"}']
question = "Which key?"
answers = ["customer-db"]
[step.let]
key = 'kms:DescribeKey {"KeyId": "alias/customer-db"} .KeyMetadata.KeyId'
[[step]]
title = "Repair"
text = "T"
goals = [
  { text = "described", expect = 'kms:DescribeKey {"KeyId": "${key}"} .KeyMetadata.Description == "repaired"' },
  { text = "policy", expect = 'kms:ListKeyPolicies {"KeyId": "${key}"} .PolicyNames | length == 1' },
]
"#;

fn lesson() -> Lesson {
    format::parse("repair", None, LESSON).unwrap_or_else(|error| panic!("{error}"))
}

fn open(data_dir: &std::path::Path) -> Result<LessonEngine, LessonFilesError> {
    let directory = LessonDirectory::open(data_dir, &lesson())?;
    let progress = directory.progress()?;
    let aws = directory.open_account(&lesson(), Network::default())?;
    Ok(LessonEngine::new(lesson(), aws, Clock::System).stored_in(directory, progress))
}

async fn call(engine: &LessonEngine, name: &str, input: serde_json::Value) -> serde_json::Value {
    NamedOperation::find(name).unwrap().call(&engine.administrator, input).await.unwrap()
}

async fn describe(engine: &LessonEngine, description: &str) {
    let key = engine.progress().variables().expand("${key}").unwrap();
    call(engine, "kms:UpdateKeyDescription", json!({"KeyId": key, "Description": description})).await;
}

async fn description(engine: &LessonEngine) -> String {
    let key = call(engine, "kms:DescribeKey", json!({"KeyId": "alias/customer-db"})).await;
    key["KeyMetadata"]["Description"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn lesson_is_resumed_where_it_was_left_and_stays_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = open(dir.path()).unwrap();
    let state = engine.handle(LessonRequest::Begin).await;
    assert_eq!((state.step, state.step_count, state.hints_left, state.is_step_done), (1, 2, 2, false));
    let listed = call(&engine, "xks-console:ListExternalKeys", json!({})).await;
    let frankfurt = listed["Partitions"].as_array().unwrap().iter().find(|partition| partition["Name"] == "frankfurt");
    let keys = frankfurt.unwrap()["Keys"].as_array().unwrap();
    assert_eq!(keys.iter().find(|key| key["Id"] == "customer-db").unwrap()["Enabled"], false);

    // A step that isn't done can't be skipped.
    assert_eq!(engine.handle(LessonRequest::NextStep).await.step, 1);
    assert_eq!(engine.handle(LessonRequest::ShowHint).await.hints, ["one"]);
    let state = engine.handle(LessonRequest::Answer("payments".to_owned())).await;
    assert_eq!(state.question.unwrap().answer, AnswerState::Wrong("payments".to_owned()));
    assert!(engine.handle(LessonRequest::Answer(" Customer-DB".to_owned())).await.is_step_done);
    engine.handle(LessonRequest::NextStep).await;

    drop(engine);
    let mut engine = open(dir.path()).unwrap();
    let state = engine.handle(LessonRequest::Begin).await;
    assert_eq!((state.step, state.is_step_done), (2, false));
    assert_eq!(state.goals.iter().map(|goal| goal.is_met).collect::<Vec<_>>(), [false, true]);
    describe(&engine, "repaired").await;
    assert!(engine.handle(LessonRequest::Check).await.is_finished());
    describe(&engine, "broken again").await;
    assert!(engine.handle(LessonRequest::Check).await.is_finished(), "what is done stays done");
    assert!(directory::all_progress(dir.path()).unwrap()[0].1.is_finished());
}

#[tokio::test]
async fn step_is_reset_to_the_account_at_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = open(dir.path()).unwrap();
    engine.handle(LessonRequest::Begin).await;
    describe(&engine, "in step 1").await;
    engine.handle(LessonRequest::Answer("customer-db".to_owned())).await;
    engine.handle(LessonRequest::NextStep).await;
    describe(&engine, "repaired").await;
    assert!(engine.handle(LessonRequest::Check).await.is_finished());
    assert!(matches!(open(dir.path()), Err(LessonFilesError::InUse(_))), "the lesson is open");
    assert!(matches!(directory::remove_all(dir.path()), Err(LessonFilesError::InUse(_))));
    drop(engine);

    let reset = |step| LessonDirectory::open(dir.path(), &lesson()).unwrap().reset_to_step(step);
    assert!(matches!(reset(3), Err(LessonFilesError::NotBegun { step: 3, begun: 2 })));
    assert!(matches!(reset(0), Err(LessonFilesError::NotBegun { .. })));
    reset(2).unwrap();
    let mut engine = open(dir.path()).unwrap();
    let state = engine.handle(LessonRequest::Begin).await;
    assert_eq!((state.step, state.is_step_done), (2, false));
    assert_eq!(description(&engine).await, "in step 1");
    drop(engine);

    reset(1).unwrap();
    let mut engine = open(dir.path()).unwrap();
    let state = engine.handle(LessonRequest::Begin).await;
    assert_eq!((state.step, state.is_step_done, state.hints_left), (1, false, 2));
    assert_eq!(description(&engine).await, "Customer database, encrypted under our own HSM");
    drop(engine);

    LessonDirectory::open(dir.path(), &lesson()).unwrap().reset().unwrap();
    assert!(directory::all_progress(dir.path()).unwrap().is_empty());
    assert_eq!(open(dir.path()).unwrap().handle(LessonRequest::Begin).await.step, 1);
    assert_eq!(directory::remove_all(dir.path()).unwrap(), 1);
}

#[tokio::test]
async fn requests_of_a_step_that_fail_are_reported_and_the_step_does_not_begin() {
    let text = LESSON.replace("\"Id\": \"customer-db\"", "\"Id\": \"no-such-key\"");
    let lesson = format::parse("repair", None, &text).unwrap();
    let aws = BundledAws::in_memory("default", crate::environment::Environment::system()).unwrap();
    let mut engine = LessonEngine::new(lesson, aws, Clock::System);
    let state = engine.handle(LessonRequest::Begin).await;
    let problem = state.problem.unwrap();
    assert!(problem.starts_with("Couldn't prepare step 1: xks-console:DisableExternalKey failed"), "{problem}");
    assert!(problem.contains("--reset"), "{problem}");
    assert_eq!((engine.progress().steps.len(), state.is_step_done), (0, false));
}

#[tokio::test]
async fn task_answers_many_checks_at_once_and_each_other_request() {
    let aws = BundledAws::in_memory("default", crate::environment::Environment::system()).unwrap();
    let mut task = LessonTask::spawn(LessonEngine::new(lesson(), aws, Clock::System));
    let requests = [LessonRequest::Begin, LessonRequest::Check, LessonRequest::Check, LessonRequest::ShowHint];
    for request in requests {
        task.send(request);
    }
    assert!(task.next_state().await.unwrap().hints.is_empty());
    assert_eq!(task.next_state().await.unwrap().hints, ["one"]);
}
