//! What a plugin may do, and which plugin it is.

use postroom_host::{Access, Digest, Folder, Grant, Network, Sandbox, SandboxMode};

use super::{faults::check_in_destination, good};
use crate::config::Destination;

fn destination(settings: &str) -> Destination {
    let text = format!("[[destination]]\nname = \"a\"\nplugin = \"backup\"\n{settings}");
    good(&text).destinations.remove(0)
}

#[test]
fn a_grant_is_read_whole() {
    let destination = destination(
        "sandbox = \"required\"\n[destination.grant]\nnetwork = [\"tcp:443\", \"tcp:25\"]\nmemory = \"256 MiB\"\n\
         threads = 64\nfolders = [{ path = \"../data\", access = \"write\" }, { path = \"/srv\", access = \"read\" }]",
    );
    let folder = |path: &str, access| Folder { path: path.into(), access };
    let grant = Grant {
        network: Some(Network::Ports([25, 443].into())),
        folders: Some(vec![folder("/etc/data", Access::Write), folder("/srv", Access::Read)]),
        memory_bytes: Some(256 << 20),
        threads: Some(64),
    };
    assert_eq!(destination.sandbox, Sandbox { mode: SandboxMode::Required, grant, own: Vec::new() });
}

#[test]
fn a_grant_may_be_of_nothing_or_of_every_port() {
    let network =
        |setting: &str| destination(&format!("grant = {{ network = {setting} }}")).sandbox.grant.network;
    assert_eq!(network("[]"), Some(Network::none()));
    assert_eq!(network("[\"tcp:443\", \"tcp:*\"]"), Some(Network::Any));
    assert_eq!(destination("grant = {}").sandbox.grant, Grant::default());
}

#[test]
fn what_cannot_be_granted_is_told_at_its_place() {
    check_in_destination("sandbox = \"of\"", "sandbox: unknown kind of sandbox \"of\"", "off");
    check_in_destination("grant = { netwrk = [] }", "grant.netwrk: unknown key", "network");
    for port in ["443", "tcp:0", "tcp:70000", "udp:53", "tcp:"] {
        let setting = format!("grant = {{ network = [\"{port}\"] }}");
        check_in_destination(&setting, "grant.network[0]: not a TCP port", "tcp:443");
    }
    check_in_destination(
        "grant = { memory = \"1 MiB\" }",
        "grant.memory: not an amount of memory from 16 MiB on",
        "256 MiB",
    );
    check_in_destination("grant = { threads = 0 }", "grant.threads: the number is out of range", "from 1");
    let folder = "grant = { folders = [{ path = \"data\", access = \"all\" }] }";
    check_in_destination(folder, "grant.folders[0].access: unknown access \"all\"", "");
    check_in_destination(
        "grant = { folders = [{ path = \"data\" }] }",
        "grant.folders[0].access: missing",
        "read",
    );
}

#[test]
fn a_plugin_is_named_with_a_version_and_pinned_by_its_digest() {
    let text = "[[destination]]\nname = \"a\"\nplugin = \"com.example.x@1.2.0-rc.1\"";
    assert_eq!(good(text).destinations[0].plugin.name, "com.example.x@1.2.0-rc.1");
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let pinned = destination(&format!("sha256 = \"{digest}\""));
    assert_eq!(pinned.sha256, Some(Digest::parse(digest).unwrap()));
    check_in_destination("sha256 = \"9f86\"", "sha256: not a SHA-256", "64 hexadecimal digits");
}

#[test]
fn what_is_no_version_is_no_plugin() {
    for plugin in ["backup@", "backup@latest", "backup@1@2", "@1"] {
        let text = format!("[[destination]]\nname = \"a\"\nplugin = \"{plugin}\"");
        super::faults::check(&text, "3: destination[0].plugin: not a plugin id", "itoc360@1.2");
    }
}
