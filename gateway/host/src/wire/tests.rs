use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use postroom_core::{event::Verdict, id::EventId, secret::Secret};
use proptest::prelude::*;

use super::{Frame, Start, TO_GATEWAY_BYTES_MAX, Tail, ToChild, ToGateway, WireError, take_frame};
use crate::{
    action::ActionReport,
    clock,
    config_fault::ConfigFault,
    faults::Faults,
    offer::Offer,
    outcome::Report,
    plugin_emit::{EmitReply, EmitRequest},
    plugin_health::HealthReport,
    plugin_log::LogRecord,
    plugin_metrics::{Measurement, MetricKind},
    plugin_state::{Expected, KEY_BYTES_MAX, StateOperation, StateReply, VALUE_BYTES_MAX},
    sandbox::{Access, FileId, Folder, Layer, Layers, Network, Place, Plan, SandboxMode},
    testing::{bytes_of, delivery, file_delivery, only_frame, read_only},
};

fn plan() -> Plan {
    Plan {
        mode: SandboxMode::Required,
        network: Network::Ports([443].into()),
        folders: vec![Folder { path: "/data".into(), access: Access::Write }],
        files: ["/data".into()].into(),
        memory_bytes: 1 << 40,
        stacks_bytes: 1 << 23,
        pool_bytes: 1 << 24,
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

fn places() -> Vec<Place> {
    let place = |path: &str, access, id| Place { path: path.into(), access, id };
    vec![
        place("/etc/hosts", Access::Read, Some(FileId { device: 1, inode: u64::MAX })),
        place("/data", Access::Write, None),
    ]
}

fn start() -> Start {
    Start {
        plan: plan(),
        config_json: r#"{"token":{"$secret":"token"}}"#.into(),
        secrets: [("token".to_owned(), Secret::new("s3cret"))].into(),
        concurrency: 8,
        log_level: 3,
        metrics: [("pages".to_owned(), "counter".to_owned())].into(),
        emit: true,
        check_only: true,
    }
}

fn emit_request() -> EmitRequest {
    EmitRequest {
        token: 3,
        nth: 2,
        kind: "page_opened".parse().unwrap(),
        subject: "night run".into(),
        ordering_key: "k".into(),
        verdict: Some(Verdict::Failed),
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: "text/plain".into(),
        key: "key".into(),
        body: Bytes::from_static(&[0, 0xff]),
    }
}

#[test]
fn what_no_plugin_can_make_is_a_fault() {
    let refused = |event: EmitRequest| {
        let frame = only_frame(ToGateway::Emit { request: 1, event: Box::new(event) }.encode());
        assert_eq!(ToGateway::decode(frame), Err(WireError::Value("event")));
    };
    refused(EmitRequest { body: vec![0; 1024 * 1024 + 1].into(), ..emit_request() });
    refused(EmitRequest { subject: "x".repeat(1025), ..emit_request() });
    refused(EmitRequest { key: "x".repeat(129), ..emit_request() });
    refused(EmitRequest { content_type: "a\nb".into(), ..emit_request() });
    refused(EmitRequest { labels: [(String::new(), String::new())].into(), ..emit_request() });
    let measurement = Measurement {
        kind: MetricKind::Counter,
        name: "pages".into(),
        value_milli: -1,
        labels: BTreeMap::new(),
        lost: 0,
    };
    let frame = only_frame(ToGateway::Metric(measurement).encode());
    assert_eq!(ToGateway::decode(frame), Err(WireError::Value("metric")));
}

fn frames_to_gateway() -> Vec<ToGateway> {
    vec![
        ToGateway::Confined { layers: layers(), places: places() },
        ToGateway::Ready { concurrency: 8 },
        ToGateway::Valid { actions: true },
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
        ToGateway::Faults(Faults { stale: 1, late: u64::MAX, slow: 3, threads: 4 }),
        ToGateway::Health { report: None },
        ToGateway::Health { report: Some(HealthReport { status: -8, detail_json: "{}".into() }) },
        ToGateway::ActionReply {
            token: 9,
            report: ActionReport { status: -1, output_json: "{}".into(), message: "äh".into() },
        },
        ToGateway::Metric(Measurement {
            kind: MetricKind::Gauge,
            name: "open".into(),
            value_milli: i64::MIN,
            labels: [("team".to_owned(), "ä".to_owned())].into(),
            lost: 7,
        }),
        ToGateway::Extended { token: 3, want_ms: u32::MAX },
        ToGateway::Emit { request: 4, event: Box::new(emit_request()) },
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
    check_to_child(Frame::health(), &ToChild::Health);
    let secrets = start().secrets;
    check_to_child(Frame::secrets(3, &secrets), &ToChild::Secrets { number: 3, secrets });
    let event = EventId::from_bytes([7; 16]);
    for reply in [
        EmitReply::Done { event, repeated: false },
        EmitReply::Done { event, repeated: true },
        EmitReply::Denied,
        EmitReply::Unavailable,
        EmitReply::Stale,
    ] {
        check_to_child(Frame::emit_reply(3, &reply), &ToChild::EmitReply { request: 3, reply });
    }
    let action = ToChild::Action {
        token: 7,
        deadline_unix_ms: 9,
        name: "list".into(),
        input_json: Bytes::from_static(b"{}"),
    };
    check_to_child(Frame::action(7, 9, "list", "{}".into()), &action);
    check_to_child(Frame::cancel_action(7), &ToChild::CancelAction { token: 7 });
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
        deadline_max_unix_ms: clock::unix_ms(delivery.deadline_max()),
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

#[test]
fn a_value_does_not_hold_on_to_what_was_read_with_it() {
    let (key, value, expected) = ("k".to_owned(), Bytes::from_static(b"v"), Expected::Any);
    let put = StateOperation::Put { key, value, expected, ttl: None };
    let mut read = ToGateway::State { request: 1, operation: put }.encode();
    read.extend_from_slice(&ToGateway::Pong.encode());
    let frame = take_frame(&mut read, TO_GATEWAY_BYTES_MAX).unwrap().unwrap();
    let Ok(ToGateway::State { operation: StateOperation::Put { value, .. }, .. }) = ToGateway::decode(frame)
    else {
        panic!("the frame is one of these");
    };
    assert!(value.is_unique());
}
