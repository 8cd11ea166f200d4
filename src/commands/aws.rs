//! The AWS that a command uses: the bundled AWS, AWS itself, or another endpoint.

use std::error::Error;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::{note, open_bundled};
use crate::bundled::BundledAws;
use crate::cli::Arguments;
use crate::client::credentials::LoadCredentialsError;
use crate::client::log::LogFile;
use crate::client::{Client, profile};
use crate::config::Settings;
use crate::drafts;
use crate::environment::Clock;
use crate::in_process;
use crate::tui::app::App;
use crate::tui::effect::Effect;
use crate::tui::target::Target;

/// The time to wait for credentials before a message explains the delay.
const CREDENTIALS_NOTICE_DELAY: Duration = Duration::from_secs(1);

/// A connection to an AWS.
pub(super) struct AwsConnection {
    pub(super) client: Client,
    /// The settings that selected the AWS.
    pub(super) settings: Settings,
    target: Target,
    /// The bundled AWS, unless another one is used.
    pub(super) bundled: Option<BundledAws>,
    /// The data directory of the bundled AWS; `None` for another AWS, and for an account in memory.
    pub(super) data_dir: Option<PathBuf>,
    /// Set if the profile needs an MFA code. The console requests the code itself.
    pub(super) pending_mfa: Option<LoadCredentialsError>,
}

impl AwsConnection {
    /// Connects to the AWS that the command line selects.
    pub(super) fn open(arguments: &Arguments, runtime: &Runtime) -> Result<Self, Box<dyn Error>> {
        let settings = super::settings(arguments)?;
        let read_only = settings.read_only();
        let mut aws = match settings.client_settings(|name| std::env::var_os(name)) {
            Some(client_settings) => runtime.block_on(Self::open_remote(settings, client_settings))?,
            None => Self::open_bundled(arguments, settings)?,
        };
        aws.client = aws.client.with_read_only(read_only);
        if let Some(path) = &arguments.aws_options().log {
            let log =
                LogFile::open(path).map_err(|error| format!("Couldn't open the log {}: {error}", path.display()))?;
            aws.client = aws.client.with_observer(Arc::new(log));
        }
        Ok(aws)
    }

    fn open_bundled(arguments: &Arguments, settings: Settings) -> Result<Self, Box<dyn Error>> {
        let data_dir = if arguments.ephemeral { None } else { Some(settings.data_dir()?) };
        let bundled = open_bundled(arguments, data_dir.as_deref())?;
        let client = in_process::client(&bundled, Clock::System);
        // The Region of the file and the environment is that of AWS. The account is in the Region of its scenario.
        let client = match &settings.region.value {
            Some(region) if settings.region.is_from_option() => client.with_region(region),
            _ => client,
        };
        let bundled = Some(bundled);
        Ok(Self { client, settings, target: Target::Bundled, bundled, data_dir, pending_mfa: None })
    }

    /// Creates the connection to an account of the bundled AWS that is open already, in the directory `data_dir`.
    pub(super) fn for_account(bundled: BundledAws, settings: Settings, data_dir: PathBuf) -> Self {
        let client = in_process::client(&bundled, Clock::System);
        let (bundled, data_dir) = (Some(bundled), Some(data_dir));
        Self { client, settings, target: Target::Bundled, bundled, data_dir, pending_mfa: None }
    }

    async fn open_remote(settings: Settings, client_settings: profile::Settings) -> Result<Self, Box<dyn Error>> {
        let client = profile::open(client_settings, Clock::System).await?;
        let target = Target::from_client(&client);
        // A credential process may prompt for a password, which must happen before the console uses the terminal.
        let error = notify_if_slow(client.load_credentials()).await.err();
        let pending_mfa = error.filter(|error| error.mfa_serial.is_some());
        Ok(Self { client, settings, target, bundled: None, data_dir: None, pending_mfa })
    }

    /// Returns the AWS.
    pub(super) fn target(&self) -> Target {
        self.target.clone()
    }

    /// Creates the console for this AWS, and returns it with its first effects.
    pub(super) fn app(&self) -> (App, Vec<Effect>) {
        let (mut app, effects) = App::new(self.target.clone(), self.client.region());
        app.set_client(&self.client);
        (app, effects)
    }

    /// Returns the AWS that drafts belong to.
    pub(super) fn draft_target(&self) -> std::io::Result<Option<drafts::DraftTarget>> {
        Ok(match (&self.target, &self.data_dir) {
            (Target::Endpoint(host), _) => Some(drafts::DraftTarget::Endpoint(host.clone())),
            (Target::Bundled, None) => None,
            (_, Some(data_dir)) => Some(drafts::DraftTarget::Bundled(data_dir.canonicalize()?.display().to_string())),
            (_, None) => Some(drafts::DraftTarget::Aws),
        })
    }
}

async fn notify_if_slow<T>(credentials: impl Future<Output = T>) -> T {
    let mut credentials = pin!(credentials);
    if let Ok(credentials) = tokio::time::timeout(CREDENTIALS_NOTICE_DELAY, &mut credentials).await {
        return credentials;
    }
    note("Waiting for credentials. Press Ctrl-C to cancel.");
    credentials.await
}
