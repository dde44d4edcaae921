//! What people hear of a reload: by the command, the fingerprint, and while it takes its time.

use postroom_tests::harness::Finished;

use super::*;

/// Runs the command against the gateway.
async fn postroom(gateway: &TestGateway, args: &[&str]) -> Finished {
    let url = gateway.client().url("");
    let args = args.iter().copied().chain(["--url", &url]);
    program().run(gateway.folder(), args).await
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_serves_is_taken_by_the_command_and_not_before() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let gateway = plugins.start(builds(Config::new())).await;
    let first = pid(&gateway, "builds").await;
    let before = gateway.get("/health/ready").await;
    plugins.build("2.0.0", &[]);
    assert!(say(&gateway).await.starts_with(&format!("1.0.0 {first} ")));

    let reload = postroom(&gateway, &["destination", "builds", "reload"]).await;
    assert_eq!(reload.code, Some(0), "{reload:?}");
    assert!(reload.stdout.contains("2.0.0"), "{reload:?}");
    let second = pid(&gateway, "builds").await;
    assert!(say(&gateway).await.starts_with(&format!("2.0.0 {second} ")));
    // Another version runs, and the configuration is the same.
    let after = gateway.get("/health/ready").await;
    assert_eq!(before["generation"], after["generation"]);
    assert_ne!(before["fingerprint"], after["fingerprint"]);

    plugins.build("3.0.0", &["-DREFUSE"]);
    let reload = postroom(&gateway, &["destination", "builds", "reload"]).await;
    assert_eq!(reload.code, Some(1), "{reload:?}");
    assert!(reload.stderr.contains("this build wants another setting"), "{reload:?}");
    assert_eq!(pid(&gateway, "builds").await, second);
    assert_eq!(gateway.get("/health/ready").await["fingerprint"], after["fingerprint"]);
    let unknown = postroom(&gateway, &["destination", "none", "reload"]).await;
    assert_eq!(unknown.code, Some(5), "{unknown:?}");
}

#[tokio::test]
async fn a_fingerprint_is_about_the_settings_that_hold() {
    let base = Config::new();
    let plugins = Plugins::new();
    let mut gateway = plugins.start(base.clone()).await;
    let before = gateway.get("/health/ready").await["fingerprint"].clone();
    gateway.reconfigure(base.server("drain = \"31s\""));
    let reload = gateway.done(RELOAD, Value::Null).await;
    assert_eq!((&reload["needs_restart"], &reload["fingerprint"]), (&json!(["server.drain"]), &before));
    gateway.terminate().await;
    gateway.restart().await;
    assert_ne!(gateway.get("/health/ready").await["fingerprint"], before);
}

#[tokio::test]
async fn what_is_installed_is_told_while_a_reload_takes_its_time() {
    let plugins = Plugins::new();
    plugins.build("1.0.0", &[]);
    let gateway = plugins.start(builds(Config::new())).await;
    pid(&gateway, "builds").await;
    plugins.build("2.0.0", &["-DHANG"]);
    let looked = async {
        gateway.logs().message("this build never gets ready").await;
        gateway.get("/api/v1/plugins").await
    };
    let plugins = tokio::select! {
        plugins = looked => plugins,
        answer = gateway.act("/api/v1/destinations/builds/reload", Value::Null) => panic!("{}", answer.text()),
    };
    let items = plugins["items"].as_array().unwrap();
    let builds = items.iter().find(|plugin| plugin["id"] == "faulty-builds").unwrap();
    assert_eq!(builds["version"], "2.0.0", "it is what lies there");
    assert!(say(&gateway).await.starts_with("1.0.0 "));
}
