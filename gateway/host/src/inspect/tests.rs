use std::{cell::Cell, fs, fs::File, io::Seek, path::Path};

use object::{ReadCache, ReadRef};

use super::{Bounded, InspectError, inspect};
use crate::{
    manifest::ManifestError,
    testing::{PLUGIN, compile, manifest, source_with_manifest},
};

const LIBRARY: &[&str] = &["-shared", "-fPIC"];

#[track_caller]
fn check_fault(source: &str, arguments: &[&str], expected: &str) {
    let message = inspect(&compile(source, arguments).path).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

/// A good plugin file whose bytes were changed.
#[track_caller]
fn check_changed(change: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libchanged.so");
    let mut bytes = fs::read(&PLUGIN.path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let message = inspect(&path).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_plugin_is_known_by_its_manifest() {
    let plugin = inspect(&PLUGIN.path).unwrap();
    assert_eq!((plugin.manifest.id.as_str(), plugin.manifest.version.as_str()), ("scripted", "1.0.0"));
    assert_eq!(plugin.path, PLUGIN.path);
    assert_eq!(plugin.size, fs::metadata(&PLUGIN.path).unwrap().len());
}

#[test]
fn no_code_of_the_file_runs() {
    let source = source_with_manifest(&manifest("rude", "1.0.0"))
        + "#include <stdlib.h>\n__attribute__((constructor)) static void loaded(void) { abort(); }";
    assert_eq!(inspect(&compile(&source, LIBRARY).path).unwrap().manifest.id, "rude");
}

#[test]
fn a_foreign_library_is_not_a_plugin() {
    let library =
        compile("__attribute__((visibility(\"default\"))) int answer(void) { return 42; }", LIBRARY);
    assert!(matches!(inspect(&library.path), Err(InspectError::NotAPlugin)));
}

#[test]
fn files_that_are_no_libraries_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libtext.so");
    fs::write(&text, "INPUT(libc.so)").unwrap();
    assert!(matches!(inspect(&text), Err(InspectError::NotElf { .. })));
    fs::write(&text, "").unwrap();
    assert!(matches!(inspect(&text), Err(InspectError::NotElf { .. })));
    assert!(matches!(inspect(folder.path()), Err(InspectError::NotAFile { .. })));
    assert!(matches!(inspect(Path::new("/dev/null")), Err(InspectError::NotAFile { .. })));
    assert!(matches!(inspect(&folder.path().join("gone")), Err(InspectError::Io { .. })));
}

#[test]
fn libraries_that_cannot_or_must_not_be_loaded_are_refused() {
    let good = source_with_manifest(&manifest("x", "1.0.0"));
    let main = format!("{good}\nint main(void) {{ return 0; }}");
    check_fault(&main, &["-fPIE", "-pie", "-rdynamic"], "an executable");
    check_fault(&good, &["-shared", "-fPIC", "-z", "execstack"], "an executable stack");
    let relocated = format!("{good}\n__asm__(\".text\\n.quad postroom_manifest_v1\\n\");");
    check_fault(&relocated, &["-shared", "-fPIC", "-z", "notext"], "text relocations");
    let no_entry = good.replace("postroom_plugin_entry_v1", "postroom_plugin_entry_v2");
    check_fault(
        &no_entry.replace("#include", "#define postroom_plugin_entry_v2 other\n#include"),
        LIBRARY,
        "no function postroom_plugin_entry_v1",
    );
}

#[test]
fn other_machines_and_cut_files_are_refused() {
    check_changed(|bytes| bytes[4] = 1, "not a readable 64-bit");
    check_changed(|bytes| bytes[5] = 2, "not a readable 64-bit");
    check_changed(|bytes| bytes[18] = 2, "another processor (ELF machine 2)");
    check_changed(|bytes| bytes.truncate(bytes.len() / 2), "not a readable 64-bit");
    check_changed(|bytes| bytes.truncate(100), "not a readable 64-bit");
}

#[test]
fn faulty_manifests_are_refused() {
    check_fault(&source_with_manifest("{"), LIBRARY, "is not JSON");
    check_fault(&source_with_manifest("\\377"), LIBRARY, "is not UTF-8");
    let empty = source_with_manifest("")
        .replace("[] POSTROOM_MANIFEST = \"\"", "[300000] POSTROOM_MANIFEST = \"{}\"");
    check_fault(&empty, LIBRARY, "has 300000 bytes");
    let zeroed = "#define PUBLIC __attribute__((visibility(\"default\")))\n\
        PUBLIC char postroom_manifest_v1[64];\nPUBLIC int postroom_plugin_entry_v1(void) { return 0; }";
    check_fault(zeroed, LIBRARY, "not in the file's data");
    let other_abi = manifest("x", "1.0.0").replace("\"1.0\"", "\"2.0\"");
    let library = compile(&source_with_manifest(&other_abi), LIBRARY);
    let refused = inspect(&library.path);
    assert!(matches!(refused, Err(InspectError::Manifest(ManifestError::OtherAbi { .. }))), "{refused:?}");
}

#[test]
fn a_name_without_an_end_costs_no_more_than_the_budget() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(1 << 20).unwrap();
    let (cache, left) = (ReadCache::new(File::open(&file).unwrap()), Cell::new(100));
    let data = Bounded { cache: &cache, left: &left };
    assert_eq!(data.read_bytes_at_until(0..1 << 20, b'x'), Err(()));
    let read = cache.into_inner().stream_position().unwrap();
    assert!(read <= 100, "{read}");
}
