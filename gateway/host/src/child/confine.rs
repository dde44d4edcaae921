//! How a process locks itself up, before it opens the library.
//!
//! What is put on here binds the thread that puts it on, and those that it starts from then on. So there must be no
//! other thread yet.

mod landlock;
mod limits;
mod seccomp;

use std::{
    error::Error,
    fs::{self, File},
    io,
    path::Path,
};

use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

use crate::sandbox::{Access, Layer, Layers, Plan, SandboxMode};

type Applied = Result<(), Box<dyn Error>>;
type Step = fn(&Plan) -> Applied;

/// In this order: limits may need rights that the next ones take, and after the last one nothing can be set up any more.
const STEPS: [(Layer, Step); 4] = [
    (Layer::Limits, limits::apply),
    (Layer::NoCapabilities, drop_capabilities),
    (Layer::Landlock, landlock::apply),
    (Layer::Seccomp, seccomp::apply),
];

/// A sandbox that must be there is not.
#[derive(Debug, thiserror::Error)]
#[error(
    "the sandbox lacks {}: {reason}. Set sandbox = \"best_effort\" to go without", layer.as_str()
)]
pub(super) struct NotConfined {
    layer: Layer,
    reason: String,
}

/// Locks the process up as `plan` says, and gives the layers that hold.
pub(super) fn confine(plan: &Plan) -> Result<Layers, NotConfined> {
    let mut layers = Layers::default();
    // These two are among the first acts of every such process, which ends without them.
    layers.note(Layer::NoNewPrivs, None);
    layers.note(Layer::NotDumpable, None);
    if plan.mode == SandboxMode::Off {
        return Ok(layers);
    }
    for (layer, apply) in STEPS {
        let missing = if plan.left_out.contains(&layer) {
            Some("left out".to_owned())
        } else {
            apply(plan).err().map(|error| error.to_string())
        };
        layers.note(layer, missing);
    }
    let missing =
        layers.missing().next().map(|(layer, reason)| NotConfined { layer, reason: reason.to_owned() });
    match missing {
        Some(missing) if plan.mode == SandboxMode::Required => Err(missing),
        _ => Ok(layers),
    }
}

/// Makes the granted folders that are missing: no rule can be about what is not there. What cannot be made is left to the
/// plugin, which has words of its own for it.
pub(super) fn make_folders(plan: &Plan) {
    for folder in plan.folders.iter().filter(|folder| folder.access == Access::Write) {
        make_folder(&folder.path).ok();
    }
}

/// Makes a folder and those above it, each on disk before the next: a plugin that finds its folder takes it for lasting.
fn make_folder(folder: &Path) -> io::Result<()> {
    let Some(parent) = folder.parent().filter(|_| !folder.is_dir()) else { return Ok(()) };
    make_folder(parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(parent)?.sync_all(),
    }
}

fn drop_capabilities(_: &Plan) -> Applied {
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}
