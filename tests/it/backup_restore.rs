//! `postroom backup restore` into Postman: the command, the gateway, the plugin in its sandbox, and Postman's API as its
//! reference has it.

use std::fs;

use postroom_tests::{
    doubles::{Double, Habits, PostmanCollections, Trouble},
    harness::{Config, Finished, TestGateway},
};
use serde_json::{Value, json};

use crate::support::{program, start};

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const UID: &str = "12345-c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// A gateway with two versions of one collection, and Postman.
struct Scene {
    gateway: TestGateway,
    postman: PostmanCollections,
    api: Double,
}

impl Scene {
    async fn new(habits: Habits) -> Self {
        let key = habits.key.clone();
        Self::with_key(habits, &key).await
    }

    /// The gateway's key is this one, whatever Postman takes.
    async fn with_key(habits: Habits, key: &str) -> Self {
        let postman = PostmanCollections::new(habits);
        let api = Double::start(postman.clone());
        let settings = format!(
            "sandbox = \"required\"\n[destination.config]\nroot = \"copies\"\n[destination.config.postman]\n\
             api_key = {{ file = \"postman.key\" }}\nbase_url = \"{}\"\nworkspace = \"team\"",
            api.url("")
        );
        let config = Config::new()
            .destination("backups", "backup", &settings)
            .route("backups", "kinds = [\"collection_backup\"]", "backups")
            .file("postman.key", &format!("{key}\n"));
        let gateway = start(config).await;
        for collection in [backup("Login"), backup("Pay")] {
            let event = gateway.accept(json!({ "collection": collection }).to_string()).await;
            gateway.delivery_in_state(&event, "backups", "delivered").await;
        }
        Self { gateway, postman, api }
    }

    /// Runs `postroom backup restore` as a script does.
    async fn restore(&self, args: &[&str], code: i32) -> Finished {
        let (url, key) = (self.gateway.client().url(""), self.gateway.config().api_key());
        let command = ["backup", "restore", "shop", "--server", &url, "--key", key];
        let finished = program().run(self.gateway.folder(), command.iter().chain(args).copied()).await;
        assert_eq!(finished.code, Some(code), "{finished:#?}");
        finished
    }

    /// The id of the older of both versions.
    async fn first(&self) -> String {
        let path = "/api/v1/destinations/backups/actions/versions";
        let versions = self.gateway.done(path, json!({ "collection": ID })).await;
        versions["output"]["versions"][1]["id"].as_str().unwrap().to_owned()
    }

    /// What Postman was asked for, apart from reading.
    fn written(&self) -> Vec<String> {
        self.postman.asked().into_iter().filter(|line| !line.starts_with("GET ")).collect()
    }

    /// The key is nowhere but in the requests to Postman.
    fn assert_secret(&self, key: &str, finished: &Finished) {
        let mut said = self.gateway.log_lines();
        said.extend([finished.stdout.clone(), finished.stderr.clone()]);
        assert!(said.iter().all(|text| !text.contains(key)), "the key was told: {finished:#?}");
    }
}

/// The collection in v2.0, as Postman's webhook has it.
fn backup(request: &str) -> Value {
    json!({
        "info": { "_postman_id": ID, "name": "Shop Größe", "schema": SCHEMA.replace("v2.1.0", "v2.0.0") },
        "item": [{
            "name": request, "id": "11111111-9432-45e7-a8b3-ed6fa61470f6", "_postman_id": "11111111-9432-45e7-a8b3-ed6fa61470f6",
            "request": { "method": "POST", "header": [], "url": "https://shop.example/{{stage}}" },
            "response": [],
        }],
        "auth": { "type": "bearer", "bearer": { "token": "{{token}}" } },
    })
}

/// The same as Postman's API has it, with a request that was renamed since.
fn present() -> Value {
    json!({
        "info": { "name": "Shop Größe", "schema": SCHEMA },
        "item": [{
            "name": "Pay by card", "id": "11111111-9432-45e7-a8b3-ed6fa61470f6",
            "request": { "method": "POST", "header": [], "url": { "raw": "https://shop.example/{{stage}}" } },
            "response": [],
        }],
    })
}

#[tokio::test]
async fn a_version_becomes_a_new_collection() {
    let scene = Scene::new(Habits::default()).await;
    let first = scene.first().await;
    let told = scene.restore(&["--version", &first], 0).await;
    let made = scene.postman.in_workspace("team");
    let [uid] = &made[..] else { panic!("{made:?}") };
    let expected = format!("Shop Größe is in Postman as it was in version {first}: {uid}\n");
    assert_eq!(told.stdout, expected);
    let collection = scene.postman.collection(uid).unwrap();
    assert_eq!(collection["info"]["schema"], SCHEMA);
    assert_eq!(collection["item"][0]["name"], "Login");
    assert_eq!(collection["auth"]["bearer"][0]["value"], "{{token}}");
    scene.assert_secret(&Habits::default().key, &told);

    // Another name and workspace, of the newest.
    let more = ["--name", "Shop, again", "--workspace", "own", "--json"];
    let answer: Value = serde_json::from_str(&scene.restore(&more, 0).await.stdout).unwrap();
    assert_eq!((&answer["state"], &answer["name"]), (&json!("done"), &json!("Shop, again")));
    let uid = answer["uid"].as_str().unwrap();
    assert_eq!(scene.postman.in_workspace("own"), [uid]);
    assert_eq!(scene.postman.collection(uid).unwrap()["item"][0]["name"], "Pay");
}

