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

use crate::sandbox::{Access, Layer, Layers, Place, Plan, SandboxMode};

type Applied = Result<(), Box<dyn Error>>;
type Step = fn(&Plan, &mut Vec<Place>) -> Applied;

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

/// Locks the process up as `plan` says. Gives the layers that hold, and what the rules about files are about.
pub(super) fn confine(plan: &Plan) -> Result<(Layers, Vec<Place>), NotConfined> {
    let mut layers = Layers::default();
    let mut places = Vec::new();
    // These two are among the first acts of every such process, which ends without them.
    layers.note(Layer::NoNewPrivs, None);
    layers.note(Layer::NotDumpable, None);
    if plan.mode == SandboxMode::Off {
        return Ok((layers, places));
    }
    for (layer, apply) in STEPS {
        let missing = if plan.left_out.contains(&layer) {
            Some("left out".to_owned())
        } else {
            apply(plan, &mut places).err().map(|error| error.to_string())
        };
        layers.note(layer, missing);
    }
    let missing =
        layers.missing().next().map(|(layer, reason)| NotConfined { layer, reason: reason.to_owned() });
    match missing {
        Some(missing) if plan.mode == SandboxMode::Required => Err(missing),
        _ => Ok((layers, places)),
    }
}

/// Gives the process the memory that it needs for threads on which deliveries block, if `layers` bound it.
pub(super) fn make_room_for_pool(layers: &Layers) -> io::Result<()> {
    if layers.active().any(|layer| layer == Layer::Limits) { limits::make_room_for_pool() } else { Ok(()) }
}

/// Makes the granted folders and files that are missing: no rule can be about what is not there. What cannot be made is left
/// to the plugin, which has words of its own for it.
pub(super) fn make_folders(plan: &Plan) {
    for folder in plan.folders.iter().filter(|folder| folder.access == Access::Write) {
        let make = if plan.files.contains(&folder.path) { make_file } else { make_folder };
        make(&folder.path).ok();
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

fn make_file(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent().filter(|_| !file.exists()) else { return Ok(()) };
    make_folder(folder)?;
    match File::create_new(file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(_) => File::open(folder)?.sync_all(),
    }
}

fn drop_capabilities(_: &Plan, _: &mut Vec<Place>) -> Applied {
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}
