//! Who may use the API.

use postroom_tests::harness::{Answer, Config, TestGateway, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{program, start};

/// Asks with a key, whatever the answer.
async fn asked(gateway: &TestGateway, method: Method, path: &str, key: &str) -> Answer {
    Answer::to(gateway.client().request(method, path).bearer_auth(key)).await
}

async fn may_read(gateway: &TestGateway, key: &str) -> bool {
    asked(gateway, Method::GET, "/api/v1/events", key).await.status == 200
}

async fn made(gateway: &TestGateway, name: &str, role: &str) -> String {
    let made = gateway.done("/api/v1/keys", json!({"name": name, "role": role})).await;
    made["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_was_made_works_at_once_and_after_a_restart_until_it_is_revoked() {
    let mut gateway = start(Config::new()).await;
    let (reads, acts) = (made(&gateway, "grafana", "viewer").await, made(&gateway, "ci", "operator").await);
    assert!(reads.starts_with("postroom_") && reads != acts, "{reads} {acts}");
    for key in [&reads, &acts] {
        assert!(may_read(&gateway, key).await);
        asked(&gateway, Method::GET, "/api/v1/keys", key).await.assert_problem(403, "forbidden");
    }
    gateway.act_with(&reads, "/api/v1/replays", json!({"filter": {}})).await.assert_problem(403, "forbidden");

    gateway.kill().await;
    gateway.restart().await;
    assert!(may_read(&gateway, &reads).await && may_read(&gateway, &acts).await);
    let revoked = asked(&gateway, Method::DELETE, "/api/v1/keys/ci", gateway.config().api_key()).await;
    assert_eq!((revoked.status.as_u16(), &revoked.json()["created_by"]), (200, &json!("test")));
    assert!(!may_read(&gateway, &acts).await, "from the answer on");
    gateway.kill().await;
    gateway.restart().await;
    assert!(may_read(&gateway, &reads).await && !may_read(&gateway, &acts).await);
}

#[tokio::test]
async fn a_key_is_revoked_also_while_the_store_takes_nothing() {
    let mut gateway = start(Config::new()).await;
    let key = made(&gateway, "ci", "operator").await;
    gateway.fill_disk();
    let revoke = async |gateway: &TestGateway| {
        asked(gateway, Method::DELETE, "/api/v1/keys/ci", gateway.config().api_key()).await
    };
    for _ in 0..2 {
        let refused = revoke(&gateway).await;
        refused.assert_problem(503, "unavailable");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("lets nobody in") && detail.contains("revoke it again"), "{detail}");
        assert!(!may_read(&gateway, &key).await);
    }
    gateway.free_disk();
    assert_eq!(revoke(&gateway).await.status, 200);
    revoke(&gateway).await.assert_problem(404, "not_found");
    gateway.kill().await;
    gateway.restart().await;
    assert!(!may_read(&gateway, &key).await);
}

#[tokio::test]
async fn keys_are_listed_with_their_last_use_and_never_shown_again() {
    let gateway = start(Config::new()).await;
    let key = made(&gateway, "grafana", "viewer").await;
    let list = gateway.get("/api/v1/keys").await;
    let items = list["items"].as_array().unwrap();
    let origins: Vec<_> = items.iter().map(|item| (&item["name"], &item["origin"])).collect();
    assert_eq!(origins, [(&json!("test"), &json!("configuration")), (&json!("grafana"), &json!("store"))]);
    assert!(items[0]["last_used_at"].is_string(), "it asks just now: {list}");
    assert_eq!(items[1].get("last_used_at"), None);
    assert!(may_read(&gateway, &key).await);
    let list = gateway.get("/api/v1/keys").await;
    assert!(list["items"][1]["last_used_at"].is_string(), "{list}");
    assert!(!list.to_string().contains(&key[..20]), "{list}");
}

#[tokio::test]
async fn keys_of_the_configuration_are_its_own() {
    let gateway = start(Config::new()).await;
    let revoked = asked(&gateway, Method::DELETE, "/api/v1/keys/test", gateway.config().api_key()).await;
    revoked.assert_problem(409, "conflict");
    let taken = gateway.act("/api/v1/keys", json!({"name": "test", "role": "viewer"})).await;
    taken.assert_problem(409, "conflict");
    let over = json!({"name": "late", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"});
    gateway.act("/api/v1/keys", over).await.assert_problem(400, "invalid_body");
    asked(&gateway, Method::DELETE, "/api/v1/keys/nobody", gateway.config().api_key())
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn keys_come_and_go_by_command() {
    let gateway = start(Config::new()).await;
    let (url, key) = (format!("http://{}", gateway.address()), gateway.config().api_key().to_owned());
    let run = async |args: &[&str]| {
        let args = args.iter().copied().chain(["--url", &url, "--key", &key]);
        program().run(gateway.folder(), args).await
    };
    let created = run(&["keys", "create", "ci", "--role", "viewer", "--expires-in", "1h"]).await;
    assert_eq!(created.code, Some(0), "{created:?}");
    let made = created.stdout.trim_end();
    assert!(may_read(&gateway, made).await);
    let listed: Value = serde_json::from_str(&run(&["keys", "list", "--json"]).await.stdout).unwrap();
    assert!(listed["items"][1]["expires_at"].is_string(), "{listed}");
    assert_eq!(run(&["keys", "revoke", "ci"]).await.stdout, "revoked ci\n");
    assert!(!may_read(&gateway, made).await);
    assert_eq!(run(&["keys", "revoke", "ci"]).await.code, Some(5));
}

#[tokio::test]
async fn a_bad_credential_beside_a_good_one_is_a_refusal() {
    let gateway = start(Config::new()).await;
    let good = format!("Bearer {}", gateway.config().api_key());
    for other in ["Bearer nobodys-key-at-all", "Basic bWU6bWU=", &good] {
        let request = gateway.client().request(Method::GET, "/api/v1/events");
        let request = request.header("authorization", &good).header("authorization", other);
        Answer::to(request).await.assert_problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn whoever_guesses_keys_is_slowed_down_and_good_keys_and_hooks_are_not() {
    let gateway = start(Config::new().section("api", "failures_per_minute = 3")).await;
    for _ in 0..3 {
        asked(&gateway, Method::GET, "/api/v1/events", "wrong").await.assert_problem(401, "unauthorized");
    }
    let slowed = asked(&gateway, Method::GET, "/api/v1/events", "wrong").await;
    slowed.assert_problem(429, "too_many_requests");
    let seconds: u64 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert!(may_read(&gateway, gateway.config().api_key()).await);
    gateway.accept("{}").await;
    let none = gateway.client().request(Method::GET, "/api/v1/events");
    Answer::to(none).await.assert_problem(401, "unauthorized");
    let told = gateway
        .logs()
        .message("many requests with wrong API keys come from this address, they are slowed down");
    assert_eq!(told.await["address"], "127.0.0.1");
}

#[tokio::test]
async fn a_key_may_ask_so_much_and_a_reload_changes_it() {
    let gateway = start(Config::new().section("api", "requests_per_second = 1")).await;
    let busy = made(&gateway, "busy", "viewer").await;
    assert!(may_read(&gateway, &busy).await);
    let refused = asked(&gateway, Method::GET, "/api/v1/events", &busy).await;
    refused.assert_problem(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "1");
    let more = "[api]\nrequests_per_second = 1000";
    let text = std::fs::read_to_string(gateway.folder().join("postroom.toml")).unwrap();
    let text = text.replace("[api]\nrequests_per_second = 1\n", &format!("{more}\n"));
    std::fs::write(gateway.folder().join("postroom.toml"), text).unwrap();
    eventually("the reload", async || {
        let reload = gateway.act("/api/v1/config/reload", Value::Null).await;
        (reload.status == 200).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert!(may_read(&gateway, &busy).await);
    }
}

/// Begins a session, and gives its cookie as a browser sends it.
async fn session(gateway: &TestGateway, key: &str) -> String {
    let begun = asked(gateway, Method::POST, "/api/v1/session", key).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let set = begun.header("set-cookie");
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

async fn with_cookie(gateway: &TestGateway, method: Method, path: &str, cookie: &str) -> Answer {
    let request = gateway.client().request(method, path).header("cookie", cookie);
    Answer::to(request.header("sec-fetch-site", "same-origin")).await
}

#[tokio::test]
async fn a_session_stands_for_its_key_until_it_is_ended() {
    let gateway = start(Config::new()).await;
    let key = made(&gateway, "ann", "operator").await;
    let cookie = session(&gateway, &key).await;
    let who = with_cookie(&gateway, Method::GET, "/api/v1/session", &cookie).await.json();
    assert_eq!((&who["name"], &who["role"]), (&json!("ann"), &json!("operator")));
    assert!(who["expires_at"].is_string() && who["idle_expires_at"].is_string(), "{who}");
    assert_eq!(with_cookie(&gateway, Method::GET, "/api/v1/events", &cookie).await.status, 200);
    with_cookie(&gateway, Method::GET, "/api/v1/keys", &cookie).await.assert_problem(403, "forbidden");
    // A page of somebody else's.
    let forged = gateway.client().request(Method::DELETE, "/api/v1/session").header("cookie", &cookie);
    Answer::to(forged.header("origin", "https://evil.example.com")).await.assert_problem(403, "forbidden");

    assert_eq!(with_cookie(&gateway, Method::DELETE, "/api/v1/session", &cookie).await.status, 200);
    let over = with_cookie(&gateway, Method::GET, "/api/v1/events", &cookie).await;
    over.assert_problem(401, "unauthorized");
    assert!(over.header("set-cookie").ends_with("Max-Age=0"), "{:?}", over.headers);
    let acts = gateway.list("/api/v1/audit?who=ann").await;
    let acts: Vec<_> =
        acts.iter().map(|entry| (entry["operation"].as_str(), entry["via"].as_str())).collect();
    let expected = [("endSession", "session"), ("endSession", "session"), ("createSession", "api_key")];
    assert_eq!(acts, expected.map(|(operation, via)| (Some(operation), Some(via))));
    let secret = cookie.split_once('=').unwrap().1;
    assert!(gateway.log_lines().iter().all(|line| !line.contains(secret) && !line.contains(&key)));
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let gateway = start(Config::new().key("bob", "viewer", "the-first-key-of-bob")).await;
    let made = made(&gateway, "ann", "viewer").await;
    let (ann, bob) = (session(&gateway, &made).await, session(&gateway, "the-first-key-of-bob").await);
    let may_read =
        async |cookie: &str| with_cookie(&gateway, Method::GET, "/api/v1/events", cookie).await.status == 200;
    assert!(may_read(&ann).await && may_read(&bob).await);
    let revoked = asked(&gateway, Method::DELETE, "/api/v1/keys/ann", gateway.config().api_key()).await;
    assert_eq!(revoked.status, 200);
    assert!(!may_read(&ann).await && may_read(&bob).await);

    let file = gateway.folder().join("postroom.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("the-first-key-of-bob", "another-key-of-bob");
    std::fs::write(&file, text).unwrap();
    gateway.done("/api/v1/config/reload", Value::Null).await;
    assert!(!may_read(&bob).await, "it was begun with another key");
}
