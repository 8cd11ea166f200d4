//! The statements that decide about a permission, which a flow of X-ray names.

use crate::aws::policy::PolicyDocument;
use crate::aws::xray::{FlowAuthorization, FlowStatement, PolicySource, StatementEffect};
use crate::bundled::Call;

/// A statement of a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatementRef<'a> {
    source: PolicySource,
    policy: &'a PolicyDocument,
    index: usize,
}

impl<'a> StatementRef<'a> {
    /// Refers to the statement of `policy` with this index.
    pub(super) fn new(source: PolicySource, policy: &'a PolicyDocument, index: usize) -> Self {
        Self { source, policy, index }
    }

    /// Returns the type of the policy, as errors name it.
    pub(super) fn policy_type(self) -> &'static str {
        match self.source {
            PolicySource::SessionPolicy => "a session policy",
            PolicySource::IamPolicy => "an identity-based policy",
            PolicySource::KeyPolicy | PolicySource::Grant | PolicySource::Unknown => "a resource-based policy",
        }
    }

    fn to_flow(self, effect: StatementEffect) -> FlowStatement {
        let number = u32::try_from(self.index + 1).unwrap_or(u32::MAX);
        let id = self.policy.statements().get(self.index).and_then(|statement| statement.sid.clone());
        FlowStatement { source: self.source, effect, number, id }
    }
}

impl Call<'_> {
    /// Records a decision in the flow of this request: the statements that decided, or the ID of a grant.
    pub(super) fn record_authorization(
        &self,
        action: &str,
        resource: &str,
        is_allowed: bool,
        statements: &[(StatementRef<'_>, StatementEffect)],
        grant: Option<String>,
    ) {
        if !self.draft.flow.records_details() {
            return;
        }
        let grant = grant.map(|id| FlowStatement {
            source: PolicySource::Grant,
            effect: StatementEffect::Allow,
            number: 0,
            id: Some(id),
        });
        let statements = statements.iter().map(|(statement, effect)| statement.to_flow(*effect));
        self.draft.flow.authorized(FlowAuthorization {
            action: action.to_owned(),
            resource: resource.to_owned(),
            is_allowed,
            statements: grant.into_iter().chain(statements).collect(),
        });
    }
}
