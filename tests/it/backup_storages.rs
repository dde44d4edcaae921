//! Backups on storages that are reached by the network: the plugin in its whole sandbox, and a real server that its process may
//! connect to, and to nothing else.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use postroom_storage_servers::{GitServer, S3Server, WebdavServer};
use postroom_tests::harness::{Config, TestGateway, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    backup::{act, files},
    support::{program, start},
};

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
/// `Basic` of `x-access-token:t0ken`.
const AUTHORIZATION: &str = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=";

/// A gateway whose destination has this `storage`, and may connect to one port.
fn config(storage: &str, settings: &str, server: SocketAddr) -> Config {
    let all = format!(
        "sandbox = \"required\"\n[destination.grant]\nnetwork = [\"tcp:{}\"]\n[destination.config]\n\
         storage = \"{storage}\"\n{settings}",
        server.port()
    );
    Config::new().destination("backups", "backup", &all).route(
        "backups",
        "kinds = [\"collection_backup\"]",
        "backups",
    )
}

/// The collection with this request, which has this id.
fn shop(request: &str, id: &str) -> String {
    let item =
        json!({ "name": request, "id": id, "request": { "method": "GET", "url": "https://shop.example" } });
    json!({ "info": { "_postman_id": ID, "name": "Shop Größe" }, "item": [item] }).to_string()
}

async fn deliver(gateway: &TestGateway, collection: &str) -> Value {
    let event = gateway.accept(format!("{{\"collection\":{collection}}}")).await;
    gateway.delivery_in_state(&event, "backups", "delivered").await
}

/// Two versions, one of which comes again with an id of its own; the second by a gateway that was started anew.
async fn keeps_its_versions(config: Config) -> TestGateway {
    let mut gateway = start(config).await;
    let (first, again, second) = (shop("Login", "1"), shop("Login", "2"), shop("Pay", "3"));
    deliver(&gateway, &first).await;
    let unchanged = deliver(&gateway, &again).await;
    assert_eq!(unchanged["attempts_made"], 1, "{unchanged}");
    gateway.kill().await;
    gateway.restart().await;
    deliver(&gateway, &second).await;

    let shown = gateway.get("/api/v1/destinations/backups").await;
    assert_eq!((&shown["sandbox"]["mode"], &shown["sandbox"]["missing"]), (&json!("required"), &json!([])));
    for layer in ["landlock", "seccomp"] {
        assert!(shown["sandbox"]["active"].as_array().unwrap().contains(&json!(layer)), "{shown}");
    }

    let listed = act(&gateway, "versions", json!({ "collection": ID })).await;
    let versions = listed["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{listed}");
    for (version, body) in versions.iter().zip([&second, &first]) {
        let shown = act(&gateway, "show", json!({ "collection": ID, "version": version["id"] })).await;
        assert_eq!(shown["body"], json!(body));
    }
    let verified = act(&gateway, "verify", json!({})).await;
    assert_eq!((&verified["ok"], &verified["versions"]), (&json!(true), &json!(2)), "{verified}");
    gateway
}

/// The files of both bodies, as the server has them.
fn bodies(folder: &Path) -> usize {
    files(folder).iter().filter(|file| file.extension().is_some_and(|extension| extension == "zst")).count()
}

#[tokio::test]
async fn s3_takes_backups_from_the_sandbox() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("backups")).unwrap();
    let server = S3Server::start(root.path(), "AKIATEST", "sUp3rS3cr3t").await;
    let settings = format!(
        "[destination.config.s3]\nbucket = \"backups\"\nfolder = \"postman\"\nregion = \"eu-central-1\"\n\
         endpoint = \"http://{}\"\naccess_key_id = {{ file = \"key.id\" }}\nsecret_access_key = {{ file = \"key\" }}",
        server.address
    );
    let config =
        config("s3", &settings, server.address).file("key.id", "AKIATEST").file("key", "sUp3rS3cr3t\n");
    keeps_its_versions(config).await;
    assert_eq!(bodies(&root.path().join("backups/postman")), 2);
}

