//! What it costs to keep and to list does not grow with the history.

use super::*;

#[test]
fn ten_thousand_versions_cost_no_more_calls_than_a_hundred() {
    const VERSIONS: u64 = 10_000;
    let (memory, vault) = vault_with(Settings { path: None, ..settings() });
    let mut worst = 0;
    let mut thousands = Vec::new();
    let mut sum = 0;
    for n in 0..VERSIONS {
        // As Postman looks for changes: every three minutes.
        let at = RECEIVED + n * 3 * MINUTE;
        keep_new(&vault, &body(&format!("r{n}"), 1), at);
        run(vault.tidy(ID, None, at)).unwrap();
        let calls = memory.take_calls();
        (worst, sum) = (worst.max(calls), sum + calls);
        if (n + 1) % 1000 == 0 {
            thousands.push(sum / 1000);
            sum = 0;
        }
    }
    assert!(thousands.iter().all(|calls| *calls <= 20), "calls for a version, by thousands: {thousands:?}");
    assert!(thousands[9] <= thousands[0] + 4, "calls for a version, by thousands: {thousands:?}");
    assert!(worst <= 250, "{worst} calls for one version");

    // One that remembers nothing reads a few packs, not ten thousand records.
    let fresh = reopened(&memory);
    assert_eq!(run(fresh.versions(ID)).unwrap().len() as u64, VERSIONS);
    let calls = memory.take_calls();
    assert!(calls <= 220, "{calls} calls to list");
    run(fresh.versions(ID)).unwrap();
    let calls = memory.take_calls();
    assert!(calls <= 4, "{calls} calls to list again");
    let files = memory.paths(&format!("collections/{ID}/versions/")).len();
    assert!(files <= 220, "{files} files about versions");
    assert_eq!(run(vault.verify(ID)).unwrap().damaged, []);
}

#[test]
fn what_is_seen_and_gone_is_packed_too() {
    let (memory, vault) = vault_with(Settings { path: None, ..settings() });
    let retention = Retention { last: 3, ..Retention::default() };
    for n in 0..600 {
        let at = RECEIVED + n * 3 * MINUTE;
        // Every third is a change.
        keep(&vault, &body(&format!("r{}", n / 3), u32::try_from(n).unwrap()), at);
        run(vault.tidy(ID, Some(&retention), at)).unwrap();
    }
    let files = memory.paths(&format!("collections/{ID}/versions/")).len();
    assert!(files <= 150, "{files} files about versions");
    let versions = run(reopened(&memory).versions(ID)).unwrap();
    let seen: Vec<u32> = versions.iter().map(|version| version.seen).collect();
    assert_eq!(seen, [2, 2, 2]);
    assert_eq!(bodies(&memory), [body("r197", 591), body("r198", 594), body("r199", 597)]);
    // The records of what has long gone are forgotten, that it has gone is not.
    let later = RECEIVED + 30 * DAY;
    assert!(matches!(keep(&reopened(&memory), &body("r0", 0), RECEIVED), Kept::Gone(_)));
    run(vault.prune(ID, Some(&retention), later, false)).unwrap();
    assert_eq!(memory.paths(&format!("collections/{ID}/objects/")).len(), 3);
}
