use super::*;

#[tokio::test(start_paused = true)]
async fn the_own_collection_is_replaced_and_keeps_its_ids() {
    let scene = Scene::new();
    let uid = scene.double.put(ID, "team", &shop("New"));
    let restored = scene.restore(&backup("Old"), over()).await.unwrap();
    assert_eq!((restored.is_done, restored.keeps_ids, &restored.uid), (true, true, &Some(uid.clone())));
    assert!(restored.task.is_some());
    let now = scene.double.collection(&uid).unwrap();
    let request = &now["item"][0]["item"][0];
    assert_eq!((&request["name"], &request["id"]), (&json!("Old"), &json!("r1")));
    let put = scene.double.requests().into_iter().find(|request| request.method == "PUT").unwrap();
    assert_eq!(put.headers["prefer"], "respond-async");
    let polls = scene.double.asked().iter().filter(|line| line.contains("collection-updates-tasks")).count();
    assert_eq!(polls, 4);
}

#[tokio::test(start_paused = true)]
async fn another_collection_is_replaced_without_the_ids_of_the_version() {
    let scene = Scene::new();
    let other = "d1111111-9432-45e7-a8b3-ed6fa61470f6";
    let uid = scene.double.put(other, "team", &json!({ "info": { "name": "Copy" }, "item": [] }));
    for collection in [uid.clone(), other.to_owned()] {
        let target = Target::Over { collection: Some(collection), name: Some("Copy".to_owned()) };
        let restored = scene.restore(&shop("List"), target).await.unwrap();
        assert_eq!((restored.keeps_ids, restored.uid.as_deref()), (false, Some(uid.as_str())));
        assert_eq!(scene.double.collection(&uid).unwrap()["item"][0]["name"], "Orders");
    }
}

#[tokio::test(start_paused = true)]
async fn the_owner_is_the_one_of_the_settings_the_version_or_the_list() {
    let mut with_owner = shop("List");
    with_owner["info"]["uid"] = json!(format!("12345-{ID}"));
    let mut moved = shop("List");
    moved["info"]["uid"] = json!(format!("999-{ID}"));
    for (settings, version, lists) in [
        (json!({ "owner": "12345" }), shop("List"), 0),
        (json!({ "owner": "999" }), shop("List"), 1),
        (json!({}), with_owner, 0),
        (json!({}), shop("List"), 1),
    ] {
        let scene = Scene::with(Habits::default(), settings);
        let uid = scene.double.put(ID, "team", &shop("New"));
        let restored = scene.restore(&version, over()).await.unwrap();
        assert_eq!(restored.uid, Some(uid));
        assert_eq!(scene.double.asked().iter().filter(|line| *line == "GET /collections").count(), lists);
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_is_read_in_pages() {
    let scene = Scene::new();
    for number in 0..250 {
        let id = format!("00000000-9432-45e7-a8b3-{number:012}");
        scene.double.put(&id, "own", &json!({ "info": { "name": "x" }, "item": [] }));
    }
    let uid = scene.double.put(ID, "team", &shop("New"));
    assert_eq!(scene.restore(&shop("Old"), over()).await.unwrap().uid, Some(uid));
    let pages = scene.double.requests().into_iter().filter(|request| request.path == "/collections");
    let pages: Vec<_> = pages.map(|request| request.query["offset"].clone()).collect();
    assert_eq!(pages, ["0", "100", "200"]);
}

#[tokio::test(start_paused = true)]
async fn a_collection_that_is_gone_is_not_replaced() {
    let scene = Scene::with(Habits::default(), json!({ "owner": "12345" }));
    let named = |collection: &str| Target::Over { collection: Some(collection.to_owned()), name: None };
    for target in [over(), named(ID), named(&format!("12345-{ID}")), named("../workspaces")] {
        let error = scene.restore(&shop("List"), target).await.unwrap_err();
        assert!(matches!(error, Error::NotThere { .. }), "{error}");
    }
    let nameless = json!({ "info": { "name": "Shop", "schema": SCHEMA }, "item": [] });
    let error = scene.restore(&nameless, over()).await.unwrap_err();
    assert!(matches!(error, Error::NoId), "{error}");
    assert!(!scene.double.asked().iter().any(|line| line.starts_with("POST")));
}

#[tokio::test(start_paused = true)]
async fn postman_may_replace_it_at_once() {
    let scene = Scene::with(Habits { is_async: false, ..Habits::default() }, json!({}));
    scene.double.put(ID, "team", &shop("New"));
    let restored = scene.restore(&shop("Old"), over()).await.unwrap();
    assert_eq!((restored.is_done, restored.task), (true, None));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_or_takes_too_long_is_told() {
    let scene = Scene::with(Habits { task_ends: "failed", ..Habits::default() }, json!({}));
    scene.double.put(ID, "team", &shop("New"));
    let error = scene.restore(&shop("Old"), over()).await.unwrap_err();
    assert!(matches!(error, Error::TaskFailed { .. }), "{error}");

    let scene = Scene::with(Habits { polls: 1000, ..Habits::default() }, json!({}));
    scene.double.put(ID, "team", &shop("New"));
    let begun = tokio::time::Instant::now();
    let restored = scene.restore(&shop("Old"), over()).await.unwrap();
    assert!(!restored.is_done && begun.elapsed() < TIME);
    let task = restored.task.unwrap();
    assert_eq!(restored.notes, [format!("the time was up before Postman was done: its task is {task}")]);
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_tells_the_difference_and_writes_nothing() {
    let scene = Scene::new();
    let uid = scene.double.put(ID, "team", &shop("New"));
    for (target, keeps_ids) in [(over(), true), (new(), false)] {
        let rehearsed = scene.rehearse(&shop("Old"), target).await.unwrap();
        assert_eq!(rehearsed.uid, keeps_ids.then(|| uid.clone()));
        assert_eq!((rehearsed.keeps_ids, rehearsed.name.as_str()), (keeps_ids, "Shop"));
        let diff = rehearsed.difference.unwrap();
        assert_eq!(diff.summary(), "1 request renamed");
        assert!(diff.text().contains("Old") && diff.markdown().contains("Old"));
    }
    assert_eq!(
        scene.rehearse(&shop("New"), over()).await.unwrap().difference.unwrap().summary(),
        "no changes"
    );
    assert!(scene.double.asked().iter().all(|line| line.starts_with("GET ")));
    assert_eq!(scene.double.collection(&uid).unwrap(), shop("New"));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_collection_has_nothing_to_compare_with() {
    let scene = Scene::new();
    let rehearsed = scene.rehearse(&shop("Old"), new()).await.unwrap();
    assert!(rehearsed.difference.is_none() && rehearsed.uid.is_none());
    assert_eq!(rehearsed.notes, ["the collection is not in Postman, so there is nothing to compare with"]);
    assert!(matches!(scene.rehearse(&shop("Old"), over()).await, Err(Error::NotThere { .. })));
}
