//! What is left of what a plugin asks for. The rules that follow from it are tried on a hostile plugin, in `process`.

use serde_json::{Value, json};

use super::{Access, Folder, Grant, Layer, Layers, Network, Plan, Sandbox, SandboxMode};
use crate::manifest::Manifest;

fn asking(asks: &Value) -> Manifest {
    let mut manifest = json!({
        "manifest": 1, "id": "x", "name": "X", "version": "1.0.0", "abi": "1.0", "kinds": ["*"],
    });
    manifest.as_object_mut().unwrap().extend(asks.as_object().unwrap().clone());
    Manifest::parse(&manifest.to_string()).unwrap()
}

fn all() -> Manifest {
    asking(&json!({
        "network": ["a.example:443", "*:25"],
        "filesystem": [
            { "path": "{config.archive.root}", "access": "write" },
            { "path": "/usr/share/fonts", "access": "read" },
        ],
        "limits": { "memory_mb": 1024, "threads": 500 },
    }))
}

fn config() -> Value {
    json!({ "archive": { "root": "/srv/x/../backups" } })
}

fn plan(grant: Grant, manifest: &Manifest) -> Plan {
    Plan::new(&Sandbox { mode: SandboxMode::Required, grant, own: Vec::new() }, manifest, &config(), 8)
}

fn folder(path: &str, access: Access) -> Folder {
    Folder { path: path.into(), access }
}

fn ports<const N: usize>(ports: [u16; N]) -> Network {
    Network::Ports(ports.into())
}

#[test]
fn who_asks_for_nothing_gets_no_network_no_folder_and_the_usual_bounds() {
    let plan = plan(Grant::default(), &asking(&json!({})));
    assert!(plan.network.is_none() && plan.folders.is_empty());
    assert_eq!((plan.memory_bytes, plan.threads), (512 << 20, 268));
}

#[test]
fn without_a_grant_the_network_is_as_asked_and_folders_are_those_of_the_settings() {
    let plan = plan(Grant::default(), &all());
    assert_eq!(plan.network, ports([25, 443]));
    assert_eq!(plan.folders, [folder("/srv/backups", Access::Write)]);
    assert_eq!((plan.memory_bytes, plan.threads), (512 << 20, 268));
}

#[test]
fn a_grant_opens_nothing_that_is_not_asked_for() {
    let grant = Grant {
        network: Some(ports([443, 80])),
        folders: Some(vec![folder("/usr/share", Access::Write), folder("/srv/backups/new", Access::Write)]),
        memory_bytes: Some(2 << 30),
        threads: Some(1000),
    };
    let plan = plan(grant, &all());
    assert_eq!(plan.network, ports([443]));
    assert_eq!(
        plan.folders,
        [folder("/srv/backups/new", Access::Write), folder("/usr/share/fonts", Access::Read)]
    );
    assert_eq!((plan.memory_bytes, plan.threads), (1 << 30, 512));
}

#[test]
fn every_port_is_asked_for_or_granted_by_a_star() {
    let any = asking(&json!({ "network": ["*:*", "a.example:443"] }));
    assert_eq!(plan(Grant::default(), &any).network, Network::Any);
    let grant = |network| Grant { network: Some(network), ..Grant::default() };
    assert_eq!(plan(grant(ports([443])), &any).network, ports([443]));
    assert_eq!(plan(grant(Network::Any), &all()).network, ports([25, 443]));
    assert!(plan(grant(Network::none()), &any).network.is_none());
}

#[test]
fn what_is_refused_is_said() {
    let refusals =
        |grant, manifest: &Manifest| Sandbox { grant, ..Sandbox::default() }.refusals(manifest, &config());
    assert_eq!(
        refusals(Grant::default(), &all()),
        [
            "asks to read /usr/share/fonts, which is not granted",
            "asks for 1024 MiB of memory and gets 512",
            "asks for 500 threads and gets 256",
        ]
    );
    let narrow = Grant {
        network: Some(ports([443])),
        folders: Some(vec![folder("/srv", Access::Read), folder("/usr", Access::Read)]),
        memory_bytes: Some(1 << 30),
        threads: Some(500),
    };
    assert_eq!(
        refusals(narrow, &all()),
        [
            "asks for TCP port 25, 443 and gets TCP port 443",
            "asks to write /srv/backups, which is not granted"
        ]
    );
    assert!(refusals(Grant::default(), &asking(&json!({}))).is_empty());
    let off = Sandbox { mode: SandboxMode::Off, ..Sandbox::default() };
    assert!(off.refusals(&all(), &config()).is_empty());
}

#[test]
fn layers_are_told_in_one_line() {
    let mut layers = Layers::default();
    layers.note(Layer::NoNewPrivs, None);
    layers.note(Layer::Landlock, Some("turned off".to_owned()));
    layers.note(Layer::Seccomp, None);
    assert_eq!(layers.to_string(), "no_new_privs seccomp, without landlock: turned off");
}
