//! The AWS that a command uses: the bundled AWS, AWS itself, or another endpoint.

use std::error::Error;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{self, FutureExt as _, LocalBoxFuture};
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

/// An AWS that may still be opening, and what a console shows of it until then.
pub(super) struct OpeningAws {
    /// The settings that selected the AWS.
    pub(super) settings: Settings,
    target: Target,
    region: String,
    /// Whether it's open already.
    pub(super) is_open: bool,
    connection: LocalBoxFuture<'static, Result<AwsConnection, Box<dyn Error>>>,
}

impl OpeningAws {
    /// Begins to connect to the AWS that the command line selects. Opens the account of the bundled AWS in another thread.
    pub(super) fn begin(arguments: &Arguments, runtime: &Runtime) -> Result<Self, Box<dyn Error>> {
        let settings = super::settings(arguments)?;
        if settings.client_settings(|name| std::env::var_os(name)).is_some() {
            return Ok(AwsConnection::open_with(arguments, settings, runtime)?.into());
        }
        let region = settings.region_of_bundled().unwrap_or(BundledAws::REGION).to_owned();
        let (arguments, for_connection) = (arguments.clone(), settings.clone());
        let opening = runtime.spawn_blocking(move || {
            let opened = AwsConnection::open_bundled(&arguments, for_connection);
            opened.and_then(|aws| aws.with_client_options(&arguments)).map_err(|error| error.to_string())
        });
        let connection = async move { Ok(opening.await??) }.boxed_local();
        Ok(Self { settings, target: Target::Bundled, region, is_open: false, connection })
    }

    /// Creates the console for this AWS, and returns it with its first effects.
    pub(super) fn app(&self) -> (App, Vec<Effect>) {
        App::new(self.target.clone(), &self.region)
    }

    /// Waits until the AWS is open.
    pub(super) async fn open(self) -> Result<AwsConnection, Box<dyn Error>> {
        self.connection.await
    }
}

impl From<AwsConnection> for OpeningAws {
    fn from(aws: AwsConnection) -> Self {
        let (settings, target, region) = (aws.settings.clone(), aws.target(), aws.client.region().to_owned());
        Self { settings, target, region, is_open: true, connection: future::ready(Ok(aws)).boxed_local() }
    }
}

impl AwsConnection {
    /// Connects to the AWS that the command line selects.
    pub(super) fn open(arguments: &Arguments, runtime: &Runtime) -> Result<Self, Box<dyn Error>> {
        Self::open_with(arguments, super::settings(arguments)?, runtime)
    }

    fn open_with(arguments: &Arguments, settings: Settings, runtime: &Runtime) -> Result<Self, Box<dyn Error>> {
        let aws = match settings.client_settings(|name| std::env::var_os(name)) {
            Some(client_settings) => runtime.block_on(Self::open_remote(settings, client_settings))?,
            None => Self::open_bundled(arguments, settings)?,
        };
        aws.with_client_options(arguments)
    }

    /// Makes the client read-only and log its requests, if the settings and the command line say so.
    fn with_client_options(mut self, arguments: &Arguments) -> Result<Self, Box<dyn Error>> {
        self.client = self.client.with_read_only(self.settings.read_only());
        if let Some(path) = &arguments.aws_options().log {
            let log =
                LogFile::open(path).map_err(|error| format!("Couldn't open the log {}: {error}", path.display()))?;
            self.client = self.client.with_observer(Arc::new(log));
        }
        Ok(self)
    }

    fn open_bundled(arguments: &Arguments, settings: Settings) -> Result<Self, Box<dyn Error>> {
        let data_dir = if arguments.ephemeral { None } else { Some(settings.data_dir()?) };
        let bundled = open_bundled(arguments, data_dir.as_deref())?;
        let client = in_process::client(&bundled, Clock::System);
        let client = match settings.region_of_bundled() {
            Some(region) => client.with_region(region),
            None => client,
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
