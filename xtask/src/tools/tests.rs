use super::is_unreachable;

#[test]
fn only_an_index_that_cannot_be_reached_excuses_a_failed_install() {
    let broken = "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection \
        broken by 'NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused')': \
        /simple/itoc360/";
    let none = "ERROR: No matching distribution found for itoc360==0.1.0";
    let mismatch = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the \
        package versions, please update the hashes.";
    let check = |said: &[&str], expected: bool| {
        assert_eq!(is_unreachable(&said.join("\n")), expected, "{said:?}");
    };
    check(&[broken, none], true);
    check(&[none], false);
    check(&[mismatch], false);
    check(&[broken, mismatch], false);
    check(
        &["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"],
        false,
    );
}
