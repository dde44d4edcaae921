//! What a plugin uses up, and how it keeps the gateway from seeing that.

use super::*;
use crate::process::Usage;

/// Looks often, and waits long for the answer to a ping.
fn watchful() -> Limits {
    Limits { ping_interval: Duration::from_millis(10), ..Limits::default() }
}

fn with_memory(mib: u64) -> Grant {
    Grant { memory_bytes: Some(mib << 20), ..Grant::default() }
}

#[tokio::test]
async fn memory_and_descriptors_are_bounded() {
    let grant = with_memory(64);
    for (user, program, _folder) in users() {
        let process = Process::start(&hostile_launch(&OFFLINE, &program, grant.clone())).await.unwrap();
        let taken: u32 = message(&process, "take memory").await.parse().unwrap();
        // The stacks of the process's own threads count too, and lie beside it.
        assert!((48..=72).contains(&taken), "{taken} MiB as {user}");
        let process = Process::start(&hostile_launch(&OFFLINE, &program, grant.clone())).await.unwrap();
        let taken: u32 = message(&process, "take descriptors").await.parse().unwrap();
        assert!((200..=272).contains(&taken), "{taken} descriptors as {user}");
    }
}

#[tokio::test]
async fn memory_that_no_limit_of_the_system_counts_is_bounded_too() {
    for (_, program, _folder) in users() {
        for attack in ["tables 300", "read-only 300"] {
            let limits = watchful();
            let launch = Launch { limits, ..hostile_launch(&OFFLINE, &program, with_memory(32)) };
            let process = Process::start(&launch).await.unwrap();
            message(&process, attack).await;
            check_killed(&process.exited().await, "MiB of memory, at most 112 may be");
        }
    }
}

#[tokio::test]
async fn a_plugin_is_the_first_to_go_when_the_machine_has_no_more_memory() {
    for (user, program, _folder) in users() {
        let process = Process::start(&hostile_launch(&OFFLINE, &program, Grant::default())).await.unwrap();
        let score = fs::read_to_string(format!("/proc/{}/oom_score_adj", process.pid)).unwrap();
        assert_eq!(score.trim(), "1000", "as {user}");
    }
}

#[tokio::test]
async fn a_plugin_with_too_many_threads_is_ended() {
    let grant = Grant { threads: Some(20), ..Grant::default() };
    for (_, program, _folder) in users() {
        // It does not answer pings either; the threads are to be found first.
        let launch = Launch { limits: watchful(), ..hostile_launch(&OFFLINE, &program, grant.clone()) };
        let process = Process::start(&launch).await.unwrap();
        assert_eq!(code(&process, "take threads", Duration::from_secs(60)).await, "plugin_crashed");
        check_killed(&process.exited().await, "threads, at most 28 may be");
    }
}

#[tokio::test]
async fn threads_are_counted_while_a_plugin_starts() {
    let grant = Grant { threads: Some(20), ..Grant::default() };
    for (_, program, _folder) in users() {
        let launch = Launch {
            config: json!({ "mode": "threads-in-create" }),
            limits: watchful(),
            ..hostile_launch(&OFFLINE, &program, grant.clone())
        };
        match Process::start(&launch).await {
            Err(StartError::Ended(exit)) => check_killed(&exit, "threads, at most 28 may be"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn threads_that_deliveries_block_take_nothing_of_the_plugins_memory() {
    const DELIVERIES: u32 = 40;
    let plugin = super::super::scripted("POSTROOM_PF_BLOCKING", "0");
    let sandbox = Sandbox { grant: with_memory(16), ..Sandbox::default() };
    let launch = Launch { sandbox, concurrency: DELIVERIES, ..launch(&plugin, "", Limits::default()) };
    let process = std::sync::Arc::new(Process::start(&launch).await.unwrap());
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..DELIVERIES {
        let process = std::sync::Arc::clone(&process);
        held.spawn(async move { code(&process, "hang", Duration::from_secs(60)).await });
    }
    while Usage::of(process.pid).unwrap().threads < DELIVERIES {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_plugin_that_closes_its_ears_and_hangs_is_ended() {
    for (user, program, _folder) in users() {
        let launch = Launch {
            limits: super::super::impatient(),
            ..hostile_launch(&OFFLINE, &program, Grant::default())
        };
        let process = Process::start(&launch).await.unwrap();
        assert_eq!(message(&process, "deaf").await, "deaf", "as {user}");
        // "it did not answer" if a ping came in before it was deaf, "it did not take a ping" otherwise.
        check_killed(&process.exited().await, "it did not");
    }
}
