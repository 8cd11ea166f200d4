//! Endpoints, proxies, and trusted certificate authorities, as set by environment variables and profiles.

use xks_console::server::{Server, tls};

use super::cloud::{Cloud, SSO_TOKEN, run, signer};
use super::proxy::HttpProxy;
use super::{ACCOUNT, SESSION_FILE, SSO_SESSION, only_issued, sso_token_file, static_keys};

/// Returns the environment variables of the proxy, which override the proxy settings of the machine.
fn proxy_env<'a>(proxy: &'a HttpProxy, no_proxy_hosts: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut variables = vec![("AWS_CA_BUNDLE", proxy.ca_path.to_str().unwrap()), ("AWS_REGION", "us-west-2")];
    variables.extend(["HTTPS_PROXY", "https_proxy"].map(|name| (name, &*proxy.url)));
    variables.extend(["NO_PROXY", "no_proxy"].map(|name| (name, no_proxy_hosts)));
    variables
}

/// Writes the profile `default` with the access key of `Admin` to the home directory of `cloud`.
fn write_default_profile(cloud: &Cloud) {
    cloud.write(".aws/credentials", &static_keys(cloud, "default", "Admin"));
}

#[test]
fn aws_is_reached_through_the_https_proxy() {
    let cloud = Cloud::start();
    let proxy = HttpProxy::start(&cloud);
    write_default_profile(&cloud);
    let mut console = run(cloud.home.path(), &["--aws"], &proxy_env(&proxy, ""));
    console.wait_for(ACCOUNT);
    console.wait_for("Frankfurt HSM");
    console.kill();
    cloud.assert_signed_by(&signer(&cloud.access_key("Admin")));
    let hosts = proxy.connect_targets();
    for host in ["iam.amazonaws.com:443", "kms.us-west-2.amazonaws.com:443", "sts.us-west-2.amazonaws.com:443"] {
        assert!(hosts.iter().any(|target| target == host), "{host}: {hosts:?}");
    }
    assert!(hosts.iter().all(|host| host.ends_with(".amazonaws.com:443")), "{hosts:?}");
}

#[test]
fn credential_sources_are_reached_through_the_https_proxy() {
    let cloud = Cloud::start();
    let proxy = HttpProxy::start(&cloud);
    cloud.write(".aws/config", SSO_SESSION);
    cloud.write(SESSION_FILE, &sso_token_file(SSO_TOKEN, 8));
    let mut console = run(cloud.home.path(), &["--aws", "--profile", "login"], &proxy_env(&proxy, ""));
    console.wait_for(ACCOUNT);
    console.kill();
    cloud.assert_signed_by(&only_issued(&cloud));
    let portal = "portal.sso.eu-central-1.amazonaws.com:443";
    assert!(proxy.connect_targets().iter().any(|host| host == portal), "{:?}", proxy.connect_targets());
}

#[test]
fn hosts_in_no_proxy_bypass_the_proxy() {
    let cloud = Cloud::start();
    let proxy = HttpProxy::start(&cloud);
    write_default_profile(&cloud);
    let arguments = ["--endpoint-url", "https://aws.invalid"];
    let mut console = run(cloud.home.path(), &arguments, &proxy_env(&proxy, ""));
    console.wait_for(ACCOUNT);
    console.kill();
    assert_eq!(proxy.connect_targets(), ["aws.invalid:443"]);

    let cloud = Cloud::start();
    let proxy = HttpProxy::start(&cloud);
    write_default_profile(&cloud);
    let mut console = run(cloud.home.path(), &arguments, &proxy_env(&proxy, ".invalid"));
    console.wait_for("the request to aws.invalid");
    console.kill();
    assert!(proxy.connect_targets().is_empty());
}

#[test]
fn failing_proxy_is_named_in_the_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cloud = Cloud::start();
    write_default_profile(&cloud);
    // A server that isn't a proxy rejects the request for a tunnel.
    for (proxy, reason) in [(format!("http://{closed}"), "Connection refused"), (cloud.url.clone(), "unsuccessful")] {
        let variables = ["HTTPS_PROXY", "https_proxy"].map(|name| (name, &*proxy));
        let none = ["NO_PROXY", "no_proxy"].map(|name| (name, ""));
        let variables = [&[("AWS_REGION", "us-west-2")], &variables[..], &none].concat();
        let mut console = run(cloud.home.path(), &["--aws"], &variables);
        let words = format!("the proxy in HTTPS_PROXY can't connect: {reason}");
        console.wait_for_wrapped(&format!("the request to kms.us-west-2.amazonaws.com failed: {words}"));
        console.kill();
    }
    assert_eq!(cloud.signers(), []);
}

