use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use postroom_core::secret::Secret;
use proptest::prelude::*;

use super::{Frame, Start, TO_GATEWAY_BYTES_MAX, Tail, ToChild, ToGateway, WireError, take_frame};
use crate::{
    clock,
    config_fault::ConfigFault,
    offer::Offer,
    outcome::Report,
    plugin_log::LogRecord,
    plugin_state::{Expected, KEY_BYTES_MAX, StateOperation, StateReply, VALUE_BYTES_MAX},
    sandbox::{Access, Folder, Layer, Layers, Network, Plan, SandboxMode},
    testing::{bytes_of, delivery, file_delivery, only_frame, read_only},
};

fn plan() -> Plan {
    Plan {
        mode: SandboxMode::Required,
        network: Network::Ports([443].into()),
        folders: vec![Folder { path: "/data".into(), access: Access::Write }],
        memory_bytes: 1 << 40,
        descriptors: 256,
        threads: 64,
        left_out: [Layer::Seccomp].into(),
    }
}

fn layers() -> Layers {
    let mut layers = Layers::default();
    layers.note(Layer::Limits, None);
    layers.note(Layer::Landlock, Some("turned off".to_owned()));
    layers
}

fn start() -> Start {
    Start {
        plan: plan(),
        config_json: r#"{"token":{"$secret":"token"}}"#.into(),
        secrets: [("token".to_owned(), Secret::new("s3cret"))].into(),
        concurrency: 8,
        log_level: 3,
        check_only: true,
    }
}

fn frames_to_gateway() -> Vec<ToGateway> {
    vec![
        ToGateway::Confined { layers: layers() },
        ToGateway::Ready { concurrency: 8 },
        ToGateway::Valid,
        ToGateway::Refused { faults: vec![ConfigFault { path: "/url".into(), message: "is no URL".into() }] },
        ToGateway::Failed { message: "no memory".into() },
        ToGateway::Completed {
            token: u64::MAX,
            report: Report {
                kind: 1,
                retry_after_ms: 5,
                code: "http_200".into(),
                message: "äh".into(),
                record_json: "{}".into(),
            },
        },
        ToGateway::Released { token: 3, report: Report { message: "late".into(), ..Report::default() } },
        ToGateway::NotAccepted { token: 3, status: -9 },
        ToGateway::Log(LogRecord {
            level: 2,
            token: 3,
            target: "t".into(),
            message: "m".into(),
            fields_json: "{}".into(),
        }),
        ToGateway::LogsLost { count: 12 },
        ToGateway::Pong,
        ToGateway::State { request: 1, operation: StateOperation::Get { key: "k".into() } },
        ToGateway::State {
            request: u64::MAX,
            operation: StateOperation::Put {
                key: "é".into(),
                value: Bytes::from_static(&[0, 0xff]),
                expected: Expected::Version(7),
                ttl: Some(Duration::from_millis(5)),
            },
        },
        ToGateway::State {
            request: 2,
            operation: StateOperation::Delete { key: "k".into(), expected: Expected::Any },
        },
        ToGateway::State { request: 3, operation: StateOperation::List { prefix: String::new() } },
    ]
}

#[track_caller]
fn check_to_child(frame: Frame, expected: &ToChild) {
    assert_eq!(ToChild::decode(bytes_of(frame)).as_ref(), Ok(expected));
}

#[test]
fn every_frame_survives_the_way() {
    check_to_child(Frame::start(&start(), Arc::new(read_only(b""))), &ToChild::Start(start()));
    check_to_child(Frame::cancel(7), &ToChild::Cancel { token: 7 });
    check_to_child(Frame::ping(), &ToChild::Ping);
    check_to_child(Frame::stop(9), &ToChild::Stop { deadline_unix_ms: 9 });
    for reply in [
        StateReply::Done { version: 7, value: Bytes::from_static(b"value") },
        StateReply::NotFound,
        StateReply::Conflict { version: 9 },
        StateReply::TooLarge,
        StateReply::Unavailable,
        StateReply::Stale,
    ] {
        let frame = Frame::state_reply(3, &reply);
        check_to_child(frame, &ToChild::StateReply { request: 3, reply });
    }
    for frame in frames_to_gateway() {
        assert_eq!(ToGateway::decode(only_frame(frame.encode())), Ok(frame));
    }
}

#[test]
fn an_offer_says_all_that_a_plugin_may_know_of_the_event() {
    let delivery = delivery("{}");
    let offer = Offer {
        token: 7,
        attempt: 2,
        received_unix_ms: clock::unix_ms(delivery.event.received_at),
        deadline_unix_ms: clock::unix_ms(delivery.deadline),
        id: "07070707-0707-0707-0707-070707070707".into(),
        kind: "monitor_run".into(),
        subject: "monitor-1".into(),
        verdict: "failed".into(),
        source: "acme".into(),
        content_type: "application/json".into(),
        ordering_key: "key-1".into(),
        labels: vec![("team".into(), "payments".into())],
        body: Bytes::from_static(b"{}"),
    };
    check_to_child(Frame::deliver(7, &delivery), &ToChild::Deliver(Box::new(offer)));
}

