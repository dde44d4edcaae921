use std::collections::BTreeMap;

use postroom_abi::{POSTROOM_E_UNAVAILABLE, POSTROOM_OK};
use tokio::time::advance;

use super::*;
use crate::{
    testing::{Log, bytes_of},
    wire::ToChild,
};

struct Rig {
    desk: HealthDesk,
    health: watch::Receiver<Option<PluginHealth>>,
    outgoing: mpsc::Sender<Frame>,
    sent: mpsc::Receiver<Frame>,
}

impl Rig {
    fn new(destination: &'static str) -> Self {
        let name = DestinationName::new(destination);
        let (desk, health) = HealthDesk::new(name, Arc::default(), &Limits::default());
        let (outgoing, sent) = mpsc::channel(4);
        Self { desk, health, outgoing, sent }
    }

    fn look(&mut self) -> Option<String> {
        self.desk.look(Instant::now(), &self.outgoing)
    }

    /// The questions sent since this was last asked.
    fn questions(&mut self) -> usize {
        let mut count = 0;
        while let Ok(frame) = self.sent.try_recv() {
            assert_eq!(ToChild::decode(bytes_of(frame)).unwrap(), ToChild::Health);
            count += 1;
        }
        count
    }

    fn answer(&mut self, status: i32, detail: &str) {
        let report = HealthReport { status, detail_json: detail.to_owned() };
        self.desk.answer(Some(&report)).unwrap();
    }

    fn state(&self) -> Option<HealthState> {
        self.health.borrow().as_ref().map(|health| health.state)
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_is_asked_every_half_minute_and_not_before_it_has_answered() {
    let mut rig = Rig::new("test");
    let mut asked = BTreeMap::new();
    for second in 0..100 {
        assert_eq!(rig.look(), None);
        if rig.questions() > 0 {
            asked.insert(second, ());
            rig.answer(POSTROOM_OK, "");
        }
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(asked.into_keys().collect::<Vec<_>>(), [0, 30, 60, 90]);
    assert_eq!(rig.state(), Some(HealthState::Ok));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_answer_in_time_is_ended_and_one_that_is_slow_is_not() {
    let mut rig = Rig::new("test");
    rig.look();
    advance(Duration::from_millis(4999)).await;
    assert_eq!(rig.look(), None);
    rig.answer(POSTROOM_OK, "");
    advance(Duration::from_secs(30)).await;
    rig.look();
    advance(Duration::from_secs(5)).await;
    assert_eq!(rig.look().unwrap(), "it did not say how it is for 5s");
}

#[tokio::test(start_paused = true)]
async fn one_without_a_health_function_is_asked_once_and_shows_nothing() {
    let mut rig = Rig::new("test");
    rig.look();
    rig.desk.answer(None).unwrap();
    advance(Duration::from_secs(3600)).await;
    assert_eq!((rig.look(), rig.questions(), rig.state()), (None, 1, None));
}

#[tokio::test(start_paused = true)]
async fn a_question_for_which_there_is_no_room_is_asked_later() {
    let mut rig = Rig::new("test");
    while rig.outgoing.try_send(Frame::health()).is_ok() {}
    assert_eq!(rig.look(), None);
    advance(Duration::from_secs(60)).await;
    assert_eq!(rig.look(), None, "it was not asked yet");
    assert_eq!(rig.questions(), 4);
    assert_eq!((rig.look(), rig.questions()), (None, 1));
}

#[test]
fn an_answer_without_a_question_breaks_the_protocol() {
    let mut rig = Rig::new("test");
    assert!(rig.desk.answer(None).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_once() {
    let log = Log::of("asked");
    let mut rig = Rig::new("asked");
    let detail = r#"{"message":"the pager\nis away","tries":7}"#;
    for (status, detail) in [
        (POSTROOM_OK, ""),
        (POSTROOM_OK, ""),
        (POSTROOM_E_UNAVAILABLE, detail),
        (POSTROOM_E_UNAVAILABLE, r#"{"message":"still away"}"#),
        (POSTROOM_OK, ""),
    ] {
        rig.look();
        assert_eq!(rig.questions(), 1);
        rig.answer(status, detail);
        advance(Duration::from_secs(30)).await;
    }
    let text = log.text();
    let lines: Vec<&str> = text.lines().collect();
    let [first, second] = *lines else { panic!("{text}") };
    assert!(
        first.contains("WARN")
            && first.contains(r#"plugin is not well destination="asked" state="unavailable""#)
    );
    assert!(first.contains(r#"reason="the pager is away""#), "{first}");
    assert!(second.contains("INFO") && second.contains("plugin is well again"), "{second}");
}
