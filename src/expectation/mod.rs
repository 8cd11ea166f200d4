//! A small language for the state of an AWS account: an operation, its input, a path into its output, and a comparison.
//!
//! ```text
//! kms:DescribeKey {"KeyId": "alias/payments"} .KeyMetadata.Origin == "EXTERNAL_KEY_STORE"
//! kms:ListAliases .Aliases[.AliasName == "alias/payments"].TargetKeyId exists
//! kms:ListKeys .Keys | length == 7
//! kms:DescribeKey {"KeyId": "alias/gone"} fails NotFoundException
//! ```
//!
//! | part | meaning |
//! | --- | --- |
//! | `kms:DescribeKey` | the operation, as in IAM actions |
//! | `{"KeyId": …}` | the input of the operation as JSON; `{}` if it is left out |
//! | `.KeyMetadata.Origin` | a member of the output |
//! | `[0]`, `[-1]` | an element of a list: the first, the last |
//! | `[.AliasName == "alias/a"]` | the first element of a list for which the comparison is true |
//! | `\| length` | the number of elements of a list or an object, or of the characters of a text |
//! | `==`, `!=`, `<`, `<=`, `>`, `>=` | compares with a JSON value; false if there is no value |
//! | `contains` | a text contains this text, or a list contains this element |
//! | `matches /regex/` | a text matches a regular expression |
//! | `exists`, `absent` | the path leads to a value other than `null`, or to none |
//! | `fails Code` | the operation returns this error |
//!
//! `${name}` in any text stands for the value of a variable.
//!
//! ```
//! # use xks_console::bundled::BundledAws;
//! # use xks_console::environment::{Clock, Environment};
//! # use xks_console::in_process;
//! use xks_console::expectation::{Expectation, Variables};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = in_process::client(&BundledAws::in_memory("default", Environment::system())?, Clock::System);
//! let expectation = Expectation::parse(r#"kms:DescribeKey {"KeyId": "alias/customer-db"} .KeyMetadata.Enabled == true"#)?;
//! expectation.evaluate(&client, &Variables::default()).await?;
//! # Ok(())
//! # }
//! ```

mod comparison;
mod parse;
mod path;
mod variables;

use serde_json::Value;

pub use self::parse::ParseError;
pub use self::variables::{UndefinedVariable, Variables, is_variable_name, names_in};

use self::comparison::Comparison;
use self::parse::Parser;
use self::path::Path;
use crate::client::named_call::{NamedCallError, NamedOperation};
use crate::client::{CallError, Client};

/// A request to AWS: an operation and its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    operation: NamedOperation,
    input: Value,
}

/// A value in AWS: a request, and a path into its output.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    request: Request,
    path: Path,
}

/// A statement about the state of an AWS account, which is true or false.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    request: Request,
    expected: Expected,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Output { path: Path, comparison: Comparison },
    Error { code: String },
}

/// Why an expectation isn't met.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExpectationError {
    /// AWS responded, and the response isn't the expected one. The text says what it is instead.
    #[error("{0}")]
    NotMet(String),
    /// A text contains a variable that has no value.
    #[error(transparent)]
    UndefinedVariable(#[from] UndefinedVariable),
    /// The request wasn't sent, or no response arrived.
    #[error(transparent)]
    Call(NamedCallError),
}

impl Request {
    /// Parses a request, such as `kms:DescribeKey {"KeyId": "alias/payments"}`.
    ///
    /// # Errors
    /// [`ParseError`] with the column of the first problem.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let request = parser.request()?;
        parser.end()?;
        Ok(request)
    }

    /// Returns the operation.
    pub fn operation(&self) -> NamedOperation {
        self.operation
    }

    /// Returns whether the request only reads: it changes nothing and uses no KMS key.
    pub fn is_read_only(&self) -> bool {
        self.operation.is_read_only(&self.input)
    }

    /// Sends the request and returns the output.
    ///
    /// # Errors
    /// [`ExpectationError::UndefinedVariable`] or [`ExpectationError::Call`].
    pub async fn send(&self, client: &Client, variables: &Variables) -> Result<Value, ExpectationError> {
        let input = variables.expand_value(&self.input)?;
        self.operation.call(client, input).await.map_err(ExpectationError::Call)
    }

    /// Returns the names of the variables that the request contains.
    pub fn variable_names(&self) -> Vec<String> {
        variables::names_in_value(&self.input)
    }
}

impl Query {
    /// Parses a query, such as `kms:DescribeKey {"KeyId": "alias/payments"} .KeyMetadata.KeyId`.
    ///
    /// # Errors
    /// [`ParseError`] with the column of the first problem.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let query = Self { request: parser.request()?, path: parser.path()? };
        parser.end()?;
        Ok(query)
    }

    /// Returns the request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sends the request and returns the value at the path.
    ///
    /// # Errors
    /// [`ExpectationError`]; it is [`NotMet`](ExpectationError::NotMet) if there is no value at the path.
    pub async fn evaluate(&self, client: &Client, variables: &Variables) -> Result<Value, ExpectationError> {
        let output = self.request.send(client, variables).await?;
        let path = self.path.expand(variables)?;
        path.find(&output)
            .ok_or_else(|| ExpectationError::NotMet(format!("the output of {} has no {path}", self.request.operation)))
    }

    /// Returns the names of the variables that the query contains.
    pub fn variable_names(&self) -> Vec<String> {
        let mut names = self.request.variable_names();
        names.extend(self.path.variable_names());
        names
    }
}

