//! What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.
//!
//! It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and a
//! destination `copies` that runs the plugin `backup`.

use std::{env, error::Error, pin::pin, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use postroom_client::{Client, List as _, types};
use serde_json::json;

type Done = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Done {
    let server = env::var("POSTROOM_URL")?;
    let connect = |key| -> Result<Client, Box<dyn Error>> { Ok(Client::new(&server, &env::var(key)?)?) };
    let client = connect("POSTROOM_KEY")?;
    if env::args().nth(1).as_deref() == Some("tomorrow") {
        return tomorrow(&client).await;
    }
    let sent = receive(&connect("POSTROOM_SOURCE_TOKEN")?).await?;
    list(&client, &sent).await?;
    let delivery = deliver(&client, &sent[0]).await?;
    replay(&client, &sent[0], &delivery).await?;
    pause(&client).await?;
    act(&client, &sent[3]).await?;
    refuse(&client, &connect("POSTROOM_VIEWER_KEY")?, &delivery).await
}

/// Sends what Postman would send; gives the ids of the events. The client has the source's token as its key.
async fn receive(postman: &Client) -> Result<Vec<String>, Box<dyn Error>> {
    let mut sent = Vec::new();
    for number in 1..=3 {
        let metrics = types::MonitorRunMetrics::builder().failed_tests(0).request_count(number);
        let run: types::MonitorRunResult = types::MonitorRunResult::builder()
            .monitor_uid("story-monitor".to_owned())
            .monitor_name("Checkout".to_owned())
            .metrics(metrics)
            .try_into()?;
        let accepted = postman.receive_hook().source("postman").body(run).send().await?;
        assert_eq!(accepted.kind.as_str(), "monitor_run");
        sent.push(accepted.event_id.clone());
    }
    let collection = json!({ "info": { "_postman_id": "story-collection", "name": "Orders" }, "item": [] });
    let backup: types::CollectionBackup = types::CollectionBackup::builder()
        .collection(collection.as_object().cloned().unwrap_or_default())
        .try_into()?;
    sent.push(postman.receive_hook().source("postman").body(backup).send().await?.event_id.clone());
    Ok(sent)
}

/// Every event, two to a page, newest first; then the body of the first one.
async fn list(client: &Client, sent: &[String]) -> Done {
    let events: Vec<types::Event> = client.list_events().limit(2).items().try_collect().await?;
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert!(ids.iter().eq(sent.iter().rev()), "{ids:?}");
    let runs = client.list_events().kind("monitor_run").subject("story-monitor").items();
    assert_eq!(runs.count().await, 3);

    let event = client.get_event().id(&sent[0]).send().await?;
    let body = client.event_body(&event.id).await?;
    assert_eq!(i64::try_from(body.len())?, event.body_bytes);
    let run: types::MonitorRunResult = serde_json::from_slice(&body)?;
    assert_eq!(run.monitor_name.as_deref(), Some("Checkout"));
    Ok(())
}

/// What became of an event, as soon as it is delivered.
async fn deliver(client: &Client, event: &str) -> Result<types::Delivery, Box<dyn Error>> {
    let delivery = loop {
        let mut deliveries = pin!(client.list_deliveries().event_id(event).state("delivered").items());
        if let Some(delivery) = deliveries.try_next().await? {
            break delivery;
        }
        poll().await;
    };
    let delivery = client.get_delivery().id(&delivery.id).send().await?.into_inner();
    let outcomes: Vec<&str> = delivery.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["delivered"], "at {}", delivery.destination);
    Ok(delivery)
}

/// Delivers an event once more: counts first what would be repeated, then has it repeated.
async fn replay(client: &Client, event: &str, delivery: &types::Delivery) -> Done {
    let filter = || types::ReplayFilter::builder().event_id(event.to_owned());
    let counted =
        client.create_replay().body_map(|replay| replay.filter(filter()).dry_run(true)).send().await?;
    assert_eq!(counted.count, 1);
    let started = client.create_replay().body_map(|replay| replay.filter(filter())).send().await?;
    let id = started.id.clone().ok_or("a replay that runs has an id")?;
    while client.get_replay().id(&id).send().await?.state.as_str() != "done" {
        poll().await;
    }
    let again: Vec<types::Delivery> = client.list_deliveries().replay_id(&id).items().try_collect().await?;
    assert_eq!(again[0].replay_of.as_ref(), Some(&delivery.id));
    Ok(())
}

/// Holds a destination back, and lets it go on.
async fn pause(client: &Client) -> Done {
    let paused = client.pause_destination().name("archive").send().await?;
    assert!(paused.paused_by.is_some());
    let resumed = client.resume_destination().name("archive").send().await?;
    assert!(resumed.paused_by.is_none());
    Ok(())
}

/// Has the plugin of a destination do something beside delivering: tell what it has copies of.
async fn act(client: &Client, backup: &str) -> Done {
    deliver(client, backup).await?;
    let action = client.run_destination_action().name("copies").action("collections");
    let done = action.body(serde_json::Map::new()).send().await?;
    assert_eq!(done.output["collections"][0]["versions"], 1);
    Ok(())
}

/// Everything that a gateway refuses is a problem with a status and a code.
async fn refuse(client: &Client, viewer: &Client, delivery: &types::Delivery) -> Done {
    let stranger = Client::new(&env::var("POSTROOM_URL")?, "nobody's key")?;
    check(stranger.list_events().send().await, 401, "unauthorized");
    check(viewer.pause_destination().name("archive").send().await, 403, "forbidden");
    check(client.get_event().id("nothing").send().await, 404, "not_found");
    check(client.list_events().cursor("made-up").send().await, 400, "invalid_parameter");
    check(client.cancel_delivery().id(&delivery.id).send().await, 409, "conflict");
    let input = serde_json::Map::from_iter([("typo".to_owned(), json!(1))]);
    let action = client.run_destination_action().name("copies").action("collections").body(input);
    check(action.send().await, 422, "invalid_input");

    // No operation has a wrong method, so this one is asked for without them.
    let events = format!("{}/api/v1/events", env::var("POSTROOM_URL")?);
    let answer = client.http().delete(events).send().await?;
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.json::<types::Problem>().await?.code.as_str(), "method_not_allowed");
    Ok(())
}

fn check<T>(result: Result<T, impl Into<postroom_client::Error>>, status: i32, code: &str) {
    let error = result.err().map(Into::into);
    let problem = error.as_ref().and_then(postroom_client::Error::problem);
    let found = problem.map(|problem| (problem.status, problem.code.as_str()));
    assert_eq!(found, Some((status, code)));
}

/// A gateway of tomorrow has words and fields that this program has never heard of.
async fn tomorrow(client: &Client) -> Done {
    let events: Vec<types::Event> = client.list_events().items().try_collect().await?;
    assert!(!events.is_empty() && events.iter().all(|event| event.kind.as_str() == "of_tomorrow"));
    let deliveries: Vec<types::Delivery> = client.list_deliveries().items().try_collect().await?;
    assert!(
        !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery.state.as_str() == "of_tomorrow")
    );
    let monitors: Vec<types::Monitor> = client.list_monitors().items().try_collect().await?;
    assert!(!monitors.is_empty() && monitors.iter().all(|monitor| monitor.phase.as_str() == "of_tomorrow"));
    for destination in &client.list_destinations().send().await?.items {
        assert_eq!(destination.gate.as_str(), "of_tomorrow");
    }
    check(client.get_event().id("nothing").send().await, 404, "of_tomorrow");
    Ok(())
}

async fn poll() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
