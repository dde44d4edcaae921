//! Bodies of many megabytes: to the disk, to a plugin and back to a person without being whole in memory.

use std::{fs, io::Write as _, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, eventually},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{backup::files, support::start};

const MIB: usize = 1024 * 1024;

/// A collection of about this length whose text does not repeat.
fn collection(bytes: usize) -> String {
    let mut items = String::with_capacity(bytes + 1024);
    let mut number = 0x9e37_79b9_u32;
    while items.len() < bytes {
        items.push_str(if items.is_empty() { "{\"name\":\"" } else { "\"},{\"name\":\"" });
        // A request of a kilobyte.
        for _ in 0..128 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            items.push_str(&format!("{number:08x}"));
        }
    }
    format!(
        "{{\"collection\":{{\"info\":{{\"_postman_id\":\"c3ec8bf7\",\"name\":\"Large\"}},\"item\":[{items}\"}}]}}}}"
    )
}

fn blobs(gateway: &TestGateway) -> PathBuf {
    gateway.folder().join("data/postroom.db.blobs")
}

#[tokio::test]
async fn fifty_megabytes_go_the_whole_way_in_little_memory() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .backup("copies", "copies")
        .forward("target", &target.url("/"), "")
        .route("all", "", "target")
        .route("too", "", "copies");
    let gateway = start(config).await;
    // Whatever is needed once is there before it is measured.
    gateway.accept(collection(MIB)).await;
    gateway.settled().await;
    let before = gateway.memory_peak_bytes();

    let large = collection(50 * MIB);
    let event = gateway.accept(large.clone()).await;
    gateway.delivery_in_state(&event, "target", "delivered").await;
    gateway.delivery_in_state(&event, "copies", "delivered").await;
    let back = gateway.ask(&format!("/api/v1/events/{event}/body")).await;
    assert_eq!(back.header("content-length"), large.len().to_string());
    assert!(back.body == large, "it comes back byte for byte");
    let arrived = target.taken().into_iter().map(|request| request.body).max_by_key(bytes::Bytes::len);
    assert!(arrived.is_some_and(|body| body == large), "the target has it byte for byte");

    let more = gateway.memory_peak_bytes() - before;
    assert!(more < 32 * MIB as u64, "it took {more} bytes of memory more");

    // The plugin compares it with the version before it: both, and what is written, are in its memory.
    let changed = gateway.accept(large.replacen("Large", "Larger", 1)).await;
    let delivery = gateway.delivery_in_state(&changed, "copies", "delivered").await;
    assert!(delivery["attempts"][0]["record"]["changes"].is_string(), "{delivery}");
    let process = gateway.get("/api/v1/destinations/copies").await["process"]["pid"].clone();
    let peak = peak_memory_bytes(process.as_u64().unwrap());
    assert!(peak < 200_000_000, "the plugin took {peak} bytes of memory");
}

/// The most memory that a process had at any time.
fn peak_memory_bytes(process: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_compressed_body_is_kept_as_what_it_carries() {
    let gateway = start(Config::new()).await;
    let large = collection(3 * MIB);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(large.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let answer = Answer::to(gateway.hook().header("content-encoding", "gzip").body(packed)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["kind"], "collection_backup");
    let id = answer.json()["event_id"].as_str().unwrap().to_owned();
    assert!(gateway.ask(&format!("/api/v1/events/{id}/body")).await.body == large);
    assert_eq!(gateway.get(&format!("/api/v1/events/{id}")).await["body_bytes"], large.len());
}

#[tokio::test]
async fn a_caller_who_hangs_up_half_way_leaves_nothing() {
    let gateway = start(Config::new()).await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = format!(
        "POST /hooks/postman HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        gateway.config().token(),
        4 * MIB
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 2 * MIB]).await.unwrap();
    eventually("the first half to be on the disk", async || {
        (!files(&blobs(&gateway)).is_empty()).then_some(())
    })
    .await;
    drop(stream);
    eventually("it to be gone", async || files(&blobs(&gateway)).is_empty().then_some(())).await;
    assert!(gateway.list("/api/v1/events").await.is_empty());
}

#[tokio::test]
async fn the_same_large_body_twice_is_two_events_and_one_file() {
    let gateway = start(Config::new()).await;
    let large = collection(MIB);
    let (first, second) = (gateway.accept(large.clone()).await, gateway.accept(large.clone()).await);
    assert_ne!(first, second);
    assert_eq!(files(&blobs(&gateway)).len(), 1);
    for event in [first, second] {
        assert!(gateway.ask(&format!("/api/v1/events/{event}/body")).await.body == large);
    }
    assert_eq!(fs::metadata(&files(&blobs(&gateway))[0]).unwrap().len(), large.len() as u64);
}
