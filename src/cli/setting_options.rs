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
            (self.ephemeral, "--ephemeral"),
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::Origin;
    use crate::tui::theme_name::{SymbolSet, ThemeName};

    fn options(line: &str) -> Layer {
        Arguments::try_parse_from(line.split_whitespace()).unwrap().setting_options()
    }

    fn settings(line: &str, variables: &[(&str, &str)]) -> Settings {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Settings::load(&options(line), find).unwrap()
    }

    #[test]
    fn options_are_settings() {
        let line = "xks-console --theme dark --symbols ascii --accessible --no-mouse --endpoint-url http://127.0.0.1:1 \
                    --profile p --region r --read-only";
        let settings = settings(line, &[]);
        assert_eq!((settings.theme.value, settings.symbols.value), (ThemeName::Dark, SymbolSet::Ascii));
        assert_eq!((settings.accessible.value, settings.mouse.value, settings.read_only.value), (true, false, true));
        assert_eq!(settings.target.value, TargetSetting::Endpoint("http://127.0.0.1:1".to_owned()));
        assert_eq!((settings.profile.value.as_deref(), settings.region.value.as_deref()), (Some("p"), Some("r")));
        assert_eq!(settings.mouse.origin, Origin::Option("--no-mouse"));
        assert!(settings.profile.is_from_option() && settings.region.is_from_option());
        assert_eq!(options("xks-console"), Layer::default());
    }

    #[test]
    fn options_of_the_bundled_aws_select_it() {
        let aws = [("XKS_CONSOLE_TARGET", "aws")];
        assert_eq!(settings("xks-console", &aws).target.value, TargetSetting::Aws);
        for option in ["--bundled", "--data-dir d", "--scenario s", "--connect-to a=127.0.0.1:1", "--proxy-ca f"] {
            let target = settings(&format!("xks-console {option}"), &aws).target;
            let name = option.split_whitespace().next().unwrap();
            assert_eq!(target.value, TargetSetting::Bundled, "{option}");
            assert_eq!(target.origin.to_string(), name);
        }
        let target = settings("xks-console open x --bundled", &aws).target;
        assert_eq!(target.value, TargetSetting::Bundled);
        let target = settings("xks-console --aws", &[("XKS_CONSOLE_TARGET", "http://127.0.0.1:1")]).target;
        assert_eq!(target.value, TargetSetting::Aws);
    }

    #[test]
    fn profile_needs_an_aws_from_any_source() {
        let conflict = |line: &str, target: &str| {
            let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
            arguments
                .settings_conflict(&settings(line, &[("XKS_CONSOLE_TARGET", target)]))
                .map(|error| error.exit_code())
        };
        assert_eq!(conflict("xks-console --profile p", ""), Some(2));
        assert_eq!(conflict("xks-console create-key --profile p", ""), Some(2));
        assert_eq!(conflict("xks-console --profile p", "aws"), None);
        assert_eq!(conflict("xks-console --profile p --data-dir d", "aws"), Some(2));
        assert_eq!(conflict("xks-console --aws --profile p", ""), None);
        assert_eq!(conflict("xks-console", ""), None);
    }
}
