use super::*;

#[tokio::test(start_paused = true)]
async fn a_backup_becomes_a_collection_of_today_without_ids() {
    let scene = Scene::new();
    let restored = scene.restore(&backup("List"), new()).await.unwrap();
    let uid = restored.uid.unwrap();
    assert_eq!((restored.is_done, restored.keeps_ids, restored.name.as_str()), (true, false, "Shop"));
    assert_eq!(restored.notes, ["converted from v2.0 to v2.1, the format that Postman's API takes"]);
    let made = scene.double.collection(&uid).unwrap();
    assert_eq!(made["auth"]["apikey"][0]["key"], "key");
    assert_eq!(made["item"][0]["item"][0]["name"], "List");
    assert_eq!(made["variable"], json!([{ "key": "token", "value": "1" }]));
    assert_eq!(scene.double.in_workspace("team"), [uid]);
    assert_eq!(scene.double.asked(), ["GET /collections", "POST /collections"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_not_taken_for_the_new_one() {
    let scene = Scene::new();
    let old = scene.double.put(ID, "team", &shop("List"));
    let restored = scene.restore(&shop("List"), new()).await.unwrap();
    assert_ne!(restored.uid.as_ref(), Some(&old));
    assert_eq!(scene.double.in_workspace("team").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_action_may_name_the_workspace_and_the_collection() {
    let scene = Scene::new();
    let target = Target::New { workspace: Some("own".to_owned()), name: Some("Shop of May".to_owned()) };
    let restored = scene.restore(&shop("List"), target).await.unwrap();
    assert_eq!(scene.double.in_workspace("own"), [restored.uid.clone().unwrap()]);
    assert_eq!(scene.double.collection(&restored.uid.unwrap()).unwrap()["info"]["name"], "Shop of May");
    for workspace in ["other", "../collections?x=", ""] {
        let target = Target::New { workspace: Some(workspace.to_owned()), name: None };
        let error = scene.restore(&shop("List"), target).await.unwrap_err();
        assert!(matches!(error, Error::NoWorkspace { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn old_and_odd_collections_get_what_postman_needs() {
    let scene = Scene::new();
    let first = json!({
        "id": ID, "name": "v1", "order": ["a"], "folders": [],
        "requests": [{ "id": "a", "name": "Get", "method": "GET", "url": "http://x.example",
            "currentHelper": "basicAuth", "helperAttributes": { "username": "u" } }]
    });
    let named_by_id = json!({
        "info": { "name": " ", "schema": SCHEMA, "updatedAt": "t", "uid": format!("7-{ID}") }, "item": [],
        "variable": [{ "id": "base", "value": "x" }]
    });
    let uid = scene.restore(&first, new()).await.unwrap().uid.unwrap();
    let made = scene.double.collection(&uid).unwrap();
    assert_eq!(made["item"][0]["request"]["auth"]["type"], "basic");
    let uid = scene.restore(&named_by_id, new()).await.unwrap().uid.unwrap();
    let made = scene.double.collection(&uid).unwrap();
    assert_eq!(made["info"]["name"], "Untitled");
    assert!(made["info"].get("updatedAt").is_none());
    assert_eq!(made["variable"], json!([{ "value": "x", "key": "base" }]));
    for (unreadable, is_json) in [("{", false), ("{\"info\":{}}", true)] {
        let error = scene.restore_bytes(unreadable.into(), new()).await.unwrap_err();
        assert_eq!(matches!(error, Error::NoCollection(_)), is_json, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_postman_takes_is_not_sent() {
    let scene = Scene::new();
    let mut large = shop("List");
    large["info"]["description"] = json!("x".repeat(super::super::body::BYTES_MAX));
    let error = scene.restore(&large, new()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert!(scene.double.asked().is_empty());

    let scene = Scene::with(Habits { bytes_max: 100, ..Habits::default() }, json!({}));
    for target in [new(), over()] {
        scene.double.put(ID, "team", &shop("List"));
        let error = scene.restore(&shop("List"), target).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_make_two_collections() {
    for trouble in [Trouble::DoneAndBreak, Trouble::Done(502)] {
        let scene = Scene::new();
        scene.double.put(ID, "team", &shop("List"));
        scene.double.trouble("POST /collections", trouble);
        let restored = scene.restore(&shop("List"), new()).await.unwrap();
        assert!(restored.notes[0].starts_with("Postman's answer was lost ("), "{:?}", restored.notes);
        assert_eq!(scene.double.in_workspace("team").len(), 2);
        assert!(scene.double.in_workspace("team").contains(&restored.uid.unwrap()));
        assert_eq!(scene.double.asked().iter().filter(|line| line.starts_with("POST")).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_made_is_made_again_after_a_look() {
    let scene = Scene::new();
    scene.double.trouble("POST /collections", Trouble::Break);
    scene.double.trouble("POST /collections", Trouble::Instead(503, vec![], json!({})));
    scene.restore(&shop("List"), new()).await.unwrap();
    let asked = scene.double.asked();
    let lists = asked.iter().filter(|line| line.starts_with("GET")).count();
    assert_eq!((lists, asked.len() - lists), (7, 3), "{asked:?}");
    assert_eq!(scene.double.in_workspace("team").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_look_it_says_that_one_may_be_there() {
    let scene = Scene::new();
    scene.double.trouble("POST /collections", Trouble::DoneAndBreak);
    let refusal = json!({ "error": { "name": "forbidden", "message": "no" } });
    let first = Trouble::Instead(200, vec![], json!({ "collections": [] }));
    scene.double.trouble("GET /collections", first);
    scene.double.trouble("GET /collections", Trouble::Instead(403, vec![], refusal));
    let error = scene.restore(&shop("List"), new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is not known whether Postman made the collection (the connection failed): look for \"Shop\" in Postman \
         before you restore it again"
    );
    assert_eq!(scene.double.in_workspace("team").len(), 1);
}
