use thiserror::Error;

use super::{Beyond, Reach, refused};

#[track_caller]
fn check(address: &str, public: bool, private: bool) {
    let parsed = address.parse().unwrap();
    assert_eq!(Reach::Public.allows(parsed), public, "public reach of {address}");
    assert_eq!(Reach::Private.allows(parsed), private, "private reach of {address}");
    assert!(Reach::Any.allows(parsed), "any reach of {address}");
}

#[test]
fn public_addresses_are_within_every_reach() {
    for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.169.0.1", "198.20.0.1", "2606:4700::1111"] {
        check(address, true, true);
    }
}

#[test]
fn this_machine_and_private_networks_are_private() {
    for address in
        ["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"]
    {
        check(address, false, true);
    }
    for address in ["::1", "::", "fd00::1", "fc12::1", "fd00:ec2::253"] {
        check(address, false, true);
    }
}

#[test]
fn link_local_and_reserved_addresses_and_credentials_of_clouds_are_neither() {
    for address in ["169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1", "0.1.2.3", "192.0.2.1"] {
        check(address, false, false);
    }
    for address in ["100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "fd00:42::42"] {
        check(address, false, false);
    }
    for address in ["fe80::1", "ff02::1", "2001:db8::1", "2001::1", "4000::1", "fec0::1"] {
        check(address, false, false);
    }
}

#[test]
fn an_ipv4_address_in_another_dress_is_what_it_is() {
    check("::ffff:8.8.8.8", true, true);
    check("::ffff:127.0.0.1", false, true);
    check("::ffff:169.254.169.254", false, false);
    check("::10.0.0.1", false, true);
    check("64:ff9b::169.254.169.254", false, false);
    check("64:ff9b::10.0.0.1", false, true);
    check("2002:a9fe:a9fe::1", false, false);
    check("2002:808:808::1", true, true);
}

#[test]
fn every_spelling_of_an_address_in_a_url_is_seen() {
    let refused = |url: &str| Reach::Public.check(url).is_err();
    for url in [
        "http://127.0.0.1/",
        "http://127.1:8080/x",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]:80/",
        "http://user:password@10.0.0.1/",
    ] {
        assert!(refused(url), "{url}");
    }
    for url in ["https://example.com/127.0.0.1", "https://1.1.1.1/", "not a url"] {
        assert!(!refused(url), "{url}");
    }
}

#[test]
fn a_refusal_is_found_below_other_errors() {
    #[derive(Debug, Error)]
    #[error("no connection")]
    struct NoConnection(#[source] Beyond);

    assert!(refused(&NoConnection(Beyond)).is_some());
    assert!(refused(&std::io::Error::other("something else")).is_none());
}
