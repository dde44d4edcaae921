use super::{npm_is_cut_off, pip_is_cut_off};

#[test]
fn only_an_index_that_cannot_be_reached_excuses_a_failed_install() {
    let broken = "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection \
        broken by 'NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused')': \
        /simple/itoc360/";
    let none = "ERROR: No matching distribution found for itoc360==0.1.0";
    let mismatch = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the \
        package versions, please update the hashes.";
    let check = |said: &[&str], expected: bool| {
        assert_eq!(pip_is_cut_off(&said.join("\n")), expected, "{said:?}");
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

#[test]
fn npm_is_excused_by_a_registry_that_cannot_be_reached_alone() {
    let check = |said: &str, expected: bool| assert_eq!(npm_is_cut_off(said), expected, "{said}");
    check("npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED", true);
    check("npm error code EAI_AGAIN", true);
    check("npm error code EINTEGRITY\nnpm error after ECONNRESET", false);
    check("npm error code ENOSPC\nnpm error syscall write", false);
    check("npm error code EUSAGE\nnpm error `npm ci` can only install packages when", false);
}
