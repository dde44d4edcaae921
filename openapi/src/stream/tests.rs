use std::time::Duration;

use futures_util::StreamExt as _;
use poem::http::{StatusCode, header};
use poem_openapi::types::Example as _;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{About, Change, Topic, Topics, Wanted};
use crate::{
    auth::SESSION_COOKIE,
    deliveries::DeliveryState,
    events::Kind,
    fake::{API_KEY, Fake, SESSION, Script, event},
    incidents::Incident,
    port::{FollowError, Step, Told},
};

const PATH: &str = "/api/v1/stream";

fn told(position: &str, change: Change) -> Step {
    Step::Told(vec![Told::Change { position: position.to_owned(), change }])
}

async fn read_all(fake: &Fake, path: &str) -> String {
    let response = fake.get(path).await;
    response.assert_status_is_ok();
    response.0.into_body().into_string().await.unwrap()
}

#[tokio::test]
async fn a_message_has_a_position_a_topic_and_the_thing_as_its_list_gives_it() {
    let listed = crate::events::Event { deliveries: None, routes: None, ..event(1) };
    let steps = [told("1.2.3", Change::event(&listed))].into();
    let fake = Fake::with_events(1).telling(Script { steps, ..Script::default() });
    let response = fake.get(PATH).await;
    response.assert_status_is_ok();
    response.assert_content_type("text/event-stream");
    response.assert_header("x-accel-buffering", "no");
    response.assert_header(header::CACHE_CONTROL, "no-store");
    let text = response.0.into_body().into_string().await.unwrap();
    let message = text.strip_prefix("retry: 2000\nid: 0\n\nid: 1.2.3\nevent: events\ndata: ").unwrap();
    let data: Value = serde_json::from_str(message.strip_suffix("\n\n").unwrap()).unwrap();
    assert_eq!(data, fake.get_json("/api/v1/events").await["items"][0]);
}

#[tokio::test]
async fn what_was_missed_is_told_with_what_to_read_anew() {
    let resync = Told::Resync {
        position: "9".to_owned(),
        topics: Topics::of(&[Topic::Deliveries, Topic::Events]),
        reason: "because",
        after_event: Some("e1".to_owned()),
    };
    let fake =
        Fake::default().telling(Script { steps: [Step::Told(vec![resync])].into(), ..Script::default() });
    let text = read_all(&fake, PATH).await;
    let data = text.split_once("id: 9\nevent: resync\ndata: ").unwrap().1;
    assert_eq!(
        serde_json::from_str::<Value>(data).unwrap(),
        json!({"topics": ["events", "deliveries"], "reason": "because", "after_event": "e1"})
    );
}

#[tokio::test]
async fn what_is_wanted_reaches_the_gateway() {
    let fake = Fake::default();
    read_all(&fake, &format!("{PATH}?topic=events&topic=deliveries&kind=monitor_run&source=acme&monitor=m"))
        .await;
    read_all(&fake, &format!("{PATH}?destination=itoc360&state=dead&after=1.2.3")).await;
    let wanted = |topics: &[Topic]| Wanted { topics: Topics::of(topics), ..Wanted::default() };
    let runs = Wanted {
        kind: Some(Kind::MonitorRun),
        source: Some("acme".to_owned()),
        monitor: Some("m".to_owned()),
        ..wanted(&[Topic::Events, Topic::Deliveries])
    };
    let dead = Wanted {
        destination: Some("itoc360".to_owned()),
        state: Some(DeliveryState::Dead),
        ..wanted(&[Topic::Deliveries])
    };
    assert_eq!(fake.filters(), [format!("{runs:?} after None"), format!("{dead:?} after Some(\"1.2.3\")")]);
}

#[tokio::test]
async fn the_header_goes_before_the_parameter() {
    let fake = Fake::default();
    let client = fake.client();
    let request = client.get(PATH).query("after", &"old").header("Last-Event-ID", "new");
    request.header(header::AUTHORIZATION, format!("Bearer {API_KEY}")).send().await.assert_status_is_ok();
    assert!(fake.filters()[0].ends_with("after Some(\"new\")"), "{:?}", fake.filters());
}

