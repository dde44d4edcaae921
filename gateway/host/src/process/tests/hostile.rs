//! What a plugin can do that means harm: `tests/faulty/hostile.c`, as whoever runs the tests and, where that is root, as an
//! ordinary user too.

mod files;
mod moves;
mod uses;

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use postroom_core::outcome::OutcomeKind;
use rustix::process::geteuid;
use serde_json::json;
use tempfile::TempDir;

use super::{Launch, Limits, Process, StartError, check_killed, code, launch, message};
use crate::{
    inspect::inspect,
    program::Program,
    sandbox::{Access, Folder, Grant, Layer, Network, Sandbox, SandboxMode},
    testing::{Compiled, compile, program, program_file},
};

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/faulty/hostile.c"));

/// The one that asks for no network.
static OFFLINE: LazyLock<Compiled> = LazyLock::new(|| hostile(r#""none""#));
/// The one that asks for every port.
static ONLINE: LazyLock<Compiled> = LazyLock::new(|| hostile(r#"["*:*"]"#));

fn hostile(network: &str) -> Compiled {
    let network = format!("-DNETWORK=\"{}\"", network.replace('"', "\\\""));
    compile(SOURCE, &["-shared", "-fPIC", "-pthread", &network])
}

/// The users that the plugin runs as: whoever runs the tests; and nobody, without capabilities, where that is root.
fn users() -> Vec<(&'static str, Program, TempDir)> {
    let folder = || tempfile::tempdir().unwrap();
    let mut users = vec![("own", program(), folder())];
    if geteuid().is_root() {
        let folder = folder();
        let script = folder.path().join("as-nobody");
        let text = format!(
            "#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all \
             -- {} \"$@\"\n",
            program_file().display()
        );
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        users.push(("nobody", Program::File(script), folder));
    }
    users
}

fn hostile_launch(plugin: &Compiled, program: &Program, grant: Grant) -> Launch {
    Launch {
        program: program.clone(),
        plugin: inspect(&plugin.path).unwrap(),
        sandbox: Sandbox { mode: SandboxMode::Required, grant, own: Vec::new() },
        concurrency: 4,
        ..launch(plugin, "", Limits::default())
    }
}

/// Has the plugin try `attacks`, each with how it must go, as every user.
async fn check(plugin: &Compiled, grant: Grant, attacks: &[(&str, &str)]) {
    for (user, program, _folder) in users() {
        let launch = hostile_launch(plugin, &program, grant.clone());
        let process = Process::start(&launch).await.unwrap();
        assert_eq!(process.layers().missing().count(), 0, "{}", process.layers());
        for (attack, expected) in attacks {
            assert_eq!(&message(&process, leaked(attack)).await, expected, "{attack} as {user}");
        }
    }
}

/// Bodies of tests live for ever; there are few.
fn leaked(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[tokio::test]
async fn other_programs_and_processes_are_out_of_reach() {
    check(
        &OFFLINE,
        Grant::default(),
        &[
            ("constructor", "EPERM"),
            ("fork", "EPERM"),
            ("exec", "EPERM"),
            ("clone3", "ENOSYS"),
            ("kill", "EPERM"),
            ("kill all", "EPERM"),
            ("signal by descriptor", "EPERM"),
            ("ptrace", "EPERM"),
            ("memory of the gateway", "EPERM"),
            ("limits of the gateway", "EPERM"),
            ("dumpable", "EPERM"),
            ("user namespace", "EPERM"),
            ("io_uring", "EPERM"),
            ("memfd", "EPERM"),
            ("shared memory", "EPERM"),
            ("growing memory", "EPERM"),
            ("setuid", "EPERM"),
            ("chroot", "EPERM"),
        ],
    )
    .await;
}

#[tokio::test]
async fn files_that_were_not_granted_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    // As open as a file can be: it is the sandbox that closes it.
    let config = folder.path().join("postroom.toml");
    fs::write(&config, "token = \"s3cret\"").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    let on_config = |what: &str| format!("{what} {}", config.display());
    let attacks = [
        ("open /proc/self/environ".to_owned(), "EACCES"),
        ("open /proc/self/mem".to_owned(), "EACCES"),
        ("gateway environ".to_owned(), "EACCES"),
        ("gateway mem".to_owned(), "EACCES"),
        ("gateway cmdline".to_owned(), "EACCES"),
        ("open /etc/shadow".to_owned(), "EACCES"),
        ("open /etc/passwd".to_owned(), "EACCES"),
        ("list /root".to_owned(), "EACCES"),
        ("list /home".to_owned(), "EACCES"),
        (on_config("open"), "EACCES"),
        (on_config("write"), "EACCES"),
        (on_config("truncate"), "EACCES"),
        (on_config("remove"), "EACCES"),
        (on_config("chmod"), "EPERM"),
        (format!("write {}/new", folder.path().display()), "EACCES"),
        ("write /usr/lib/postroom-test".to_owned(), "EACCES"),
        ("open /dev/null".to_owned(), "ok"),
    ];
    let attacks: Vec<_> = attacks.iter().map(|(attack, expected)| (attack.as_str(), *expected)).collect();
    check(&OFFLINE, Grant::default(), &attacks).await;
    assert_eq!(fs::read_to_string(&config).unwrap(), "token = \"s3cret\"");
}

#[tokio::test]
async fn a_folder_that_the_settings_name_is_open_and_made_when_it_is_missing() {
    for (user, program, _script) in users() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let root = folder.path().join("data/backups");
        let launch = Launch {
            config: json!({ "root": root }),
            ..hostile_launch(&OFFLINE, &program, Grant::default())
        };
        let process = Process::start(&launch).await.unwrap();
        let at = |what: &str, path: &Path| leaked(&format!("{what} {}", path.display()));
        assert_eq!(message(&process, at("write", &root.join("new"))).await, "ok", "as {user}");
        assert_eq!(message(&process, at("remove", &root.join("new"))).await, "ok", "as {user}");
        assert_eq!(message(&process, at("write", &folder.path().join("new"))).await, "EACCES", "as {user}");
        assert_eq!(message(&process, "open /etc/passwd").await, "EACCES", "the manifest asks for /etc");
    }
}

#[tokio::test]
async fn what_the_manifest_asks_for_opens_with_a_grant() {
    let folders = Some(vec![Folder { path: PathBuf::from("/etc"), access: Access::Write }]);
    let grant = Grant { folders, ..Grant::default() };
    check(&OFFLINE, grant, &[("open /etc/passwd", "ok"), ("write /etc/postroom-test", "EACCES")]).await;
}

#[tokio::test]
async fn without_network_there_are_no_sockets() {
    let attacks =
        ["tcp", "udp", "unix", "netlink", "packet", "mptcp", "sctp"].map(|attack| (attack, "EPERM"));
    check(&OFFLINE, Grant::default(), &attacks).await;
    check(&OFFLINE, Grant::default(), &[("stream pair", "ok")]).await;
    let grant = Grant { network: Some(Network::none()), ..Grant::default() };
    check(&ONLINE, grant, &attacks).await;
}

#[tokio::test]
async fn only_granted_ports_are_reached_and_none_is_listened_on() {
    let (open, closed) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let (open, closed) = (port(&open), port(&closed));
    let network = Some(Network::Ports([open].into()));
    let grant = Grant { network, ..Grant::default() };
    let to = |what: &str, port: u16| leaked(&format!("{what} {port}"));
    check(
        &ONLINE,
        grant,
        &[
            (to("connect", open), "ok"),
            (to("connect", closed), "EACCES"),
            (to("fast open", closed), "EPERM"),
            (to("bind", 0), "EACCES"),
            ("udp", "ok"),
            ("unix", "EPERM"),
            ("netlink", "EPERM"),
            ("packet", "EPERM"),
            ("mptcp", "EPERM"),
            ("sctp", "EPERM"),
            ("open /etc/hosts", "ok"),
            ("open /etc/shadow", "EACCES"),
        ],
    )
    .await;
}

#[tokio::test]
async fn each_layer_is_what_holds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let open = leaked(&format!("open {}", file.display()));
    for (layer, attack, with, without) in [
        (Layer::Landlock, open, "EACCES", "ok"),
        (Layer::Seccomp, "memfd", "EPERM", "ok"),
        (Layer::Limits, "take descriptors", "", "more"),
    ] {
        let start = async |left_out: BTreeSet<Layer>| {
            let sandbox = Sandbox::default();
            let launch =
                Launch { sandbox, left_out, ..hostile_launch(&OFFLINE, &program(), Grant::default()) };
            Process::start(&launch).await.unwrap()
        };
        let (whole, less) = (start([].into()).await, start([layer].into()).await);
        let missing: Vec<_> = less.layers().missing().map(|(layer, _)| layer).collect();
        assert_eq!((whole.layers().missing().count(), missing), (0, vec![layer]));
        let (got_with, got_without) = (message(&whole, attack).await, message(&less, attack).await);
        if layer == Layer::Limits {
            let count = |text: &str| text.parse::<u32>().unwrap();
            assert!(count(&got_with) < count(&got_without), "{got_with} {got_without}");
        } else {
            assert_eq!((&*got_with, &*got_without), (with, without), "{layer:?}");
        }
    }
}

#[tokio::test]
async fn a_required_sandbox_that_is_not_whole_refuses_the_plugin() {
    for layer in [Layer::Limits, Layer::NoCapabilities, Layer::Landlock, Layer::Seccomp] {
        let left_out = [layer].into();
        let launch = Launch { left_out, ..hostile_launch(&OFFLINE, &program(), Grant::default()) };
        match Process::start(&launch).await {
            Err(StartError::Failed(reason)) => {
                assert!(reason.starts_with(&format!("the sandbox lacks {}", layer.as_str())), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn without_a_sandbox_a_plugin_may_do_what_its_user_may() {
    let sandbox = Sandbox { mode: SandboxMode::Off, ..Sandbox::default() };
    let launch = Launch { sandbox, ..hostile_launch(&OFFLINE, &program(), Grant::default()) };
    let process = Process::start(&launch).await.unwrap();
    let layers: Vec<_> = process.layers().active().collect();
    assert_eq!(layers, [Layer::NoNewPrivs, Layer::NotDumpable]);
    assert_eq!(message(&process, "open /etc/passwd").await, "ok");
    assert_eq!(message(&process, "fork").await, "ok");
}

#[tokio::test]
async fn a_gateway_whose_plugin_did_its_worst_runs_another() {
    let launch = hostile_launch(&OFFLINE, &program(), Grant::default());
    let process = Process::start(&launch).await.unwrap();
    message(&process, "take memory").await;
    message(&process, "take descriptors").await;
    let other = Process::start(&launch).await.unwrap();
    assert_eq!(message(&other, "open /dev/null").await, "ok");
    let process = Process::start(&super::launch(&super::PLUGIN, "", Limits::default())).await.unwrap();
    let until = super::Instant::now() + Duration::from_secs(60);
    let delivered = process.deliver(&super::delivery("any"), until, until).await;
    let Some(super::Delivered::Outcome(outcome)) = delivered else { panic!("{delivered:?}") };
    assert_eq!(outcome.kind, OutcomeKind::Delivered);
}
