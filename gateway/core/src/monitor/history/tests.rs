use proptest::prelude::*;

use super::*;

fn run() -> impl Strategy<Value = Run> {
    let at = prop_oneof![any::<i64>(), 1_800_000_000_000..1_800_100_000_000_i64];
    let small = || prop::option::of(prop_oneof![any::<u32>(), 0..200_u32]);
    let numbers = (small(), prop::option::of(any::<u64>()), small(), small(), small(), small());
    let verdict = prop::sample::select(&Verdict::ALL[..]);
    (any::<[u8; 16]>(), at, verdict, numbers).prop_map(|(event, at, verdict, numbers)| {
        let (requests, latency_total_ms, passed_tests, failed_tests, errors, warnings) = numbers;
        Run {
            event: EventId::from_bytes(event),
            at: Timestamp::from_unix_ms(at),
            verdict,
            numbers: Numbers { requests, latency_total_ms, passed_tests, failed_tests, errors, warnings },
        }
    })
}

/// A run every five minutes, as most monitors send it.
fn usual(n: i64) -> Run {
    let numbers = Numbers {
        requests: Some(12),
        latency_total_ms: Some(2_400),
        passed_tests: Some(40),
        failed_tests: Some(0),
        errors: Some(0),
        warnings: Some(0),
    };
    let event = EventId::from_bytes([u8::try_from(n % 256).unwrap(); 16]);
    let at = Timestamp::from_unix_ms(1_800_000_000_000 + n * 300_000);
    Run { event, at, verdict: Verdict::Passed, numbers }
}

proptest! {
    #[test]
    fn runs_read_back_as_they_were_written(runs in prop::collection::vec(run(), 0..70)) {
        prop_assert_eq!(decode(&encode(&runs)), Ok(runs));
    }

    #[test]
    fn bytes_that_are_no_runs_are_an_error_and_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        version in prop::sample::select(vec![VERSION, VERSION, 0, 255]),
    ) {
        let bytes = [&[version][..], &bytes].concat();
        if let Ok(runs) = decode(&bytes) {
            // What can be read is written back to something that says the same.
            prop_assert_eq!(decode(&encode(&runs)), Ok(runs));
        }
    }

    #[test]
    fn a_change_of_one_byte_is_no_panic(
        runs in prop::collection::vec(run(), 1..9),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode(&runs);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert!(decode(&bytes).map_or(0, |runs| runs.len()) <= bytes.len() / RUN_BYTES_MIN);
    }

    #[test]
    fn what_is_cut_off_within_a_run_is_an_error(run in run(), left in any::<prop::sample::Index>()) {
        let whole = encode(&[run]);
        let left = 2 + left.index(whole.len() - 2);
        prop_assert_eq!(decode(&whole[..left]), Err(HistoryError::CutOff));
    }
}

#[test]
fn a_usual_run_takes_less_than_32_bytes() {
    let runs: Vec<Run> = (0..64).map(usual).collect();
    let bytes = encode(&runs).len();
    assert!(bytes < 64 * 32, "{bytes}");
}

#[test]
fn nothing_is_no_runs_and_not_nothing() {
    assert_eq!(decode(&encode(&[])), Ok(vec![]));
    assert_eq!(decode(&[]), Err(HistoryError::CutOff));
}

#[test]
fn another_version_is_named() {
    let mut bytes = encode(&[usual(0)]);
    bytes[0] = 9;
    assert_eq!(decode(&bytes), Err(HistoryError::Version { found: 9 }));
}

#[test]
fn values_that_are_never_written_are_named() {
    #[track_caller]
    fn check(rest: &[u8], what: &'static str) {
        let bytes = [&[VERSION][..], &[7; 16], rest].concat();
        assert_eq!(decode(&bytes), Err(HistoryError::Impossible { what }));
    }
    check(&[0, 0b11], "verdict");
    check(&[0, 0b100, 0xff, 0xff, 0xff, 0xff, 0x7f], "number");
    check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "number");
    check(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], "number");
}
