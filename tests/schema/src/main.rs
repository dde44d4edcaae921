//! Checks collections against Postman's JSON Schema of format v2.1.0, which a package of crates has in it.

use std::{env, error::Error, fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

/// The package, and where it has the schema.
const PACKAGE: &str = "postman_collection";
const SCHEMA: &str = "tests/fixtures/schema/postman-collection-v2.1.0.json";

/// What Postman's own exports have and this edition of its schema does not: an authorization that came later, and the list of
/// files in a form. Where each is in the schema, and what it takes too.
const LATER: [(&str, &str); 4] = [
    ("/definitions/auth/properties/type/enum", "edgegrid"),
    ("/definitions/auth/properties/type/enum", "jwt"),
    ("/definitions/auth/properties/type/enum", "asap"),
    (
        "/definitions/request/oneOf/0/properties/body/oneOf/0/properties/formdata/items/oneOf/1/properties/src/type",
        "array",
    ),
];

type Fault = Box<dyn Error>;

fn main() -> Result<(), Fault> {
    let folder = env::args().nth(1).ok_or("which folder? cargo xtask collection-schema knows")?;
    let published = published()?;
    let mut taken = published.clone();
    for (pointer, later) in LATER {
        let list = taken.pointer_mut(pointer).and_then(Value::as_array_mut);
        list.ok_or_else(|| format!("the schema has no list at {pointer}"))?.push(json!(later));
    }
    let (published, taken) = (jsonschema::validator_for(&published)?, jsonschema::validator_for(&taken)?);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|file| Ok(file?.path())).collect::<Result<_, Fault>>()?;
    files.sort();
    if files.is_empty() {
        return Err(format!("there is nothing in {folder}").into());
    }
    let (mut as_published, mut faults) = (0, 0);
    for file in &files {
        let collection: Value = serde_json::from_slice(&fs::read(file)?)?;
        as_published += usize::from(published.is_valid(&collection));
        for fault in taken.iter_errors(&collection) {
            faults += 1;
            let text: String = fault.to_string().chars().take(300).collect();
            println!("{}: {}: {text}", file.display(), fault.instance_path());
        }
    }
    let all = files.len();
    println!(
        "{as_published} of {all} collections pass the schema as it was published, the others with what came later"
    );
    if faults == 0 { Ok(()) } else { Err(format!("{faults} faults in {all} collections").into()) }
}

/// The schema, whose parts name themselves by fragments; these are left out, because nothing refers to them.
fn published() -> Result<Value, Fault> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path", manifest])
        .output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into_owned().into());
    }
    let metadata: Value = serde_json::from_slice(&said.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == PACKAGE).ok_or("the package is not there")?;
    let manifest = PathBuf::from(package["manifest_path"].as_str().ok_or("the package has no manifest")?);
    let mut schema = serde_json::from_slice(&fs::read(manifest.with_file_name(SCHEMA))?)?;
    without_fragments(&mut schema);
    Ok(schema)
}

fn without_fragments(part: &mut Value) {
    match part {
        Value::Object(members) => {
            if members.get("$id").and_then(Value::as_str).is_some_and(|id| id.starts_with('#')) {
                members.remove("$id");
            }
            members.values_mut().for_each(without_fragments);
        }
        Value::Array(list) => list.iter_mut().for_each(without_fragments),
        _ => {}
    }
}