#[test]
fn configured_endpoints_can_be_ignored_by_environment_variable() {
    let (cloud, ignored) = (Cloud::start(), Cloud::start());
    let proxy = HttpProxy::start(&cloud);
    write_default_profile(&cloud);
    cloud.write(".aws/config", &format!("[default]\nendpoint_url = {}\n", ignored.url));
    let more = [
        ("AWS_ENDPOINT_URL", &*ignored.url),
        ("AWS_ENDPOINT_URL_KMS", &ignored.url),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ];
    let mut console = run(cloud.home.path(), &["--aws"], &[&proxy_env(&proxy, "")[..], &more].concat());
    console.wait_for(ACCOUNT);
    console.wait_for("Frankfurt HSM");
    console.kill();
    assert!(ignored.operations().is_empty(), "{:?}", ignored.operations());
    cloud.assert_signed_by(&signer(&cloud.access_key("Admin")));
}

#[test]
fn ca_bundle_variable_sets_the_trusted_authorities() {
    let cloud = Cloud::start();
    let (config, authority) = tls::self_signed(cloud.home.path(), None).unwrap();
    let server = Server::open(cloud.bundled.clone(), "127.0.0.1:0".parse().unwrap(), Some(config), false);
    let server = cloud.runtime.block_on(server).unwrap();
    let url = server.url();
    cloud.runtime.spawn(server.run(std::future::pending()));
    write_default_profile(&cloud);
    let mut console = cloud.console(&["--endpoint-url", &url], &[("AWS_CA_BUNDLE", authority.to_str().unwrap())]);
    console.wait_for(ACCOUNT);
    console.kill();
    let mut console = cloud.console(&["--endpoint-url", &url], &[]);
    console.wait_for("invalid peer certificate");
    console.kill();
    let (code, written) =
        cloud.console(&["--endpoint-url", &url], &[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]).wait_for_exit();
    assert!(code == 1 && written.contains("couldn't use the CA bundle /nowhere/ca.pem"), "{code}: {written}");
}

#[test]
fn environment_variables_set_the_config_and_credentials_files() {
    let cloud = Cloud::start();
    let config =
        cloud.write("my-config", &format!("[profile work]\nregion = eu-west-1\nendpoint_url = {}\n", cloud.url));
    let credentials = cloud.write("my-credentials", &static_keys(&cloud, "work", "Admin"));
    let variables = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
        ("AWS_PROFILE", "work"),
    ];
    let mut console = run(cloud.home.path(), &["--aws"], &variables);
    console.wait_for(ACCOUNT);
    console.wait_for("eu-west-1");
    console.kill();
    cloud.assert_signed_by(&signer(&cloud.access_key("Admin")));
}

/// Asserts that only calls to KMS went to `kms`.
fn assert_only_kms_is_redirected(kms: &Cloud, others: &Cloud) {
    assert!(kms.operations().iter().any(|name| name == "DescribeCustomKeyStores"), "{:?}", kms.operations());
    assert!(others.operations().iter().any(|name| name == "GetCallerIdentity"), "{:?}", others.operations());
    assert!(!kms.operations().iter().any(|name| name == "GetCallerIdentity"), "{:?}", kms.operations());
    assert!(!others.operations().iter().any(|name| name == "DescribeCustomKeyStores"), "{:?}", others.operations());
}

#[test]
fn environment_variable_sets_the_endpoint_of_kms_only() {
    let (kms, others) = (Cloud::start(), Cloud::start());
    write_default_profile(&others);
    let mut console = others.console(&[], &[("AWS_ENDPOINT_URL_KMS", &kms.url)]);
    console.wait_for(ACCOUNT);
    // The access key belongs to the account of the other in-memory AWS.
    console.wait_for("UnrecognizedClientException");
    console.kill();
    assert_only_kms_is_redirected(&kms, &others);
}

#[test]
fn profile_sets_the_endpoints() {
    let (kms, others) = (Cloud::start(), Cloud::start());
    write_default_profile(&others);
    let config = format!(
        "[default]\nregion = us-west-2\nendpoint_url = {}\nservices = mine\n[services mine]\nkms =\n  endpoint_url = {}\n",
        others.url, kms.url
    );
    others.write(".aws/config", &config);
    let mut console = run(others.home.path(), &["--aws"], &[]);
    console.wait_for(ACCOUNT);
    console.wait_for("UnrecognizedClientException");
    console.kill();
    assert_only_kms_is_redirected(&kms, &others);
}
