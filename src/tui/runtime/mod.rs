//! The runtime: performs the calls of the console.

mod changes;
mod files;
mod keys;
mod metrics;
mod perform_error;
mod permissions;
mod principals;
mod submission;
mod try_key;
mod xray;

pub use self::submission::submit_stage;

use self::perform_error::PerformError;
use super::effect::{Call, CallFailure, Response};
use crate::aws::cloudtrail::LookupEvents;
use crate::aws::iam::ListAccountAliases;
use crate::aws::kms::{ConnectCustomKeyStore, DescribeKey, DisconnectCustomKeyStore, GetKeyPolicy};
use crate::aws::sts::GetCallerIdentity;
use crate::aws::xks_console::{
    DescribeExternalKey, ListExternalKeys, ListProxyFaults, ListProxyRequests, ListWorkloads,
};
use crate::client::find::{self, NothingFound};
use crate::client::profile::OpenError;
use crate::client::{CallError, Client};

/// Performs a call.
///
/// # Errors
/// The failure of the call. Missing credentials are not an error, but [`Response::NoCredentials`].
pub async fn perform(client: &Client, call: Call) -> Result<Response, CallFailure> {
    match try_perform(client, call).await {
        Err(PerformError::NoCredentials(none)) => Ok(Response::NoCredentials(none)),
        Err(PerformError::Failed(failure)) => Err(failure),
        Ok(reply) => Ok(reply),
    }
}

async fn try_perform(client: &Client, call: Call) -> Result<Response, PerformError> {
    Ok(match call {
        Call::Submission(call) => match submission::perform_stage(client, call).await {
            Ok(answer) => Response::Submission(answer),
            Err(CallError::Credentials(none)) => return Err(PerformError::NoCredentials(none)),
            Err(error) => Response::Submission(submission::failed_answer(&error)),
        },
        Call::ReadFile(path) => Response::FileRead(files::decode_text(&files::read_file(&path).await?)),
        Call::WriteFile { name, text } => Response::FileWritten(files::write_new(name, text).await?),
        Call::Change(change) => Response::Changed(changes::perform(client, *change).await?),
        Call::Replay(request) => xray::replay(client, *request).await?,
        Call::TryKey(change) => Response::KeyTried(Box::new(try_key::perform(client, *change).await?)),
        Call::FindPage(name) => {
            if let Some(found) = find::find(client, &name).await? {
                Response::PageFound(Box::new(found.into()))
            } else {
                let message = NothingFound(name).to_string();
                return Err(CallFailure { code: "NotFound".to_owned(), message, request_id: String::new() }.into());
            }
        }
        Call::CurrentTime => Response::CurrentTime(client.now()),
        Call::Profiles => Response::Profiles(client.profiles().await.map_err(|error| open_failure(&error))?),
        Call::OpenClient(place) => {
            Response::ClientOpened(client.switch_to(&place).await.map_err(|error| open_failure(&error))?)
        }
        Call::LogIn(code) => {
            client.log_in(code).await.map_err(PerformError::NoCredentials)?;
            Response::LoggedIn
        }
        other => call_aws(client, other).await?,
    })
}

fn open_failure(error: &OpenError) -> CallFailure {
    CallFailure { code: "NotOpened".to_owned(), message: error.to_string(), request_id: String::new() }
}

async fn call_aws(client: &Client, call: Call) -> Result<Response, CallError> {
    Ok(match call {
        Call::Identity => {
            let caller = client.call(&GetCallerIdentity {}).await?;
            // The alias is optional: without permission to list it, the account ID is enough.
            let aliases = client.call(&ListAccountAliases {}).await.unwrap_or_default();
            Response::Identity { caller, account_alias: aliases.account_aliases.member.into_iter().next() }
        }
        Call::KeyStores => Response::KeyStores(client.collect_key_stores().await?),
        Call::Aliases => Response::Aliases(client.collect_aliases().await?),
        Call::Keys(marker) => keys::keys_page(client, marker).await?,
        Call::Key(key_id) => Response::Key(Box::new(client.call(&DescribeKey::new(key_id)).await?.key_metadata.into())),
        Call::ChangedKeys { key_ids, with_tags } => {
            Response::ChangedKeys(keys::changed_keys(client, key_ids, with_tags).await?)
        }
        Call::Users(marker) => principals::users(client, marker).await?,
        Call::Roles(marker) => principals::roles(client, marker).await?,
        Call::Permissions(demand) => Response::Permissions(permissions::missing_permissions(client, &demand).await?),
        Call::KeyPolicy(key_id) => Response::KeyPolicy(client.call(&GetKeyPolicy::new(key_id)).await?.policy),
        Call::KeyTags(key_id) => Response::KeyTags(client.collect_tags(&key_id).await?),
        Call::AllTags(keys) => Response::AllTags(keys::all_tags(client, keys).await?),
        Call::ExternalKey { custom_key_store_id, xks_key_id } => {
            Response::ExternalKey(client.call(&DescribeExternalKey { custom_key_store_id, xks_key_id }).await?)
        }
        Call::ExternalKeys => Response::ExternalKeys(client.call(&ListExternalKeys {}).await?.partitions),
        Call::Workloads => Response::Workloads(client.call(&ListWorkloads {}).await?.workloads),
        Call::ProxyFaults => Response::ProxyFaults(client.call(&ListProxyFaults {}).await?.faults),
        Call::Events(next_token) => {
            let output = client.call(&LookupEvents { next_token, ..LookupEvents::default() }).await?;
            Response::Events { page: output.events, next: output.next_token }
        }
        Call::ProxyRequests(id) => {
            let request = ListProxyRequests { kms_request_id: Some(id), ..ListProxyRequests::default() };
            Response::ProxyRequests(client.call(&request).await?.requests)
        }
        Call::Flows(next_token) => xray::flows(client, next_token).await?,
        Call::Flow(flow_id) => xray::flow(client, flow_id).await?,
        Call::Metrics { custom_key_store_id, range } => {
            Response::Metrics(Box::new(metrics::load_monitoring(client, &custom_key_store_id, range).await?))
        }
        Call::Connect(custom_key_store_id) => {
            client.call(&ConnectCustomKeyStore { custom_key_store_id }).await?;
            Response::Accepted
        }
        Call::Disconnect(custom_key_store_id) => {
            client.call(&DisconnectCustomKeyStore { custom_key_store_id }).await?;
            Response::Accepted
        }
        // `try_perform` handles these, because their errors differ.
        Call::Submission(_)
        | Call::Change(_)
        | Call::TryKey(_)
        | Call::Replay(_)
        | Call::ReadFile(_)
        | Call::WriteFile { .. }
        | Call::FindPage(_)
        | Call::CurrentTime
        | Call::Profiles
        | Call::OpenClient(_)
        | Call::LogIn(_) => {
            return Err(CallError::NotAvailable);
        }
    })
}
