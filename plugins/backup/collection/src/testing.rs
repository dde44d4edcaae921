//! Collections to test with: small ones of every shape, those that `POSTROOM_CORPUS` names, and random ones.

mod edits;
mod generate;
mod hostile;

use std::{env, fs, path::Path};

pub(crate) use self::{
    edits::{edited, edits, with_other_ids},
    generate::collections,
};

pub(crate) const BACKUP: &[u8] = include_bytes!("../data/backup_v2_0.json");
/// Half a surrogate pair, which is in that backup, and which `serde_json` reads in no string.
pub(crate) const HALF: &str = "😀\\ud83d";
pub(crate) const WRAPPED: &[u8] = include_bytes!("../data/wrapped_v2_1.json");
pub(crate) const V1: &[u8] = include_bytes!("../data/v1.json");
pub(crate) const NO_INFO: &[u8] = include_bytes!("../data/no_info.json");
pub(crate) const BYTE_ORDER_MARK: &[u8] = include_bytes!("../data/byte_order_mark.json");

/// One collection in formats v2.0 and v2.1.
const HELPERS: [&[u8]; 2] =
    [include_bytes!("../data/helpers_v2_0.json"), include_bytes!("../data/helpers_v2_1.json")];

/// The small ones and those of the corpus, with their names.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    let small = [
        ("backup", BACKUP),
        ("wrapped", WRAPPED),
        ("v1", V1),
        ("no info", NO_INFO),
        ("byte order mark", BYTE_ORDER_MARK),
        ("v2.0.0-helpers", HELPERS[0]),
        ("v2.1.0-helpers", HELPERS[1]),
        ("empty", b"{}"),
    ];
    let mut all: Vec<_> = small.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).into();
    if let Some(folder) = env::var_os("POSTROOM_CORPUS") {
        let files = fs::read_dir(Path::new(&folder).join("collections")).unwrap();
        let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "the corpus is empty");
        all.extend(paths.into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap())));
    }
    all
}
