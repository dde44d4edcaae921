use super::Counts;

#[test]
fn adds_up_what_the_test_binaries_say() {
    let mut counts = Counts::default();
    for line in [
        "running 3 tests",
        "test a ... ok",
        "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.10s",
        "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
    ] {
        counts.add(line);
    }
    assert_eq!(counts, Counts { passed: 4, failed: 2 });
}