impl Expectation {
    /// Parses an expectation.
    ///
    /// # Errors
    /// [`ParseError`] with the column of the first problem.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text);
        let request = parser.request()?;
        let expected = if parser.word("fails") {
            Expected::Error { code: parser.error_code()? }
        } else {
            Expected::Output { path: parser.path()?, comparison: parser.comparison()? }
        };
        parser.end()?;
        Ok(Self { request, expected })
    }

    /// Returns the request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sends the request and checks its result.
    ///
    /// # Errors
    /// [`ExpectationError`], which is [`NotMet`](ExpectationError::NotMet) if the expectation is false.
    pub async fn evaluate(&self, client: &Client, variables: &Variables) -> Result<(), ExpectationError> {
        let operation = self.request.operation;
        let result = self.request.send(client, variables).await;
        match (&self.expected, result) {
            (Expected::Output { path, comparison }, Ok(output)) => {
                let (path, comparison) = (path.expand(variables)?, comparison.expand(variables)?);
                let found = path.find(&output);
                if comparison.is_true(found.as_ref()) {
                    return Ok(());
                }
                let found = found.map_or_else(|| "doesn't exist".to_owned(), |value| format!("is {value}"));
                let path = if path.is_empty() { "the output".to_owned() } else { path.to_string() };
                Err(ExpectationError::NotMet(format!("{operation}: {path} {found}; expected: {comparison}")))
            }
            (Expected::Error { code }, Ok(_)) => {
                Err(ExpectationError::NotMet(format!("{operation} succeeded; expected: the error {code}")))
            }
            (
                Expected::Error { code },
                Err(ExpectationError::Call(NamedCallError::Call(CallError::Service(error)))),
            ) => {
                if error.has_code(code) {
                    return Ok(());
                }
                Err(ExpectationError::NotMet(format!(
                    "{operation} failed with {}; expected: the error {code}",
                    error.code
                )))
            }
            (
                Expected::Output { comparison: Comparison::Absent, .. },
                Err(ExpectationError::Call(NamedCallError::Call(CallError::Service(error)))),
            ) if error.has_code("NotFoundException") => Ok(()),
            (Expected::Output { .. }, Err(ExpectationError::Call(NamedCallError::Call(CallError::Service(error))))) => {
                Err(ExpectationError::NotMet(format!("{operation} failed with {}: {}", error.code, error.message)))
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// Returns the names of the variables that the expectation contains.
    pub fn variable_names(&self) -> Vec<String> {
        let mut names = self.request.variable_names();
        if let Expected::Output { path, comparison } = &self.expected {
            names.extend(path.variable_names());
            names.extend(comparison.variable_names());
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::BundledAws;
    use crate::environment::Environment;
    use crate::in_process;

    fn evaluate(text: &str) -> Result<(), ExpectationError> {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
        let aws = BundledAws::in_memory("default", environment.clone()).unwrap();
        let client = in_process::client(&aws, environment.clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let variables = Variables::from([("alias", "alias/customer-db"), ("origin", "EXTERNAL_KEY_STORE")]);
        runtime.block_on(Expectation::parse(text).unwrap().evaluate(&client, &variables))
    }

    #[test]
    fn true_expectations_are_met() {
        for text in [
            r#"kms:DescribeKey {"KeyId": "alias/customer-db"} .KeyMetadata.Origin == "EXTERNAL_KEY_STORE""#,
            r#"kms:DescribeKey {"KeyId": "${alias}"} .KeyMetadata.Origin == "${origin}""#,
            r#"kms:DescribeKey {"KeyId": "alias/customer-db"} .KeyMetadata.Enabled == true"#,
            r#"kms:ListAliases .Aliases[.AliasName == "${alias}"].TargetKeyId matches /^[0-9a-f-]{36}$/"#,
            r#"kms:ListAliases .Aliases[.AliasName == "alias/none"] absent"#,
            "kms:ListKeys .Keys | length >= 6",
            "kms:ListKeys {} .Keys[-1].KeyArn contains \"us-west-2\"",
            "sts:GetCallerIdentity .Account exists",
            r#"kms:DescribeKey {"KeyId": "alias/none"} fails NotFoundException"#,
            r#"iam:GetUser {"UserName": "Admin"} .User.Arn contains "/Admin""#,
        ] {
            evaluate(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    #[test]
    fn false_expectations_say_what_was_found() {
        for (text, part) in [
            (
                r#"kms:DescribeKey {"KeyId": "${alias}"} .KeyMetadata.Origin == "AWS_KMS""#,
                r#"kms:DescribeKey: .KeyMetadata.Origin is "EXTERNAL_KEY_STORE"; expected: == "AWS_KMS""#,
            ),
            (r#"kms:DescribeKey {"KeyId": "${alias}"} .KeyMetadata.Spec exists"#, ".KeyMetadata.Spec doesn't exist"),
            (
                r#"kms:DescribeKey {"KeyId": "${alias}"} .KeyMetadata.Orgin != "AWS_KMS""#,
                ".KeyMetadata.Orgin doesn't exist",
            ),
            (r#"kms:DescribeKey {"KeyId": "alias/none"} .KeyMetadata exists"#, "failed with NotFoundException"),
            (r#"kms:DescribeKey {"KeyId": "${alias}"} fails NotFoundException"#, "succeeded; expected: the error"),
            (
                r#"kms:DescribeKey {"KeyId": "alias/none"} fails AccessDeniedException"#,
                "failed with NotFoundException;",
            ),
            (r#"kms:DescribeKey {"KeyId": "${other}"} .KeyMetadata exists"#, "`other`"),
        ] {
            let error = evaluate(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
