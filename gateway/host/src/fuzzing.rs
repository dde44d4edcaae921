//! What strangers can feed to this crate, each as a function of bytes: for `fuzz/`, and for the test that goes through what
//! was found there. None of them may panic, whatever the bytes are.

use std::{fs::File, io::Write, path::Path, str};

use bytes::{Bytes, BytesMut};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::{
    inspect::inspect_open,
    manifest::Manifest,
    wire::{TO_CHILD_BYTES_MAX, TO_GATEWAY_BYTES_MAX, ToChild, ToGateway, take_frame},
};

/// What a plugin writes to the gateway's socket. A frame that can be read must be the same after it is written again.
///
/// # Panics
/// When it is not: that is what is looked for.
pub fn frames_to_gateway(bytes: &[u8]) {
    frames(bytes, TO_GATEWAY_BYTES_MAX, |frame| {
        if let Ok(read) = ToGateway::decode(frame) {
            let mut written = read.encode();
            let again = take_frame(&mut written, usize::MAX).ok().flatten().map(ToGateway::decode);
            assert_eq!(again, Some(Ok(read)));
        }
    });
}

/// What the gateway writes to a plugin's process.
pub fn frames_to_child(bytes: &[u8]) {
    frames(bytes, TO_CHILD_BYTES_MAX, |frame| drop(ToChild::decode(frame)));
}

fn frames(bytes: &[u8], bytes_max: usize, read: impl Fn(Bytes)) {
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(frame)) = take_frame(&mut buffer, bytes_max) {
        read(frame);
    }
}

/// The text of a manifest.
pub fn manifest(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        drop(Manifest::parse(text));
    }
}

/// A plugin's file, looked at without being loaded.
///
/// # Panics
/// When the file cannot be made.
pub fn library(bytes: &[u8]) {
    let mut file =
        File::from(memfd_create("library", MemfdFlags::CLOEXEC).expect("there is memory for a file"));
    file.write_all(bytes).expect("there is memory for a file");
    drop(inspect_open(file, Path::new("library")));
}

#[cfg(test)]
mod tests;
