//! The header is the truth: what the C compiler makes of it must be what this crate says, today and in every minor.

extern crate std;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    format, fs,
    path::Path,
    process::{Command, Output},
    string::String,
};

use super::{CONSTANTS, PLACES, Place};

const HEADER_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../c");
const HEADER: &str = include_str!("../../../c/postroom_plugin.h");
/// A folder for each minor that was released, with the header of then and what [`dump`] gave.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
/// Structs without `struct_size`: they never grow.
const NEVER_GROW: [&str; 4] = ["postroom_str", "postroom_attr", "postroom_sink", "postroom_errbuf"];

#[test]
fn the_c_compiler_sees_the_same_layout() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("layout.c");
    let program = folder.path().join("layout");
    fs::write(&source, c_program()).unwrap();
    compile(&[&source], &program, &[]);
    let printed = succeeded(Command::new(&program).output().unwrap());
    assert_eq!(printed, dump());
}

#[test]
fn every_number_of_the_header_is_mirrored() {
    let in_header: BTreeSet<&str> = HEADER.lines().filter_map(number_defined_in).collect();
    let mirrored: BTreeSet<&str> = CONSTANTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(mirrored, in_header);
}

#[test]
fn the_layout_only_grows_at_the_end_of_structs() {
    let mut minors = 0;
    for minor in fs::read_dir(GOLDEN).unwrap() {
        check_grown(&fs::read_to_string(minor.unwrap().path().join("layout")).unwrap());
        minors += 1;
    }
    assert!(minors > 0);
}

/// Whoever was compiled with this layout finds everything where it was.
#[track_caller]
fn check_grown(frozen: &str) {
    let dump = dump();
    let now = by_name(&dump);
    let frozen = by_name(frozen);
    for (name, was) in &frozen {
        let is = now.get(name).unwrap_or_else(|| panic!("{name} is gone"));
        if *name == "POSTROOM_ABI_MINOR" {
            assert!(size(is) >= size(was), "the minor went back from {was} to {is}");
            continue;
        }
        let may_grow = PLACES.iter().any(|place| place.of == *name) && !NEVER_GROW.contains(name);
        if may_grow {
            assert!(size(is) >= size(was), "{name} has shrunk from {was} to {is}");
        } else {
            assert_eq!(is, was, "{name} has changed");
        }
    }
    for place in PLACES {
        let is_new = !frozen.contains_key(name_of(place).as_str());
        if let Some(size_then) = frozen.get(place.of).filter(|_| is_new) {
            assert!(place.offset >= size(size_then), "{} was not appended", name_of(place));
        }
    }
}

#[test]
fn the_examples_in_c_compile_as_plugins() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["hello", "actions"] {
        let library = folder.path().join(format!("libpostroom_plugin_{name}.so"));
        let source = Path::new(HEADER_FOLDER).join(format!("examples/{name}.c"));
        compile(&[&source], &library, &["-shared", "-fPIC", "-fvisibility=hidden"]);
        let file = fs::read(&library).unwrap();
        for symbol in [crate::MANIFEST_SYMBOL, crate::ENTRY_SYMBOL] {
            assert!(
                file.windows(symbol.len()).any(|bytes| bytes == symbol.as_bytes()),
                "{symbol} is not exported"
            );
        }
    }
}

/// Compiles against the header with every warning as an error. `CC` names another compiler.
#[track_caller]
fn compile(sources: &[&Path], output: &Path, more: &[&str]) {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let run = Command::new(compiler)
        .args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I", HEADER_FOLDER])
        .args(more)
        .args(sources)
        .arg("-o")
        .arg(output)
        .output();
    succeeded(run.expect("a C compiler is there"));
}

#[track_caller]
fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A C program that prints what [`dump`] gives.
fn c_program() -> String {
    let mut c = String::from("#include <inttypes.h>\n#include <stdio.h>\n#include \"postroom_plugin.h\"\n");
    c.push_str("int main(void) {\n");
    for place in PLACES {
        let Place { of, member, .. } = place;
        if member.is_empty() {
            writeln!(c, "printf(\"{of} %zu\\n\", sizeof({of}));").unwrap();
        } else {
            writeln!(
                c,
                "printf(\"{of}.{member} %zu %zu\\n\", offsetof({of}, {member}), sizeof((({of} *)0)->{member}));"
            )
            .unwrap();
        }
    }
    for (name, value) in CONSTANTS {
        let (format, cast) = if *value < 0 { ("PRId64", "int64_t") } else { ("PRIu64", "uint64_t") };
        writeln!(c, "printf(\"{name} %\" {format} \"\\n\", ({cast})({name}));").unwrap();
    }
    c.push_str("return 0;\n}\n");
    c
}

/// One line per struct (`name size`), member (`struct.member offset size`) and constant (`name value`).
fn dump() -> String {
    let mut dump = String::new();
    for place in PLACES {
        let Place { of, member, offset, size } = place;
        if member.is_empty() {
            writeln!(dump, "{of} {size}").unwrap();
        } else {
            writeln!(dump, "{of}.{member} {offset} {size}").unwrap();
        }
    }
    for (name, value) in CONSTANTS {
        writeln!(dump, "{name} {value}").unwrap();
    }
    dump
}

fn by_name(dump: &str) -> BTreeMap<&str, &str> {
    dump.lines().filter_map(|line| line.split_once(' ')).collect()
}

fn name_of(place: &Place) -> String {
    if place.member.is_empty() { place.of.into() } else { format!("{}.{}", place.of, place.member) }
}

#[track_caller]
fn size(text: &str) -> usize {
    text.parse().expect("a struct's line ends with its size")
}

/// The name a line of the header gives to a number; macros that are no numbers do not count.
fn number_defined_in(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("#define ")?.split_whitespace();
    let (name, value) = (words.next()?, words.next()?);
    let digits = value.trim_start_matches(['(', '-']);
    (digits.starts_with(|c: char| c.is_ascii_digit()) || digits == "UINT64_MAX").then_some(name)
}
