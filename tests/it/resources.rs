//! What the gateway says about itself by its API: sources, routes, configuration, figures.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body, eventually},
};
use reqwest::Method;
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Value, json};

use crate::support::{retry, start};

#[tokio::test]
async fn sources_and_routes_are_there_as_the_file_says_and_say_what_came_in() {
    let target = Double::start(Receiver);
    let config = Config::with_source_settings("labels = { team = \"payments\" }")
        .forward("out", &target.url("/"), "")
        .route("runs", "kinds = [\"monitor_run\"]\nlabels = { team = \"pay*\" }", "out")
        .route("backups", "kinds = [\"collection_backup\"]", "out");
    let gateway = start(config).await;
    let run = gateway.accept(body::monitor_run("m", 1)).await;
    let activity = gateway.accept(body::activity("update")).await;

    let source = gateway.get("/api/v1/sources/postman").await;
    assert_eq!((&source["path"], &source["accepted"]), (&json!("/hooks/postman"), &json!(2)));
    assert!(source["url"].as_str().unwrap().ends_with("/hooks/postman"), "{source:#}");
    assert_eq!(source["last_event"]["id"], activity);
    assert!(!gateway.ask("/api/v1/sources").await.text().contains(gateway.config().token()));

    let routes = gateway.get("/api/v1/routes").await["items"].take();
    let routes = routes.as_array().unwrap();
    assert_eq!(
        routes.iter().map(|route| route["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["runs", "backups"]
    );
    assert_eq!(gateway.get("/api/v1/routes/runs").await["labels"], json!({"team": "pay*"}));

    let explain = async |trial: Value| gateway.done("/api/v1/routes/explain", trial).await;
    let of_event = explain(json!({"event_id": run})).await;
    assert_eq!(of_event["targets"], json!([{"destination": "out", "route": "runs"}]));
    assert_eq!(of_event["routes"][1]["reasons"][0], "kinds: monitor_run is not one of collection_backup");
    let of_body = explain(json!({"body": body::monitor_run("m", 1)})).await;
    assert_eq!(of_body, of_event);
    let of_activity = explain(json!({"body": body::activity("update"), "source": "postman"})).await;
    assert_eq!((&of_activity["kind"], &of_activity["targets"]), (&json!("activity"), &json!([])));
    for (trial, detail) in [
        (json!({}), "field `event_id`: give either the id of an event or a body"),
        (json!({"event_id": run, "source": "postman"}), "its own source"),
        (json!({"event_id": "018f2f3a-0000-7000-8000-000000000000"}), "there is no event with this id"),
        (json!({"body": "{}", "source": "postmann"}), "did you mean \"postman\"?"),
    ] {
        let answer = gateway.act("/api/v1/routes/explain", trial).await;
        answer.assert_problem(400, "invalid_body");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(detail), "{told}");
    }
}

#[tokio::test]
async fn the_configuration_in_force_is_shown_without_a_secret_and_another_is_checked() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("out", &target.url("/in?key=planted-0123456789"), "timeout = \"20s\"");
    let mut gateway = start(config.clone()).await;
    let settings = async |gateway: &TestGateway| {
        let answer = gateway.ask("/api/v1/config").await;
        let text = answer.text();
        for secret in [gateway.config().token(), gateway.config().api_key(), "planted-0123456789"] {
            assert!(!text.contains(secret), "{text}");
        }
        answer.json()
    };
    let setting = |config: &Value, path: &str| {
        let settings = config["settings"].as_array().unwrap();
        settings.iter().find(|setting| setting["path"] == path).unwrap_or(&Value::Null).clone()
    };
    let before = settings(&gateway).await;
    let health = gateway.get("/health/ready").await;
    assert_eq!(
        (&before["generation"], &before["fingerprint"]),
        (&health["generation"], &health["fingerprint"])
    );
    assert_eq!(setting(&before, "destination.out.timeout")["value"], "\"20s\"");
    assert_eq!(setting(&before, "destination.out.timeout")["origin"], "file");
    assert_eq!(setting(&before, "destination.out.config.url")["value"], "\"***\"");
    assert_eq!(setting(&before, "retention.events")["origin"], "default");
    assert_eq!(setting(&before, "server.listen")["line"], 2);

    gateway.reconfigure(config.section("retention", "events = \"1d\""));
    gateway.done("/api/v1/config/reload", Value::Null).await;
    let after = settings(&gateway).await;
    let events = setting(&after, "retention.events");
    assert_eq!((&events["value"], &events["needs_restart"]), (&json!("\"90d\""), &json!(true)));

    let check = async |toml: &str| gateway.done("/api/v1/config/validate", json!({"toml": toml})).await;
    assert_eq!(check("").await, json!({"valid": true, "faults": []}));
    let faulty =
        check("[server]\nlisten = \"nowhere\"\n[[destination]]\nname = \"x\"\nplugin = \"none-such\"\n")
            .await;
    assert_eq!(faulty["valid"], false);
    let faults: Vec<_> =
        faulty["faults"].as_array().unwrap().iter().map(|fault| (&fault["path"], &fault["line"])).collect();
    assert_eq!(faults, [(&json!("server.listen"), &json!(2)), (&json!("destination[0].plugin"), &json!(5))]);
    let pipe = gateway.folder().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let faulty = check("[[source]]\nname = \"x\"\ntokens = [{ file = \"pipe\" }]").await;
    let message = format!("cannot read the secret file {}: not a regular file", pipe.display());
    assert_eq!(faulty["faults"][0]["message"], message, "nobody ever writes to it");
    assert_eq!(settings(&gateway).await["fingerprint"], after["fingerprint"]);
}

