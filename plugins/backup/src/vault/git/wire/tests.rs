use super::*;

const ID: &str = "0123456789012345678901234567890123456789";

fn lines(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for text in lines {
        if text.is_empty() { out.extend_from_slice(FLUSH) } else { line(&mut out, text) }
    }
    out
}

fn banded(band: u8, data: &[u8]) -> Vec<u8> {
    let mut out = format!("{:04x}", data.len() + 5).into_bytes();
    out.push(band);
    out.extend_from_slice(data);
    out
}

#[test]
fn an_advert_tells_branches_and_the_default_one() {
    let first = format!("{ID} HEAD\0ofs-delta symref=HEAD:refs/heads/trunk agent=x\n");
    let body = lines(&["# service=git-upload-pack\n", "", &first, &format!("{ID} refs/heads/trunk\n"), ""]);
    let advert = Advert::parse("git-upload-pack", &body).unwrap();
    assert_eq!(advert.head(), Some("refs/heads/trunk"));
    assert!(advert.has("ofs-delta") && !advert.has("ofs"));
    assert_eq!(advert.refs["refs/heads/trunk"].to_string(), ID);
}

#[test]
fn an_empty_repository_has_no_refs() {
    let first = format!("{} capabilities^{{}}\0report-status\n", "0".repeat(40));
    let body = lines(&["# service=git-receive-pack\n", "", &first, ""]);
    assert!(Advert::parse("git-receive-pack", &body).unwrap().refs.is_empty());
}

#[test]
fn what_is_no_git_server_is_told_apart() {
    let check = |body: &[u8], why: Garbled| assert_eq!(Advert::parse("git-upload-pack", body), Err(why));
    check(b"<html>", Garbled::NoLine);
    check(b"", Garbled::NoLine);
    check(&lines(&["# service=git-upload-pack\n", ""]), Garbled::Short);
    check(&lines(&["# service=git-upload-pack\n", "", "ERR gone"]), Garbled::Refused("gone".to_owned()));
    let first = format!("{} HEAD\0object-format=sha256\n", "0".repeat(40));
    check(&lines(&["# service=git-upload-pack\n", "", &first, ""]), Garbled::OtherHashes);
    assert_eq!(next(&mut &b"0001"[..]), Err(Garbled::NoLine));
}

#[test]
fn a_pack_comes_in_pieces_of_any_length() {
    let mut answer = lines(&[&format!("ACK {ID}\n"), &format!("ACK {ID}\n")]);
    answer.extend(banded(2, b"counting"));
    answer.extend(banded(1, b"PACK"));
    answer.extend(banded(1, b"rest"));
    answer.extend(FLUSH);
    for length in 1..answer.len() {
        let mut taken = PackAnswer::new(true);
        let pack: Vec<u8> = answer.chunks(length).flat_map(|piece| taken.feed(piece).unwrap()).collect();
        assert_eq!(pack, b"PACKrest");
        assert!(taken.is_whole());
    }
    let mut cut = PackAnswer::new(true);
    cut.feed(&answer[..answer.len() - 6]).unwrap();
    assert!(!cut.is_whole());
    let mut plain = PackAnswer::new(false);
    assert_eq!(plain.feed(b"0008NAK\nPACK").unwrap(), b"PACK");
    let refused = PackAnswer::new(true).feed(&[lines(&["NAK\n"]), banded(3, b"no\n")].concat());
    assert_eq!(refused, Err(Garbled::Refused("no".to_owned())));
}

#[test]
fn a_push_is_done_only_when_the_server_says_so_of_the_branch() {
    let report = |texts: &[&str]| push_report(&lines(texts), false, "refs/heads/m");
    assert_eq!(report(&["unpack ok\n", "ok refs/heads/m\n", ""]), Ok(None));
    assert_eq!(
        report(&["unpack ok\n", "ng refs/heads/m fetch first\n", ""]),
        Ok(Some("fetch first".to_owned()))
    );
    assert_eq!(report(&["unpack ok\n", "ok refs/heads/other\n", ""]), Err(Garbled::Short));
    assert_eq!(report(&["unpack disk full\n", ""]), Err(Garbled::Refused("disk full".to_owned())));
    assert_eq!(report(&["ok refs/heads/m\n", ""]), Err(Garbled::NoLine));
    let inner = lines(&["unpack ok\n", "ok refs/heads/m\n", ""]);
    let both = [banded(2, b"hi"), banded(1, &inner), FLUSH.to_vec()].concat();
    assert_eq!(push_report(&both, true, "refs/heads/m"), Ok(None));
    assert_eq!(push_report(&both[..both.len() - 5], true, "refs/heads/m"), Err(Garbled::Short));
}