#[tokio::test]
async fn a_filter_that_nothing_can_meet_is_refused() {
    let fake = Fake::default();
    for query in ["topic=incidents&kind=activity", "topic=events&state=dead", "topic=weather"] {
        fake.get(&format!("{PATH}?{query}")).await.assert_status(StatusCode::BAD_REQUEST);
    }
    let refused = fake.get(&format!("{PATH}?topic=weather")).await.0.into_body().into_string().await.unwrap();
    let said = "parameter `topic`: expected one or more of events, deliveries, incidents, destinations\"";
    assert!(refused.contains(said), "{refused}");
}

#[tokio::test]
async fn one_reader_too_many_is_told_when_to_come_again() {
    let response = Fake::full().get(PATH).await;
    response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
    response.assert_header(header::RETRY_AFTER, "5");
}

#[tokio::test]
async fn whoever_cannot_follow_is_told_why() {
    for refusal in [FollowError::Stopping, FollowError::Failed] {
        let script = Script { refusal: Some(refusal.clone()), ..Script::default() };
        let response = Fake::default().telling(script).get(PATH).await;
        response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
        let text = response.0.into_body().into_string().await.unwrap();
        assert!(text.contains(&refusal.to_string()), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives_and_where_it_is() {
    let fake = Fake::default().telling(Script { goes_on: true, ..Script::default() });
    let mut body = fake.get(PATH).await.0.into_body().into_bytes_stream();
    let begun = Instant::now();
    assert_eq!(body.next().await.unwrap().unwrap(), "retry: 2000\nid: 0\n\n");
    assert_eq!(body.next().await.unwrap().unwrap(), ": still here\nid: 0\n\n");
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_what_its_reader_was_let_in_by_and_only_looks_at_that() {
    let by_key = (API_KEY, header::AUTHORIZATION, format!("Bearer {API_KEY}"), "look at a key");
    let by_session = (SESSION, header::COOKIE, format!("{SESSION_COOKIE}={SESSION}"), "look at a session");
    for (credential, name, value, looked) in [by_key, by_session] {
        for step in [Some(Step::KeysChanged), None] {
            let steps = step.into_iter().collect();
            let fake = Fake::default().telling(Script { steps, goes_on: true, ..Script::default() });
            let response = fake.client().get(PATH).header(name.clone(), &value).send().await;
            let mut body = response.0.into_body().into_bytes_stream();
            body.next().await.unwrap().unwrap();
            fake.revoke(credential);
            let end = timeout(Duration::from_secs(60), body.next()).await;
            assert!(end.expect("it ends").is_none());
            let asked = fake.filters();
            assert_eq!(asked.iter().filter(|asked| *asked == looked).count(), 1, "{asked:?}");
        }
    }
}

#[test]
fn each_part_of_a_filter_must_hold() {
    #[track_caller]
    fn check(wanted: &Wanted, about: &About, takes: bool) {
        assert_eq!(wanted.takes(about), takes, "{wanted:?} {about:?}");
    }
    let all = Wanted { topics: Topics::ALL, ..Wanted::default() };
    let delivery = About {
        kind: Some(Kind::Activity),
        source: Some("acme".to_owned()),
        destination: Some("mail".to_owned()),
        subject: Some("m".to_owned()),
        state: Some(DeliveryState::Dead),
        ..About::of(Topic::Deliveries)
    };
    check(&all, &delivery, true);
    check(&Wanted { topics: Topics::of(&[Topic::Events]), ..all.clone() }, &delivery, false);
    for (holds, other) in [
        (
            Wanted { kind: Some(Kind::Activity), ..all.clone() },
            Wanted { kind: Some(Kind::MonitorRun), ..all.clone() },
        ),
        (
            Wanted { source: Some("acme".to_owned()), ..all.clone() },
            Wanted { source: Some("b".to_owned()), ..all.clone() },
        ),
        (
            Wanted { destination: Some("mail".to_owned()), ..all.clone() },
            Wanted { destination: Some("b".to_owned()), ..all.clone() },
        ),
        (
            Wanted { monitor: Some("m".to_owned()), ..all.clone() },
            Wanted { monitor: Some("b".to_owned()), ..all.clone() },
        ),
        (
            Wanted { state: Some(DeliveryState::Dead), ..all.clone() },
            Wanted { state: Some(DeliveryState::Pending), ..all.clone() },
        ),
    ] {
        check(&holds, &delivery, true);
        check(&other, &delivery, false);
    }
    let incident = Change::incident(&Incident::example());
    check(&Wanted { monitor: Some(Incident::example().monitor_uid), ..all }, &incident.about, true);
}
