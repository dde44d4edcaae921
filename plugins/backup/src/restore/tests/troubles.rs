use super::*;

fn refusal(message: &str) -> Value {
    json!({ "error": { "name": "someError", "message": message } })
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_requests_is_waited_for() {
    let scene = Scene::with(Habits { requests_a_minute: 2, ..Habits::default() }, json!({}));
    scene.double.put(ID, "team", &shop("New"));
    let begun = tokio::time::Instant::now();
    assert!(scene.restore(&shop("Old"), over()).await.unwrap().is_done);
    let waited = begun.elapsed().as_secs();
    assert!((120..=130).contains(&waited), "{waited}");
    // What the headers say was enough: nothing was refused.
    assert_eq!(scene.double.asked().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn each_way_to_say_when_again_is_understood() {
    for (header, value, seconds) in [
        ("X-RateLimit-RetryAfter", "7", 7),
        ("RetryAfter", "8", 8),
        ("Retry-After", "9", 9),
        ("Retry-After", "Sat, 21 Nov 2026 19:36:57 GMT", 9),
        ("RateLimit", "limit=300, remaining=0, reset=11", 11),
        ("Nothing", "", 60),
    ] {
        let scene = Scene::new();
        let trouble = Trouble::Instead(429, vec![(header, value)], refusal("slow down"));
        scene.double.trouble("POST", trouble);
        let begun = tokio::time::Instant::now();
        scene.restore(&shop("List"), new()).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), seconds, "{header}");
        assert_eq!(scene.double.in_workspace("team").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_beyond_the_time_of_the_action_is_told() {
    let scene = Scene::new();
    let trouble = Trouble::Instead(429, vec![("RetryAfter", "900")], refusal("slow down"));
    scene.double.trouble("POST", trouble);
    let begun = tokio::time::Instant::now();
    let error = scene.restore(&shop("List"), new()).await.unwrap_err();
    assert!(error.to_string().contains("for 900 s"), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 0);
    // And the next one does not even ask.
    let asked = scene.double.asked().len();
    assert!(matches!(scene.restore(&shop("List"), new()).await, Err(Error::RateLimited { .. })));
    assert_eq!(scene.double.asked().len(), asked);

    let scene = Scene::new();
    let headers = vec![("RateLimit-Remaining-Month", "0"), ("RetryAfter", "1")];
    scene.double.trouble("GET", Trouble::Instead(429, headers, refusal("no more")));
    assert!(matches!(scene.restore(&shop("List"), new()).await, Err(Error::Month)));
}

#[tokio::test(start_paused = true)]
async fn what_can_be_repeated_is_a_few_times() {
    let scene = Scene::new();
    scene.double.put(ID, "team", &shop("New"));
    scene.double.trouble("GET /collections", Trouble::Break);
    scene.double.trouble("GET /collections", Trouble::Instead(502, vec![], json!({})));
    scene.double.trouble("PUT", Trouble::DoneAndBreak);
    scene.double.trouble("PUT", Trouble::Instead(500, vec![], json!({})));
    scene.double.trouble("GET /collection-updates", Trouble::Break);
    assert!(scene.restore(&shop("Old"), over()).await.unwrap().is_done);

    for _ in 0..4 {
        scene.double.trouble("PUT", Trouble::Instead(503, vec![], json!({})));
    }
    let error = scene.restore(&shop("Old"), over()).await.unwrap_err();
    assert_eq!(error.to_string(), "Postman's API cannot be reached: the answer was 503");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_be_seen_does_not_undo_what_was_done() {
    let scene = Scene::new();
    scene.double.put(ID, "team", &shop("New"));
    scene.double.trouble("GET /collection-updates", Trouble::Instead(403, vec![], refusal("no")));
    let restored = scene.restore(&shop("Old"), over()).await.unwrap();
    assert!(!restored.is_done && restored.task.is_some());
    assert!(restored.notes[0].starts_with("Postman has it, and does not tell how far its task"));
}

#[tokio::test(start_paused = true)]
async fn refusals_say_what_to_do() {
    for (status, body, wanted) in [
        (401, refusal("Invalid API Key"), "`postman.api_key`"),
        (
            403,
            refusal("You are not a member"),
            "editor of the workspace and of the collection: You are not a member",
        ),
        (
            400,
            json!({ "error": { "name": "x", "message": "bad", "details": ["item/0: odd"] } }),
            "(400): bad; item/0: odd",
        ),
        (422, json!({ "title": "Odd", "detail": "too odd" }), "(422): Odd; too odd"),
        (404, json!("a page"), "`postman.base_url`: it answered 404"),
        (302, json!({}), "redirects are not followed"),
        (200, json!("a page"), ""),
    ] {
        for request in ["POST", "PUT"] {
            let scene = Scene::new();
            scene.double.put(ID, "team", &shop("New"));
            scene.double.trouble(request, Trouble::Instead(status, vec![], body.clone()));
            let target = if request == "POST" { new() } else { over() };
            match scene.restore(&shop("List"), target).await {
                Err(error) => assert!(error.to_string().contains(wanted) && status != 200, "{error}"),
                Ok(_) => assert_eq!(status, 200),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_is_in_no_message() {
    let scene = Scene::new();
    let echo = refusal(&format!("who is {KEY}?"));
    for status in [400, 403, 409] {
        scene.double.trouble("POST", Trouble::Instead(status, vec![], echo.clone()));
        let error = scene.restore(&shop("List"), new()).await.unwrap_err();
        assert!(error.to_string().contains("who is ***?"), "{error}");
        assert!(!format!("{error:?}{:?}{:?}", session(TIME), scene.postman).contains("PMAK"));
    }
}

#[tokio::test(start_paused = true)]
async fn one_is_restored_after_the_other() {
    let scene = Scene::with(Habits { polls: 20, ..Habits::default() }, json!({}));
    scene.double.put(ID, "team", &shop("New"));
    let (old, list) = (shop("Old"), shop("List"));
    let (first, second) = tokio::join!(scene.restore(&old, over()), scene.restore(&list, new()));
    assert!(first.unwrap().is_done && second.unwrap().is_done);
    let asked = scene.double.asked();
    let last_of_first = asked.iter().rposition(|line| line.contains("tasks")).unwrap();
    let first_of_second = asked.iter().position(|line| line.starts_with("POST")).unwrap();
    assert!(last_of_first < first_of_second, "{asked:?}");
}