#[tokio::test]
async fn webdav_takes_backups_from_the_sandbox() {
    let root = tempfile::tempdir().unwrap();
    let server = WebdavServer::start(root.path(), "postroom", "sUp3rS3cr3t").await;
    let settings = format!(
        "[destination.config.webdav]\nendpoint = \"http://{}/dav\"\nfolder = \"postman\"\nusername = \"postroom\"\n\
         password = {{ file = \"password\" }}",
        server.address
    );
    let config = config("webdav", &settings, server.address).file("password", "sUp3rS3cr3t\n");
    keeps_its_versions(config).await;
    assert_eq!(bodies(&root.path().join("postman")), 2);
}

/// A server with an empty repository.
struct Git {
    folder: TempDir,
    server: GitServer,
}

impl Git {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let this =
            Self { server: GitServer::start(folder.path().to_owned(), Some(AUTHORIZATION)).await, folder };
        fs::create_dir(this.repository()).unwrap();
        this.git(&["init", "-q", "--bare", "-b", "trunk"]);
        this.git(&["config", "receive.fsckObjects", "true"]);
        this
    }

    fn repository(&self) -> std::path::PathBuf {
        self.folder.path().join("team.git")
    }

    /// The git of this machine, at the server.
    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let done = command.arg("-C").arg(self.repository()).args(arguments).output().unwrap();
        assert!(done.status.success(), "git {arguments:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn config(&self) -> Config {
        let settings = format!(
            "root = \"copy\"\n[destination.config.git]\nurl = \"{}\"\nbranch = \"trunk\"\ntoken = {{ file = \"token\" }}",
            self.server.url("team.git")
        );
        config("git", &settings, self.server.address).file("token", "t0ken\n")
    }
}

#[tokio::test]
async fn git_takes_backups_from_the_sandbox() {
    let git = Git::start().await;
    let gateway = keeps_its_versions(git.config()).await;
    git.git(&["fsck", "--strict"]);
    assert_eq!(git.git(&["log", "--format=%s", "trunk"]), "Postman updated Shop Größe\n".repeat(2));
    assert_eq!(git.git(&["show", "trunk:Postman Collections/Shop Größe.json"]), shop("Pay", "3"));
    assert!(gateway.log_lines().iter().all(|line| !line.contains("t0ken")), "the token is in the log");
}

#[tokio::test]
async fn what_somebody_took_from_the_git_server_is_damage() {
    let git = Git::start().await;
    let gateway = keeps_its_versions(git.config()).await;
    git.git(&["update-ref", "refs/heads/trunk", "trunk~1"]);
    let damaged = backup(&gateway, "verify", 1).await;
    assert!(damaged.contains("the server's branch trunk does not have it any more"), "{damaged}");
    assert!(damaged.contains("1 damage in 1 version of 1 collection"), "{damaged}");
    // Nothing is left of it, and that is told too.
    git.git(&["update-ref", "-d", "refs/heads/trunk"]);
    let damaged = backup(&gateway, "verify", 1).await;
    assert!(damaged.contains("2 damages in 0 versions of 1 collection"), "{damaged}");
    assert!(backup(&gateway, "collections", 0).await.contains(ID));
    // Other backups go on, and the events bring back what is gone.
    deliver(&gateway, &shop("Refund", "4")).await;
    assert!(backup(&gateway, "verify", 1).await.contains("2 damages in 1 version of 1 collection"));
    let filter = json!({ "filter": { "destination": "backups", "state": "delivered" } });
    let begun = gateway.done("/api/v1/replays", filter).await;
    let path = format!("/api/v1/replays/{}", begun["id"].as_str().unwrap());
    eventually("the replay to be done", async || (gateway.get(&path).await["state"] == "done").then_some(()))
        .await;
    gateway.settled().await;
    assert!(backup(&gateway, "verify", 0).await.starts_with("no damage in 3 versions of 1 collection"));
}

/// What `postroom backup` prints.
async fn backup(gateway: &TestGateway, command: &str, code: i32) -> String {
    let (url, key) = (gateway.client().url(""), gateway.config().api_key());
    let args = ["backup", command, "--server", &url, "--key", key];
    let finished = program().run(gateway.folder(), args).await;
    assert_eq!(finished.code, Some(code), "{finished:#?}");
    finished.stdout
}
