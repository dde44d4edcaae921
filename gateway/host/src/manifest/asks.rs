//! What a plugin asks of the system.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{ManifestError, invalid};
use crate::sandbox::{Access, Folder, Network, plain_path};

const MIB: u64 = 1024 * 1024;

/// What a plugin asks of the system, as its manifest says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// Where it connects to.
    pub network: Network,
    /// The folders that it needs.
    pub folders: Vec<FolderAsk>,
    /// The memory that it needs for itself, in bytes.
    pub memory_bytes: Option<u64>,
    /// The threads that it needs.
    pub threads: Option<u32>,
}

/// A folder that a plugin needs, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderAsk {
    /// Which one.
    pub place: Place,
    /// What it does there.
    pub access: Access,
    /// It is a file, which is what is made of it when it is missing.
    pub file: bool,
}

/// Which folder a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The one that a setting names, given by the keys that lead to it: `{config.archive.root}`.
    Setting(Vec<String>),
    /// This one.
    Path(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(keys) => write!(f, "{{config.{}}}", keys.join(".")),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// What a plugin asks for once its settings are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) network: Network,
    /// Folders that the operator has named in the settings, and has granted by that.
    pub(crate) by_settings: Vec<Folder>,
    /// Folders that the manifest names.
    pub(crate) by_manifest: Vec<Folder>,
    /// Those of them all that are files.
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) threads: Option<u32>,
}

impl Asked {
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.by_settings.iter().chain(&self.by_manifest)
    }
}

impl Asks {
    /// What is asked for with these settings. A setting that is not there, or is no absolute path, asks for nothing.
    pub(crate) fn with(&self, config: &Value) -> Asked {
        let (mut by_settings, mut by_manifest, mut files) = (Vec::new(), Vec::new(), BTreeSet::new());
        for FolderAsk { place, access, file } in &self.folders {
            match place {
                Place::Path(path) => {
                    files.extend(file.then(|| path.clone()));
                    by_manifest.push(Folder { path: path.clone(), access: *access });
                }
                Place::Setting(keys) => {
                    let value = keys.iter().try_fold(config, |value, key| value.get(key));
                    let path = value.and_then(Value::as_str).and_then(|path| plain_path(Path::new(path)));
                    files.extend(path.clone().filter(|_| *file));
                    by_settings.extend(path.map(|path| Folder { path, access: *access }));
                }
            }
        }
        Asked {
            network: self.network.clone(),
            by_settings,
            by_manifest,
            files,
            memory_bytes: self.memory_bytes,
            threads: self.threads,
        }
    }

    pub(super) fn read(document: &Map<String, Value>) -> Result<Self, ManifestError> {
        let limit = |key: &str| document.get("limits").and_then(|limits| limits.get(key));
        let expected = "an object with the whole numbers \"memory_mb\" and \"threads\", both above 0";
        let number = |key: &str| match limit(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
                None | Some(0) => Err(invalid("limits", expected)),
                number => Ok(number),
            },
        };
        if document.get("limits").is_some_and(|limits| !limits.is_object()) {
            return Err(invalid("limits", expected));
        }
        Ok(Self {
            network: match document.get("network") {
                None => Network::none(),
                Some(value) => network(value)
                    .ok_or_else(|| invalid("network", "\"none\" or a list of \"host:port\""))?,
            },
            folders: match document.get("filesystem") {
                None => Vec::new(),
                Some(value) => folders(value).ok_or_else(|| {
                    invalid(
                        "filesystem",
                        "a list of { \"path\": an absolute path or \"{config.…}\", \"access\": \"read\" or \"write\" }",
                    )
                })?,
            },
            memory_bytes: number("memory_mb")?.map(|mib| u64::from(mib) * MIB),
            threads: number("threads")?,
        })
    }
}

fn network(value: &Value) -> Option<Network> {
    if value == "none" {
        return Some(Network::none());
    }
    let mut ports = BTreeSet::new();
    let mut any = false;
    for place in value.as_array()? {
        let (host, port) = place.as_str()?.rsplit_once(':')?;
        if host.is_empty() {
            return None;
        }
        if port == "*" {
            any = true;
        } else {
            ports.insert(port.parse().ok().filter(|port| *port != 0)?);
        }
    }
    Some(if any { Network::Any } else { Network::Ports(ports) })
}

fn folders(value: &Value) -> Option<Vec<FolderAsk>> {
    let folder = |value: &Value| {
        let access = match value.get("access")?.as_str()? {
            "read" => Access::Read,
            "write" => Access::Write,
            _ => return None,
        };
        let file = value.get("file").map_or(Some(false), Value::as_bool)?;
        Some(FolderAsk { place: place(value.get("path")?.as_str()?)?, access, file })
    };
    value.as_array()?.iter().map(folder).collect()
}

fn place(text: &str) -> Option<Place> {
    if let Some(keys) = text.strip_prefix("{config.").and_then(|text| text.strip_suffix('}')) {
        let keys: Vec<String> = keys.split('.').map(str::to_owned).collect();
        return keys.iter().all(|key| !key.is_empty()).then_some(Place::Setting(keys));
    }
    plain_path(Path::new(text)).map(Place::Path)
}

#[cfg(test)]
mod tests;
