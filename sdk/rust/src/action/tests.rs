use std::{
    future,
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Deserialize;

use super::*;
use crate::{
    Delivery, Event, Outcome,
    plugin::{CreateError, Plugin},
    testing::PluginHarness,
};

struct Acting;

/// What `hold` says when it has begun, and when its future is dropped.
static HOLDS: AtomicBool = AtomicBool::new(false);
static DROPPED: AtomicBool = AtomicBool::new(false);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Whom to greet.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
    seconds: u64,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

struct Greet;

impl Action<Acting> for Greet {
    const NAME: &str = "greet";
    const TITLE: &str = "Greet";
    const DESCRIPTION: &str = "Greets somebody";
    type Input = Named;
    type Output = Greeting;

    async fn run(_: &Acting, input: Named, call: &ActionCall) -> Result<Greeting, ActionError> {
        match input.name.as_str() {
            "" => Err(ActionError::input("/name", "is empty")),
            "nobody" => Err(ActionError::not_found("there is nobody")),
            "fails" => Err(Failure::retry("connect", "no connection").into()),
            "panics" => panic!("at the greeting"),
            name => {
                call.log().info("greeting");
                Ok(Greeting { text: format!("hello, {name}"), seconds: call.time_left().as_secs() })
            }
        }
    }
}

/// Never ends.
struct Hold;

impl Action<Acting> for Hold {
    const NAME: &str = "hold";
    const TITLE: &str = "Hold";
    const DESCRIPTION: &str = "Waits";
    const DANGER: bool = true;
    type Input = Nothing;
    type Output = ();

    async fn run(_: &Acting, _: Nothing, _: &ActionCall) -> Result<(), ActionError> {
        struct Note;
        impl Drop for Note {
            fn drop(&mut self) {
                DROPPED.store(true, Ordering::SeqCst);
            }
        }
        let _note = Note;
        HOLDS.store(true, Ordering::SeqCst);
        future::pending().await
    }
}

struct Quiet;

impl Action<Acting> for Quiet {
    const NAME: &str = "quiet";
    const TITLE: &str = "Quiet";
    const DESCRIPTION: &str = "Gives nothing";
    type Input = Nothing;
    type Output = ();

    async fn run(_: &Acting, _: Nothing, _: &ActionCall) -> Result<(), ActionError> {
        Ok(())
    }
}

struct Listing;

impl Action<Acting> for Listing {
    const NAME: &str = "listing";
    const TITLE: &str = "Listing";
    const DESCRIPTION: &str = "Gives what is no object";
    type Input = Nothing;
    type Output = Vec<String>;

    async fn run(_: &Acting, _: Nothing, _: &ActionCall) -> Result<Vec<String>, ActionError> {
        Ok(vec![])
    }
}

impl Plugin for Acting {
    type Config = serde_json::Value;

    fn actions() -> Actions<Self> {
        Actions::none().with::<Greet>().with::<Hold>().with::<Quiet>().with::<Listing>()
    }

    async fn create(_: Host, _: serde_json::Value) -> Result<Self, CreateError> {
        Ok(Self)
    }

    async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        Ok(Outcome::delivered())
    }
}

fn start() -> PluginHarness<Acting> {
    PluginHarness::builder().start().unwrap()
}

#[test]
fn an_action_takes_and_gives_its_types() {
    let harness = start();
    let greeting = harness.act("greet", &json!({ "name": "Ada" }));
    assert_eq!(greeting, Ok(json!({ "text": "hello, Ada", "seconds": 60 })));
    assert_eq!(harness.act("quiet", &json!({})), Ok(json!({})));
    let end = harness.shut_down();
    assert_eq!(end.logs[0].message, "greeting");
    assert_eq!(end.never_completed, 0);
}

#[test]
fn each_refusal_is_told_as_it_is() {
    let harness = start();
    let greet = |name: &str| harness.act("greet", &json!({ "name": name })).unwrap_err();
    assert_eq!(greet(""), ActionError::input("/name", "is empty"));
    assert_eq!(greet("nobody"), ActionError::not_found("there is nobody"));
    assert_eq!(greet("fails"), ActionError::unavailable("no connection"));
    assert_eq!(greet("panics"), ActionError::failed("the plugin panicked: at the greeting"));
    assert_eq!(harness.act("listing", &json!({})), Err(ActionError::failed("the output is no object")));
    let unknown = harness.act("other", &json!({})).unwrap_err();
    assert_eq!(unknown, ActionError::not_found("the plugin has no action of this name"));
    assert_eq!(greet("").to_string(), "/name: is empty");
}

#[test]
fn an_input_that_does_not_fit_names_the_place() {
    let harness = start();
    let ActionError::Input(faults) = harness.act("greet", &json!({ "name": 7 })).unwrap_err() else {
        panic!()
    };
    assert_eq!(faults[0].path, "/name");
    let ActionError::Input(faults) = harness.act("greet", &json!({})).unwrap_err() else { panic!() };
    assert_eq!(faults[0].message, "missing field `name`");
    assert!(matches!(harness.act("greet", &json!(7)), Err(ActionError::Input(_))));
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_dropped_and_ends() {
    let harness = start();
    let hold = json!({});
    let cancel = async {
        while !HOLDS.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        harness.cancel_actions();
    };
    let (ended, ()) = tokio::join!(harness.act_async("hold", &hold), cancel);
    assert_eq!(ended, Err(ActionError::unavailable("the gateway gave the action up")));
    assert!(DROPPED.load(Ordering::SeqCst));
    let host = harness.host();
    let held = harness.begin("hold");
    drop(harness);
    let end = held.await.unwrap();
    assert_eq!(end.status, abi::POSTROOM_E_STALE);
    assert_eq!(host.open(), 0);
}

#[test]
fn what_is_said_of_an_action_comes_from_its_types() {
    let described = Acting::actions().describe().unwrap();
    assert_eq!(described[0]["name"], "greet");
    assert_eq!((&described[0]["danger"], &described[1]["danger"]), (&json!(false), &json!(true)));
    let name = &described[0]["input_schema"]["properties"]["name"];
    assert_eq!((&name["type"], &name["description"]), (&json!("string"), &json!("Whom to greet.")));
    assert_eq!(described[0]["input_schema"]["required"], json!(["name"]));
    assert_eq!(described[0]["input_schema"]["additionalProperties"], false);
    assert_eq!(described[2]["output_schema"]["type"], "object");
    assert_eq!(Actions::<Acting>::none().describe(), None);
}
