use age::x25519::Identity;

use super::*;

fn run<T>(work: impl Future<Output = T>) -> T {
    postroom_sdk::tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

fn sealed(identity: &Identity, compress: bool) -> Coding {
    Coding { compress, encrypt_to: vec![identity.to_public()], decrypt_with: vec![identity.clone()] }
}

#[track_caller]
fn check_round_trip(coding: &Coding, body: &[u8]) {
    let file = format!("x{}", coding.extension());
    let body = Bytes::copy_from_slice(body);
    let length = body.len() as u64;
    let encoded = run(coding.encode(body.clone(), coding.compress)).unwrap();
    assert_eq!(run(coding.decode(&file, encoded.clone(), length)).unwrap(), body);
    assert_eq!(run(coding.hash(&file, encoded.clone(), length)).unwrap(), hex(&Sha256::digest(&body)));
    if file != "x.json" {
        for length in [length + 1, length.saturating_sub(1)].into_iter().filter(|it| *it != length) {
            let decoded = run(coding.decode(&file, encoded.clone(), length));
            assert!(matches!(decoded, Err(DecodeError::Damaged(_))), "{length}");
        }
        for cut in [0, encoded.len() / 2, encoded.len() - 1] {
            let decoded = run(coding.decode(&file, encoded.slice(..cut), length));
            assert!(matches!(decoded, Err(DecodeError::Damaged(_))), "{cut}");
        }
    }
}

#[test]
fn a_body_comes_back_as_it_was_in_every_coding() {
    let identity = Identity::generate();
    let plain = Coding { compress: false, ..Coding::default() };
    let packed = Coding { compress: true, ..Coding::default() };
    for coding in [plain, packed, sealed(&identity, false), sealed(&identity, true)] {
        for body in [&b"{}"[..], &[0xff; 200_000], b"{\"a\":1}"] {
            check_round_trip(&coding, body);
        }
    }
}

#[test]
fn the_extension_tells_how_it_is_read_whatever_is_set_now() {
    let identity = Identity::generate();
    let coding = sealed(&identity, true);
    let old = Coding { compress: true, ..Coding::default() };
    let encoded = run(old.encode(Bytes::from_static(b"{}"), true)).unwrap();
    assert_eq!(run(coding.decode("x.zst", encoded, 2)).unwrap(), "{}");
    assert_eq!(run(coding.decode("old/x.json", Bytes::from_static(b"{}"), 2)).unwrap(), "{}");
}

#[test]
fn a_stranger_reads_nothing() {
    let coding = sealed(&Identity::generate(), true);
    let encoded = run(coding.encode(Bytes::from_static(b"{}"), true)).unwrap();
    let stranger = sealed(&Identity::generate(), true);
    let nobody = Coding::default();
    for reader in [stranger, nobody] {
        let decoded = run(reader.decode("x.zst.age", encoded.clone(), 2));
        assert!(matches!(decoded, Err(DecodeError::NoIdentity)), "{decoded:?}");
    }
    assert!(!coding.reads("x.zst.age") || !coding.decrypt_with.is_empty());
    assert!(format!("{coding:?}").contains("identities: 1"));
}

#[test]
fn plain_bodies_are_not_copied() {
    let coding = Coding::default();
    let body = Bytes::from_static(b"{}");
    let encoded = run(coding.encode(body.clone(), false)).unwrap();
    assert_eq!(encoded.as_ptr(), body.as_ptr());
    assert_eq!(run(coding.decode("x.json", encoded, 2)).unwrap().as_ptr(), body.as_ptr());
}

#[test]
fn keys_are_read_from_what_age_keygen_writes() {
    let identity = Identity::generate();
    let public = identity.to_public().to_string();
    assert_eq!(recipient(&format!(" {public}\n")).unwrap().to_string(), public);
    assert_eq!(recipient("age1x").unwrap_err(), KeyError::Recipient("age1x".to_owned()));
    let key = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let file = Secret::new(format!("# created: 2026-11-21\n# public key: {public}\n{key}\n"));
    assert_eq!(identities(&file).unwrap().len(), 1);
    for none in ["", "# only a comment", "AGE-SECRET-KEY-1NO"] {
        let error = identities(&Secret::new(none)).err().unwrap();
        assert!(!error.to_string().contains("1NO"), "{error}");
    }
}
