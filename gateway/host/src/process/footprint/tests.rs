use super::*;

const STAT: &str = "4711 (a) 7 b) S 1 4711 4711 0 -1 4194560 900 0 1 0 250 75 0 0 20 0 5 0 99 12345678 321 18446744073709551615 \
                    1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0";

#[test]
fn what_the_kernel_says_is_read_whatever_the_name() {
    let expected = Footprint { resident_bytes: 321 * 4096, cpu: Duration::from_millis(3250) };
    assert_eq!(Footprint::read(STAT, 100, 4096), Some(expected));
    assert_eq!(Footprint::read("4711 (a", 100, 4096), None);
    assert_eq!(Footprint::read("4711 (a) S 1", 100, 4096), None);
}

#[test]
fn what_a_process_does_shows() {
    let own = Footprint::of(std::process::id()).unwrap();
    assert!(own.resident_bytes > 0, "{own:?}");
    // Work until it is seen; a test that has been running for so long has some already.
    while Footprint::of(std::process::id()).unwrap().cpu == Duration::ZERO {
        std::hint::spin_loop();
    }
    assert_eq!(Footprint::of(u32::MAX), None);
}
