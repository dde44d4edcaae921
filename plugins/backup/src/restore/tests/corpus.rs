use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::collection::{convert_to_v2_1, scan, to_value};

/// Every collection, small ones of our own and those of `POSTROOM_CORPUS`, goes into Postman as a new one and over itself. What
/// Postman got lies in the folder `POSTROOM_RESTORED` then, if that is set: `cargo xtask collection-schema` looks at it.
#[tokio::test(start_paused = true)]
async fn every_collection_can_be_restored() {
    let mut collections: Vec<(String, Bytes)> = Vec::new();
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/collections"));
    let corpus = env::var_os("POSTROOM_CORPUS").map(|corpus| PathBuf::from(corpus).join("collections"));
    for folder in [Some(own), corpus].into_iter().flatten() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            collections.push((path.display().to_string(), fs::read(&path).unwrap().into()));
        }
    }
    assert!(!collections.is_empty());
    let scene = Scene::new();
    let mut refused = Vec::new();
    for (path, bytes) in collections {
        let mut converted = convert_to_v2_1(to_value(&bytes).unwrap()).unwrap();
        converted["info"]["schema"] = json!(SCHEMA);
        lone_scripts(&mut converted);
        let restored = match scene.restore_bytes(bytes.clone(), new()).await {
            Ok(restored) => restored,
            Err(error) => {
                refused.push(format!("{path}: {error}"));
                continue;
            }
        };
        let made = scene.double.collection(restored.uid.as_ref().unwrap()).unwrap();
        assert!(same(&made, &converted), "{path}: what was made says something else");

        let Some(id) = scan(&bytes).unwrap().summary.id.filter(|id| id.len() == 36) else { continue };
        let uid = scene.double.put(&id, "team", &converted);
        let rehearsed = scene.postman.rehearse(&session(TIME), bytes.clone(), &over()).await.unwrap();
        assert_eq!(rehearsed.difference.unwrap().summary(), "no changes", "{path}");
        let restored = scene.restore_bytes(bytes, over()).await;
        let restored = restored.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!((restored.keeps_ids, restored.is_done), (true, true), "{path}");
        assert!(same(&scene.double.collection(&uid).unwrap(), &converted), "{path}");
    }
    assert!(refused.is_empty(), "{refused:#?}");
    if let Some(folder) = env::var_os("POSTROOM_RESTORED") {
        write(&scene, &PathBuf::from(folder));
    }
}

fn write(scene: &Scene, folder: &Path) {
    let requests = scene.double.requests().into_iter().filter(|request| !request.body.is_empty());
    for (number, request) in requests.enumerate() {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let file = folder.join(format!("{number:03}-{}.json", request.method.to_lowercase()));
        fs::write(file, body["collection"].to_string()).unwrap();
    }
}

/// Whether both say the same, apart from ids.
fn same(a: &Value, b: &Value) -> bool {
    let canonical = |value: &Value| scan(value.to_string().as_bytes()).unwrap().canonical;
    canonical(a) == canonical(b)
}

/// One file has a script alone in some places, where a list should be.
fn lone_scripts(item: &mut Value) {
    if item["event"].is_object() {
        item["event"] = json!([item["event"].take()]);
    }
    item.get_mut("item").and_then(Value::as_array_mut).into_iter().flatten().for_each(lone_scripts);
}