#[tokio::test]
async fn figures_count_what_came_in_what_went_out_and_what_is_dead() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .forward("one", &target.url("/"), &retry(0, ""))
        .forward("two", &target.url("/"), "")
        .route("activities", "kinds = [\"activity\"]", "one")
        .route("runs", "kinds = [\"monitor_run\"]", "two");
    let gateway = start(config).await;
    target.script([503, 503]);
    let mut dead = Vec::new();
    for _ in 0..2 {
        let event = gateway.accept(body::activity("update")).await;
        dead.push(gateway.delivery_in_state(&event, "one", "dead").await);
    }
    gateway.done("/api/v1/destinations/two/pause", Value::Null).await;
    gateway.accept(body::monitor_run("m", 0)).await;

    let stats = gateway.get("/api/v1/stats").await;
    let events = &stats["events"];
    assert_eq!((&events["last_minute"], &events["last_day"]), (&json!(3), &json!(3)));
    assert_eq!(
        events["since_start"],
        json!([{"kind": "monitor_run", "count": 1}, {"kind": "activity", "count": 2}])
    );
    let deliveries = &stats["deliveries"];
    assert_eq!((&deliveries["waiting"], &deliveries["dead"]), (&json!(1), &json!(2)));
    let [one, two] = [0, 1].map(|place| deliveries["destinations"][place].clone());
    assert_eq!((&one["destination"], &one["dead"]), (&json!("one"), &json!(2)));
    assert_eq!(one["since_start"], json!([{"state": "dead", "count": 2}]));
    assert_eq!((&two["waiting"], &two["oldest_waiting_at"]), (&json!(1), &deliveries["oldest_waiting_at"]));
    assert!(stats["store"]["database_bytes"].as_u64().unwrap() > 0);

    let groups = gateway.get("/api/v1/dead-letters").await;
    let group = &groups["items"][0];
    assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{groups:#}");
    assert_eq!((&group["destination"], &group["count"]), (&json!("one"), &json!(2)));
    assert_eq!(group["newest_delivery_id"], dead[1]["id"]);
    assert_eq!((&group["first_at"], &group["last_at"]), (&dead[0]["finished_at"], &dead[1]["finished_at"]));
    let counted = gateway.done("/api/v1/replays", json!({"filter": group["filter"], "dry_run": true})).await;
    assert_eq!(counted["count"], 2, "{counted:#}");
    gateway.done(&format!("/api/v1/deliveries/{}/retry", dead[0]["id"].as_str().unwrap()), Value::Null).await;
    eventually("the figures of then are kept no longer", async || {
        (gateway.get("/api/v1/dead-letters").await["items"][0]["count"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn lists_are_followed_over_a_restart_and_what_has_not_changed_is_not_sent_again() {
    let mut gateway = start(Config::new()).await;
    let first = gateway.accept(body::monitor_run("m", 0)).await;
    let follow = async |gateway: &TestGateway, after: &str| {
        let page = gateway.get(&format!("/api/v1/events?after={after}")).await;
        let ids: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["after"].as_str().unwrap().to_owned())
    };
    let (ids, place) = follow(&gateway, "newest").await;
    assert!(ids.is_empty(), "what was there before is not new: {ids:?}");
    assert_eq!(follow(&gateway, "oldest").await, (vec![first.clone()], place.clone()));
    let more =
        [gateway.accept(body::activity("update")).await, gateway.accept(body::monitor_run("n", 0)).await];
    gateway.kill().await;
    gateway.restart().await;
    let (ids, place) = follow(&gateway, &place).await;
    assert_eq!(ids, more);
    assert_eq!(follow(&gateway, &place).await, (Vec::new(), place.clone()));

    // As after the restore of a backup.
    let older = start(Config::new()).await;
    let refused = older.ask(&format!("/api/v1/events?after={place}")).await;
    refused.assert_problem(400, "invalid_parameter");
    assert!(refused.text().contains("begin with `oldest` or `newest`"), "{}", refused.text());

    let path = format!("/api/v1/events/{first}");
    let tag = gateway.ask(&path).await.header("etag").to_owned();
    let again = |tag: String| {
        let request = gateway.client().request(Method::GET, &path).bearer_auth(gateway.config().api_key());
        Answer::to(request.header("if-none-match", tag))
    };
    let answer = again(tag).await;
    assert_eq!((answer.status, answer.text().as_str()), (304.try_into().unwrap(), ""));
    assert_eq!(again("\"another\"".to_owned()).await.json()["id"], first);
}
