//! Closes files and TCP ports: what has no rule here cannot be opened any more.
//!
//! The rules are about opening. Descriptors that are open stay open, and metadata can be read everywhere.

use std::{error::Error, fs::File, os::fd::AsFd, path::Path};

use ::landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::Applied;
use crate::sandbox::{Access, FileId, Network, Place, Plan, is_of_kernel};

/// What is asked of the kernel; a newer one may know more.
const KNOWN: ABI = ABI::V6;

/// What a library needs to be loaded and to run.
const FOR_ALL: [&str; 10] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/urandom",
];

/// What it takes to find a host by its name, and to know it by its certificate. Not the folders above these: private
/// keys lie beside certificates.
const FOR_NETWORK: [&str; 22] = [
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/ca-trust",
    "/etc/crypto-policies",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];

/// Where the answers of name servers come from that do not fit into a datagram.
const DNS_PORT: u16 = 53;

/// Adds to `places` those that a change of is worth a start for; what libraries need is not replaced but written to.
pub(super) fn apply(plan: &Plan, places: &mut Vec<Place>) -> Applied {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(KNOWN))?;
    if plan.network != Network::Any {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    let mut ruleset = ruleset.create()?;
    for path in FOR_ALL {
        (ruleset, _) = open(ruleset, path.as_ref(), Access::Read)?;
    }
    let for_network = if plan.network.is_none() { &[][..] } else { &FOR_NETWORK };
    let for_network = for_network.iter().map(|path| (Path::new(path), Access::Read));
    for (path, access) in for_network.chain(plan.folders.iter().map(|folder| (&*folder.path, folder.access)))
    {
        let id;
        (ruleset, id) = open(ruleset, path, access)?;
        places.push(Place { path: path.to_owned(), access, id });
    }
    if let Network::Ports(ports) = &plan.network
        && !ports.is_empty()
    {
        for port in ports.iter().copied().chain([DNS_PORT]) {
            ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
        }
    }
    match ruleset.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => Err("this kernel knows a part of it only, which holds".into()),
        RulesetStatus::NotEnforced => Err("this kernel does not have it, or it is turned off".into()),
    }
}

/// Adds a rule that opens `path` with all that is in it, if it is there. Gives what it is about.
fn open(
    ruleset: RulesetCreated,
    path: &Path,
    access: Access,
) -> Result<(RulesetCreated, Option<FileId>), Box<dyn Error>> {
    let Ok(opened) = PathFd::new(path) else { return Ok((ruleset, None)) };
    // The gateway has refused such a path. It may have become another since.
    if is_of_kernel(&opened) {
        return Ok((ruleset, None));
    }
    let metadata = File::from(opened.as_fd().try_clone_to_owned()?).metadata()?;
    let rights = rights(access);
    let rights = if metadata.is_dir() { rights } else { rights & AccessFs::from_file(KNOWN) };
    Ok((ruleset.add_rule(PathBeneath::new(opened, rights))?, Some(FileId::of(&metadata))))
}

/// Never the right to run a file, nor to make a device, a socket or a link to elsewhere.
fn rights(access: Access) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match access {
        Access::Read => read,
        Access::Write => {
            read | AccessFs::WriteFile
                | AccessFs::Truncate
                | AccessFs::MakeReg
                | AccessFs::MakeDir
                | AccessFs::RemoveFile
                | AccessFs::RemoveDir
                | AccessFs::Refer
        }
    }
}
