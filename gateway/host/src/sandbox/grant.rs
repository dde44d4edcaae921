//! What a configuration grants a plugin, and what that leaves of what the plugin asks for.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::manifest::Asked;

/// Granted to a plugin whose destination says nothing of memory.
const MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// Granted to a plugin whose destination says nothing of threads. Plugins look up names of hosts on threads of their own.
const THREADS: u32 = 256;

/// Where a process may connect to. The system tells ports apart, and not hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// TCP ports; without one there are no sockets at all.
    Ports(BTreeSet<u16>),
    /// Every port.
    Any,
}

impl Network {
    /// Nowhere.
    #[must_use]
    pub const fn none() -> Self {
        Self::Ports(BTreeSet::new())
    }

    /// Whether it is nowhere.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Ports(ports) if ports.is_empty())
    }

    fn within(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Ports(ours), Self::Ports(theirs)) => Self::Ports(ours & theirs),
            (Self::Ports(ports), Self::Any) | (Self::Any, Self::Ports(ports)) => Self::Ports(ports.clone()),
            (Self::Any, Self::Any) => Self::Any,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("every TCP port"),
            Self::Ports(ports) if ports.is_empty() => f.write_str("no network"),
            Self::Ports(ports) => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                write!(f, "TCP port {}", ports.join(", "))
            }
        }
    }
}

/// What may be done in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read and list.
    Read,
    /// Also write, make, rename and remove.
    Write,
}

impl Access {
    /// The word for it in manifests and the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A folder with all that is in it, or one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Where it is, an absolute path.
    pub path: PathBuf,
    /// What may be done there.
    pub access: Access,
}

impl Folder {
    /// What both allow: the inner one of the two, with the lesser access.
    fn within(&self, other: &Self) -> Option<Self> {
        let path = if self.path.starts_with(&other.path) {
            &self.path
        } else if other.path.starts_with(&self.path) {
            &other.path
        } else {
            return None;
        };
        Some(Self { path: path.clone(), access: self.access.min(other.access) })
    }

    fn covers(&self, other: &Self) -> bool {
        other.path.starts_with(&self.path) && self.access >= other.access
    }
}

/// What a plugin may have of what it asks for. What is `None` follows the rule that its field names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// Where it may connect to; as it asks when this is `None`.
    pub network: Option<Network>,
    /// Where it may read and write; the folders that its settings name when this is `None`.
    pub folders: Option<Vec<Folder>>,
    /// Most memory that it may take for itself, in bytes; 512 MiB when this is `None`.
    pub memory_bytes: Option<u64>,
    /// Most threads beside those that the gateway calls it on; 256 when this is `None`.
    pub threads: Option<u32>,
}

impl Grant {
    pub(super) fn network(&self, asked: &Asked) -> Network {
        self.network.as_ref().map_or_else(|| asked.network.clone(), |granted| asked.network.within(granted))
    }

    pub(super) fn folders(&self, asked: &Asked) -> Vec<Folder> {
        match &self.folders {
            None => asked.by_settings.clone(),
            Some(granted) => asked
                .folders()
                .flat_map(|asked| granted.iter().filter_map(|granted| asked.within(granted)))
                .collect(),
        }
    }

    pub(super) fn memory_bytes(&self, asked: &Asked) -> u64 {
        let granted = self.memory_bytes.unwrap_or(MEMORY_BYTES);
        asked.memory_bytes.map_or(granted, |asked| asked.min(granted))
    }

    pub(super) fn threads(&self, asked: &Asked) -> u32 {
        let granted = self.threads.unwrap_or(THREADS);
        asked.threads.map_or(granted, |asked| asked.min(granted))
    }

    /// What is asked for and not granted.
    pub(super) fn refusals(&self, asked: &Asked) -> Vec<String> {
        let mut refusals = Vec::new();
        let network = self.network(asked);
        if network != asked.network {
            refusals.push(format!("asks for {} and gets {network}", asked.network));
        }
        let folders = self.folders(asked);
        for folder in asked.folders() {
            if !folders.iter().any(|granted| granted.covers(folder)) {
                let (access, path) = (folder.access.as_str(), folder.path.display());
                refusals.push(format!("asks to {access} {path}, which is not granted"));
            }
        }
        let memory_bytes = self.memory_bytes(asked);
        if let Some(bytes) = asked.memory_bytes.filter(|bytes| *bytes > memory_bytes) {
            let mib = |bytes: u64| bytes / (1024 * 1024);
            refusals.push(format!("asks for {} MiB of memory and gets {}", mib(bytes), mib(memory_bytes)));
        }
        let threads = self.threads(asked);
        if let Some(asked) = asked.threads.filter(|asked| *asked > threads) {
            refusals.push(format!("asks for {asked} threads and gets {threads}"));
        }
        refusals
    }
}

/// An absolute path without `.` and `..`, so that one can be seen to lie in another; `None` for a relative path.
///
/// Where a link stands before a `..`, this is another place than the system would find. Then it is the plugin that is
/// refused, and not a folder that is opened.
#[must_use]
pub fn plain_path(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    path.is_absolute().then_some(plain)
}
