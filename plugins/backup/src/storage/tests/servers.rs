//! Real servers: S3, WebDAV and SFTP.

use postroom_storage_servers::{S3Server, WebdavServer};

use super::*;
use crate::storage::doubles::{
    server::{Call, Double, Reply, Rules, reply},
    sftp::SftpServer,
};

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn s3_config(address: SocketAddr) -> Value {
    json!({ "storage": "s3", "s3": {
        "bucket": "backups", "folder": "postman/main", "region": "eu-central-1",
        "endpoint": format!("http://{address}"),
        "access_key_id": secret("key_id"), "secret_access_key": secret("key"),
    }})
}

#[test]
fn s3_keeps_the_contract() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("backups")).unwrap();
        let server = S3Server::start(root.path(), "AKIATEST", "sUp3rS3cr3t").await;
        let line = Line::to(server.address).await;
        let storage = open(&setup, s3_config(line.address));
        // This server keeps the metadata of an object in a file whose name is twice as long as the object's.
        contract::check(&storage, |name| name.len() < 150).await;
        contract::check_interrupted(&storage, &line).await;
        assert_eq!(storage.describe(), format!("s3 bucket backups/postman/main at http://{}", line.address));
    });
}

#[test]
fn s3_says_what_is_wrong() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let server = S3Server::start(root.path(), "AKIATEST", "another").await;
        let storage = open(&setup, s3_config(server.address));
        let written = storage.write("a", Bytes::from_static(b"x"), Write::New).await;
        check_failure(written, "misconfigured denied", "check `s3.access_key_id`");

        let server = S3Server::start(root.path(), "AKIATEST", "sUp3rS3cr3t").await;
        let storage = open(&setup, s3_config(server.address));
        check_failure(storage.list("").await, "misconfigured not_found", "correct `s3.bucket`");

        let storage = open(&setup, s3_config(nobody()));
        check_failure(storage.read("a").await, "retry connect", "cannot be reached");
    });
}

#[test]
fn where_clouds_keep_credentials_is_beyond_the_reach() {
    run(|setup| async move {
        let mut config = s3_config(SocketAddr::from(([127, 0, 0, 1], 1)));
        config["s3"]["endpoint"] = json!("http://169.254.169.254");
        let storage = open(&setup, config);
        check_failure(storage.read("a").await, "misconfigured endpoint", "clouds keep the credentials");

        let mut config = sftp_config(SocketAddr::from(([127, 0, 0, 1], 22)), "SHA256:AAAA");
        config["sftp"]["host"] = json!("169.254.169.254");
        let storage = open(&setup, config);
        check_failure(
            storage.read("a").await,
            "misconfigured sftp.host",
            "no address that backups may go to",
        );
    });
}

/// Speaks like S3 used to, without conditions on writes.
#[derive(Default)]
struct OldS3(Mutex<std::collections::BTreeMap<String, Bytes>>);