#[test]
fn a_body_that_is_a_file_travels_as_its_length_and_a_descriptor() {
    let frame = Frame::deliver(7, &file_delivery(b"{}"));
    assert!(matches!(frame.tail, Tail::Descriptor(_)));
    let decoded = ToChild::decode(bytes_of(frame)).unwrap();
    assert!(
        matches!(&decoded, ToChild::DeliverFile { offer, bytes: 2 } if offer.token == 7 && offer.body.is_empty()),
        "{decoded:?}"
    );
}

#[test]
fn a_cut_frame_is_never_taken_for_a_whole_one() {
    for frame in frames_to_gateway() {
        let whole = only_frame(frame.encode());
        for end in 0..whole.len() {
            assert_ne!(ToGateway::decode(whole.slice(..end)), Ok(frame.clone()));
        }
    }
}

#[test]
fn bytes_behind_a_frame_are_a_fault() {
    let mut bytes = ToGateway::NotAccepted { token: 1, status: 0 }.encode();
    bytes.extend_from_slice(b"xy");
    bytes[0] += 2;
    assert_eq!(ToGateway::decode(only_frame(bytes)), Err(WireError::Trailing(2)));
}

#[test]
fn frames_come_off_the_stream_one_by_one_and_only_whole() {
    let mut stream = BytesMut::new();
    for frame in frames_to_gateway() {
        stream.extend_from_slice(&frame.encode());
    }
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for byte in stream {
        buffer.extend_from_slice(&[byte]);
        while let Some(frame) = take_frame(&mut buffer, TO_GATEWAY_BYTES_MAX).unwrap() {
            frames.push(ToGateway::decode(frame).unwrap());
        }
    }
    assert_eq!(frames, frames_to_gateway());
}

#[test]
fn lengths_out_of_bounds_are_refused_before_any_byte_of_the_frame_came() {
    for bytes in [0, TO_GATEWAY_BYTES_MAX + 1, u32::MAX as usize] {
        let mut buffer = BytesMut::from(&u32::try_from(bytes).unwrap().to_le_bytes()[..]);
        assert_eq!(
            take_frame(&mut buffer, TO_GATEWAY_BYTES_MAX),
            Err(WireError::Length { bytes, bytes_max: TO_GATEWAY_BYTES_MAX })
        );
    }
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let mut buffer = BytesMut::from(&2_000_000_u32.to_le_bytes()[..]);
    assert_eq!(take_frame(&mut buffer, TO_GATEWAY_BYTES_MAX), Ok(None));
    assert!(buffer.capacity() < 1024, "{}", buffer.capacity());

    // A list of four thousand million faults.
    let frame = Bytes::from_static(&[3, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(ToGateway::decode(frame), Err(WireError::Short));
}

#[test]
fn what_no_plugin_can_ask_of_its_state_is_a_fault() {
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    for key in ["", "two\nlines", &long] {
        let frame = ToGateway::State { request: 1, operation: StateOperation::Get { key: key.to_owned() } };
        let decoded = ToGateway::decode(only_frame(frame.encode()));
        assert_eq!(decoded, Err(WireError::Value("key or value")), "{key:?}");
    }
    let put = StateOperation::Put {
        key: "k".to_owned(),
        value: vec![0; VALUE_BYTES_MAX + 1].into(),
        expected: Expected::Any,
        ttl: None,
    };
    let decoded = ToGateway::decode(only_frame(ToGateway::State { request: 1, operation: put }.encode()));
    assert_eq!(decoded, Err(WireError::Value("key or value")));
}

#[test]
fn a_start_frame_does_not_print_its_secrets() {
    let text = format!("{:?}", start());
    assert!(!text.contains("s3cret"), "{text}");
}

proptest! {
    #[test]
    fn no_bytes_of_a_child_panic_the_gateway(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut buffer = BytesMut::from(&bytes[..]);
        while let Ok(Some(frame)) = take_frame(&mut buffer, TO_GATEWAY_BYTES_MAX) {
            let _ignored = ToGateway::decode(frame);
        }
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        frame_type in 1_u8..=10,
        payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let frame: Bytes = [&[frame_type][..], &payload].concat().into();
        if let Ok(message) = ToGateway::decode(frame.clone()) {
            prop_assert_eq!(only_frame(message.encode()), frame);
        }
    }
}
