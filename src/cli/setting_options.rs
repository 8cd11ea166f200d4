//! The settings in the options of the command line.

use super::{Arguments, AwsOptions};
use crate::config::{Configuration, DirectoryPath, Layer, RegionName, Settings, TargetSetting};

/// The error for `--profile` with the bundled AWS.
const PROFILE_WITHOUT_AWS: &str = "--profile can be used only with AWS or another endpoint. Add --aws or \
                                   --endpoint-url, or set `target` in config.toml";

impl Arguments {
    /// Returns the settings in the options.
    pub fn setting_options(&self) -> Layer {
        let mut layer = Layer::default();
        let mut set = |key: &str, option: Option<&'static str>| {
            if let Some(option) = option {
                layer.set_option(key, option);
            }
        };
        let (display, aws) = (&self.display, self.aws_options());
        let target = self.target();
        set("theme", display.theme.map(|_| "--theme"));
        set("symbols", display.symbols.map(|_| "--symbols"));
        set("accessible", display.accessible.then_some("--accessible"));
        set("mouse", display.no_mouse.then_some("--no-mouse"));
        set("target", target.as_ref().map(|(_, option)| *option));
        set("profile", aws.profile.as_ref().map(|_| "--profile"));
        set("region", aws.region.as_ref().map(|_| "--region"));
        set("read-only", aws.access.read_only.then_some("--read-only"));
        set("data-dir", self.data_dir.as_ref().map(|_| "--data-dir"));
        layer.values = Configuration {
            theme: display.theme,
            symbols: display.symbols,
            mouse: display.no_mouse.then_some(false),
            accessible: display.accessible.then_some(true),
            target: target.map(|(target, _)| target),
            profile: aws.profile.clone(),
            region: aws.region.clone().map(RegionName::checked),
            read_only: aws.access.read_only.then_some(true),
            data_dir: self.data_dir.clone().map(DirectoryPath::from_shell),
            ..Configuration::default()
        };
        layer
    }

    /// Returns the AWS that the options select, and the option that does. The options of the bundled AWS select it, so
    /// that they never apply to another AWS by mistake.
    fn target(&self) -> Option<(TargetSetting, &'static str)> {
        let AwsOptions { aws, endpoint_url, bundled, .. } = self.aws_options();
        let bundled = [
            (*bundled, "--bundled"),
            (self.data_dir.is_some(), "--data-dir"),
            (self.scenario.is_some(), "--scenario"),
            (!self.connect_to.is_empty(), "--connect-to"),
            (self.proxy_ca.is_some(), "--proxy-ca"),
        ]
        .into_iter()
        .find_map(|(is_set, option)| is_set.then_some((TargetSetting::Bundled, option)));
        match endpoint_url {
            Some(url) => Some((TargetSetting::Endpoint(url.clone()), "--endpoint-url")),
            None if *aws => Some((TargetSetting::Aws, "--aws")),
            None => bundled,
        }
    }

    /// Returns the error for options that conflict with `settings`.
    pub fn settings_conflict(&self, settings: &Settings) -> Option<clap::Error> {
        let is_unused = settings.target.value == TargetSetting::Bundled && settings.profile.is_from_option();
        is_unused.then(|| super::usage_error(PROFILE_WITHOUT_AWS))
    }
}
