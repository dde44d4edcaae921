use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults;
use crate::{SecretOrText, schema::of};

#[track_caller]
fn check<C: JsonSchema>(filesystem: &Value, expected: &[&str]) {
    let schema = of::<C>("X");
    let found = faults(&schema, &json!({ "filesystem": filesystem }));
    assert_eq!(found.len(), expected.len(), "{found:#?}\n{schema:#}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found}\nlacks {expected:?}");
    }
}

#[test]
fn secrets_stand_where_the_gateway_looks() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Good {
        token: SecretOrText,
        headers: BTreeMap<String, SecretOrText>,
        list: Vec<SecretOrText>,
        spare: Option<Vec<BTreeMap<String, SecretOrText>>>,
    }
    check::<Good>(&json!([]), &[]);
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Tree {
    token: Option<SecretOrText>,
    below: Vec<Tree>,
}

#[test]
fn a_secret_elsewhere_is_a_fault() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Tuples {
        headers: Vec<(String, SecretOrText)>,
    }
    check::<Tuples>(&json!([]), &["/headers/0: a secret or a path stands below `prefixItems`"]);

    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Numbers {
        by_number: BTreeMap<u32, SecretOrText>,
    }
    check::<Numbers>(&json!([]), &["/by_number: a secret or a path stands below `patternProperties`"]);

    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Recursive {
        tree: Tree,
    }
    check::<Recursive>(&json!([]), &["the settings: a secret or a path stands below `$defs`"]);
    check::<Tree>(&json!([]), &["/below/0: a secret or a path stands below `$ref`"]);
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Plain {
    name: String,
    below: Vec<Plain>,
}

#[test]
fn without_a_secret_every_type_will_do() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct All {
        pairs: Vec<(String, u16)>,
        by_number: BTreeMap<u32, String>,
        tree: Plain,
    }
    check::<All>(&json!([]), &[]);
    check::<Plain>(&json!([]), &[]);
}

#[test]
fn a_folder_that_a_setting_names_is_one_that_can_be_granted() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Folders {
        #[schemars(extend("format" = "path"))]
        root: PathBuf,
        #[schemars(extend("format" = "path"))]
        spare: Option<PathBuf>,
        text: PathBuf,
        #[serde(default = "somewhere")]
        #[schemars(extend("format" = "path"))]
        kept: PathBuf,
        archive: Archive,
    }
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Archive {
        #[schemars(extend("format" = "path"))]
        root: PathBuf,
    }
    fn somewhere() -> PathBuf {
        "/somewhere".into()
    }
    let asks = |path: &str| json!([{ "path": path, "access": "write" }]);
    for good in ["/etc/x", "{config.root}", "{config.spare}", "{config.archive.root}"] {
        check::<Folders>(&asks(good), &[]);
    }
    check::<Folders>(&asks("{config.text}"), &["is no path for the gateway"]);
    check::<Folders>(&asks("{config.kept}"), &["has a default"]);
    check::<Folders>(&asks("{config.roof}"), &["there is no such setting"]);
}