#[tokio::test]
async fn a_version_replaces_what_is_there_after_a_look_at_it() {
    let scene = Scene::new(Habits { polls: 1, ..Habits::default() }).await;
    assert_eq!(scene.postman.put(ID, "team", &present()), UID);
    // Nobody is there to be asked.
    let refused = scene.restore(&["--over"], 2).await;
    assert!(refused.stderr.contains("--yes") && refused.stderr.contains("--dry-run"), "{refused:#?}");

    let planned = scene.restore(&["--over", "--dry-run"], 0).await.stdout;
    assert!(planned.contains("Pay by card") && planned.contains("authorization"), "{planned}");
    assert!(planned.ends_with(&format!("would replace Shop Größe: {UID}\n")), "{planned}");
    assert_eq!(scene.written(), [""; 0]);
    assert_eq!(scene.postman.collection(UID).unwrap()["item"][0]["name"], "Pay by card");

    let told = scene.restore(&["--over", "--yes"], 0).await;
    assert!(told.stdout.ends_with(&format!(": {UID}\n")), "{told:#?}");
    assert_eq!(scene.written(), [format!("PUT /collections/{UID}")]);
    let replaced = scene.postman.collection(UID).unwrap();
    assert_eq!((&replaced["item"][0]["name"], &replaced["auth"]["type"]), (&json!("Pay"), &json!("bearer")));
    // It was replaced in the background, and asked about until it was done.
    let asked = scene.postman.asked();
    let polls = asked.iter().filter(|line| line.starts_with("GET /collection-updates-tasks/")).count();
    assert_eq!(polls, 2, "{asked:?}");

    let other =
        scene.restore(&["--over", "--yes", "--target", "12345-00000000-9432-45e7-a8b3-ed6fa61470f6"], 5);
    let other = other.await;
    assert!(other.stderr.contains("sees no collection 12345-00000000"), "{other:#?}");
}

#[tokio::test]
async fn a_version_becomes_a_file_and_postman_is_not_asked() {
    let scene = Scene::new(Habits::default()).await;
    scene.restore(&["--to", "shop.json"], 0).await;
    let file = fs::read(scene.gateway.folder().join("shop.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&file).unwrap(), backup("Pay"));
    assert!(scene.api.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_postman_does_not_know_is_said_and_not_shown() {
    let key = "PMAK-ffffffffffffffffffffffff-of-somebody-else";
    let scene = Scene::with_key(Habits::default(), key).await;
    let refused = scene.restore(&[], 1).await;
    assert!(
        refused.stderr.contains("Postman does not know the key that `postman.api_key` names"),
        "{refused:#?}"
    );
    assert!(refused.stdout.is_empty() && scene.written().is_empty(), "{refused:#?}");
    scene.assert_secret(key, &refused);
    // Backups go on, and so does the way into a file.
    let event = scene.gateway.accept(json!({ "collection": backup("Refund") }).to_string()).await;
    scene.gateway.delivery_in_state(&event, "backups", "delivered").await;
    scene.restore(&["--to", "-"], 0).await;
}

#[tokio::test]
async fn a_restore_waits_when_postman_takes_no_more_requests_for_now() {
    let scene = Scene::new(Habits::default()).await;
    let refusal = json!({ "error": { "name": "rateLimited", "message": "Rate limit exceeded" } });
    // The names that Postman has for it, each at another call.
    for (call, header) in
        [("GET /collections", "X-RateLimit-RetryAfter"), ("POST /collections", "RetryAfter")]
    {
        scene.postman.trouble(call, Trouble::Instead(429, vec![(header, "1")], refusal.clone()));
    }
    scene.restore(&[], 0).await;
    assert_eq!(scene.postman.in_workspace("team").len(), 1);
    let answered: Vec<u16> = scene.api.requests().iter().map(|request| request.answered.as_u16()).collect();
    assert_eq!(answered, [429, 200, 429, 200]);

    // What would take longer than a restore may is said at once, and so is the end of the month.
    let month = vec![("RetryAfter", "1"), ("X-RateLimit-Remaining-Month", "0")];
    for (headers, says) in
        [(month, "this month are used up"), (vec![("RetryAfter", "90000")], "takes no more requests")]
    {
        scene.postman.trouble("POST /collections", Trouble::Instead(429, headers, refusal.clone()));
        let refused = scene.restore(&[], 1).await;
        assert!(refused.stderr.contains(says), "{refused:#?}");
    }
    assert_eq!(scene.postman.in_workspace("team").len(), 1);
}
