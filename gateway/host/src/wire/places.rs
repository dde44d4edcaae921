//! What the rules of a process are about, in frames.

use super::{
    WireError,
    bytes_of::{Reader, Writer},
};
use crate::sandbox::{Access, FileId, Place};

pub(super) fn write_places(writer: Writer, places: &[Place]) -> Writer {
    let count = u32::try_from(places.len()).expect("a manifest and a configuration name few folders");
    places.iter().fold(writer.u32(count), |writer, Place { path, access, id }| {
        let path = path.to_str().expect("the configuration and manifests are UTF-8, so paths are too");
        let writer = writer.text(path).flag(*access == Access::Write).flag(id.is_some());
        id.iter().fold(writer, |writer, FileId { device, inode }| writer.u64(*device).u64(*inode))
    })
}

pub(super) fn read_place(reader: &mut Reader) -> Result<Place, WireError> {
    let path = reader.text()?.into();
    let access = if reader.flag()? { Access::Write } else { Access::Read };
    let id = if reader.flag()? { Some(FileId { device: reader.u64()?, inode: reader.u64()? }) } else { None };
    Ok(Place { path, access, id })
}