impl Rules for OldS3 {
    fn answer(&self, call: &Call) -> Reply {
        assert!(call.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIATEST/"));
        let mut objects = self.0.lock().unwrap();
        match call.method.as_str() {
            "PUT" if call.headers.contains_key("if-none-match") => {
                reply(501, "<Error><Code>NotImplemented</Code><Message>no such header</Message></Error>")
            }
            "PUT" => {
                objects.insert(call.path.clone(), call.body.clone());
                reply(200, "")
            }
            "HEAD" => match objects.get(&call.path) {
                Some(object) => {
                    let mut reply = reply(200, "");
                    reply.headers_mut().insert("content-length", object.len().into());
                    reply
                }
                None => reply(404, ""),
            },
            method => panic!("{method}"),
        }
    }
}

#[test]
fn an_s3_without_conditions_is_asked_before_a_new_file() {
    run(|setup| async move {
        let double = Double::start(OldS3::default()).await;
        let storage = open(&setup, s3_config(double.address));
        for name in ["a", "b"] {
            storage.write(name, Bytes::from_static(b"x"), Write::New).await.unwrap();
            let again = storage.write(name, Bytes::from_static(b"y"), Write::New).await;
            assert_eq!(again, Err(StorageError::Exists));
        }
        let refused = double.calls().iter().filter(|call| call.headers.contains_key("if-none-match")).count();
        assert_eq!(refused, 1, "it is remembered");
    });
}

fn webdav_config(address: SocketAddr, password: &str) -> Value {
    json!({ "storage": "webdav", "webdav": {
        "endpoint": format!("http://{address}/dav/files/"), "folder": "postman backups",
        "username": "me", "password": secret(password),
    }})
}

#[test]
fn webdav_keeps_the_contract() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("files")).unwrap();
        let server = WebdavServer::start(root.path(), "me", "p4ssw0rd!").await;
        let line = Line::to(server.address).await;
        let storage = open(&setup, webdav_config(line.address, "password"));
        contract::check(&storage, every_name).await;
        contract::check_interrupted(&storage, &line).await;

        // What the cut lines left is swept when it is old, and was never to be seen.
        let left = root.path().join("files/postman backups/.postroom-tmp");
        std::fs::write(left.join("old.tmp"), "half").unwrap();
        assert!(storage.list("").await.unwrap().iter().all(|entry| !entry.name.starts_with('.')));
        assert_eq!(storage.sweep(0).await.unwrap(), 0);
        assert!(storage.sweep(u64::MAX / 2).await.unwrap() >= 1);
        assert_eq!(std::fs::read_dir(left).unwrap().count(), 0);
    });
}

#[test]
fn webdav_says_what_is_wrong() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let server = WebdavServer::start(root.path(), "me", "p4ssw0rd!").await;
        let storage = open(&setup, webdav_config(server.address, "key"));
        check_failure(storage.read("a").await, "misconfigured denied", "check `webdav.password`");
    });
}

fn sftp_config(address: SocketAddr, fingerprint: &str) -> Value {
    json!({ "storage": "sftp", "sftp": {
        "host": "127.0.0.1", "port": address.port(), "folder": "/backups of/postman",
        "username": "me", "host_key": fingerprint, "private_key": secret("private_key"),
    }})
}

#[test]
fn sftp_keeps_the_contract() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let server = SftpServer::start(root.path().to_owned(), true).await;
        let line = Line::to(server.address).await;
        let storage = open(&setup, sftp_config(line.address, &server.fingerprint));
        contract::check(&storage, every_name).await;
        contract::check_interrupted(&storage, &line).await;
        let extended = server.extended.lock().unwrap().clone();
        assert!(extended.contains(&"fsync@openssh.com".to_owned()));
        assert!(extended.contains(&"posix-rename@openssh.com".to_owned()));
        assert!(storage.sweep(u64::MAX / 2).await.unwrap() >= 1, "what the cut lines left");
        assert_eq!(storage.sweep(u64::MAX / 2).await.unwrap(), 0);
    });
}

#[test]
fn sftp_without_the_extensions_of_openssh_keeps_the_contract() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let server = SftpServer::start(root.path().to_owned(), false).await;
        let mut config = sftp_config(server.address, &server.fingerprint);
        config["sftp"]["password"] = secret("password");
        config["sftp"].as_object_mut().unwrap().remove("private_key");
        contract::check(&open(&setup, config), every_name).await;
        assert_eq!(*server.extended.lock().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn sftp_says_what_is_wrong() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let server = SftpServer::start(root.path().to_owned(), true).await;
        let storage = open(&setup, sftp_config(server.address, "SHA256:AAAA"));
        check_failure(storage.read("a").await, "misconfigured sftp.host_key", &server.fingerprint);

        let mut config = sftp_config(server.address, &server.fingerprint);
        config["sftp"]["username"] = json!("somebody");
        let storage = open(&setup, config);
        check_failure(storage.read("a").await, "misconfigured denied", "check `sftp.private_key`");

        let storage = open(&setup, sftp_config(nobody(), &server.fingerprint));
        check_failure(storage.read("a").await, "retry connect", "127.0.0.1");
    });
}
