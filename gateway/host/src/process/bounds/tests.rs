use serde_json::json;

use super::{Bounds, Plan, SandboxMode, Usage};
use crate::{manifest::Manifest, sandbox::Sandbox, testing::manifest};

fn excess(mode: SandboxMode, usage: Usage) -> Option<String> {
    let manifest = Manifest::parse(&manifest("x", "1.0.0")).unwrap();
    let plan = Plan::new(&Sandbox { mode, ..Sandbox::default() }, &manifest, &json!({}), 8);
    Bounds::of(&plan).and_then(|bounds| bounds.excess(usage))
}

#[test]
fn only_a_sandbox_bounds_what_a_process_takes() {
    let all = Usage { memory_bytes: u64::MAX, threads: u32::MAX };
    assert_eq!(excess(SandboxMode::Off, all), None);
    assert!(excess(SandboxMode::Required, all).is_some());
}

#[test]
fn the_stacks_of_its_own_threads_are_not_the_plugins() {
    let usage = |mib: u64, threads| Usage { memory_bytes: mib << 20, threads };
    // 512 of the plugin, 64 of the process, and 2 for each of 4 and 8 threads.
    assert_eq!(excess(SandboxMode::BestEffort, usage(600, 268)), None);
    let excess = |usage| excess(SandboxMode::BestEffort, usage).unwrap();
    assert_eq!(excess(usage(601, 1)), "it takes 601 MiB of memory, at most 600 may be");
    assert_eq!(excess(usage(1, 269)), "it has 269 threads, at most 268 may be");
}
