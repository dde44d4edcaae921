"""What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.

It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and a
destination `copies` that runs the plugin `backup`.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TypeVar

from postroom_client import AuthenticatedClient
from postroom_client.api.deliveries import cancel_delivery, get_delivery, list_deliveries
from postroom_client.api.destinations import (
    list_destinations,
    pause_destination,
    resume_destination,
    run_destination_action,
)
from postroom_client.api.events import download_event_body, get_event, list_events
from postroom_client.api.hooks import receive_hook
from postroom_client.api.monitors import list_monitors
from postroom_client.api.replays import create_replay, get_replay
from postroom_client.models import (
    CollectionBackup,
    CollectionBackupCollection,
    Delivery,
    Event,
    ListDeliveriesState,
    MonitorRunMetrics,
    MonitorRunResult,
    NewReplay,
    Problem,
    ReplayFilter,
    RunDestinationActionBody,
)
from postroom_client.types import UNSET, Unset

URL = os.environ["POSTROOM_URL"]


def connect(key: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=key, raise_on_unexpected_status=True)


T = TypeVar("T")


def done(answer: T | Problem | None) -> T:
    """What an operation gives, if it was not refused."""
    if answer is None or isinstance(answer, Problem):
        raise RuntimeError(f"refused: {answer}")
    return answer


def receive(postman: AuthenticatedClient) -> list[str]:
    """Sends what Postman would send; gives the ids of the events. The client has the source's token as its key."""
    sent = []
    for number in range(1, 4):
        run = MonitorRunResult(
            monitor_uid="story-monitor",
            monitor_name="Checkout",
            metrics=MonitorRunMetrics(failed_tests=0, request_count=number),
        )
        accepted = done(receive_hook.sync("postman", client=postman, body=run))
        assert accepted.kind == "monitor_run", accepted
        sent.append(accepted.event_id)
    collection = {"info": {"_postman_id": "story-collection", "name": "Orders"}, "item": []}
    backup = CollectionBackup(CollectionBackupCollection.from_dict(collection))
    sent.append(done(receive_hook.sync("postman", client=postman, body=backup)).event_id)
    return sent


def all_events(client: AuthenticatedClient, limit: int) -> Iterator[Event]:
    """Every event, newest first, a page at a time."""
    cursor: str | Unset = UNSET
    while True:
        page = done(list_events.sync(client=client, limit=limit, cursor=cursor))
        yield from page.items
        if isinstance(page.next_cursor, Unset):
            return
        cursor = page.next_cursor


def look(client: AuthenticatedClient, sent: list[str]) -> None:
    """Every event, two to a page; then the body of the first one."""
    assert [event.id for event in all_events(client, limit=2)] == sent[::-1]
    runs = done(list_events.sync(client=client, kind="monitor_run", subject="story-monitor"))
    assert len(runs.items) == 3, runs

    event = done(get_event.sync(sent[0], client=client))
    body = done(download_event_body.sync(sent[0], client=client)).payload.read()
    assert len(body) == event.body_bytes
    assert json.loads(body)["monitor_name"] == "Checkout"


def deliver(client: AuthenticatedClient, event: str) -> Delivery:
    """What became of an event, as soon as it is delivered."""
    while True:
        state = ListDeliveriesState.DELIVERED
        delivered = done(list_deliveries.sync(client=client, event_id=event, state=state)).items
        if delivered:
            break
        time.sleep(0.05)
    delivery = done(get_delivery.sync(delivered[0].id, client=client))
    assert not isinstance(delivery.attempts, Unset)
    assert [attempt.outcome for attempt in delivery.attempts] == ["delivered"]
    return delivery


def replay(client: AuthenticatedClient, event: str, delivery: Delivery) -> None:
    """Delivers an event once more: counts first what would be repeated, then has it repeated."""
    which = ReplayFilter(event_id=event)
    counted = done(create_replay.sync(client=client, body=NewReplay(which, dry_run=True)))
    assert counted.count == 1, counted
    started = done(create_replay.sync(client=client, body=NewReplay(which)))
    assert not isinstance(started.id, Unset)
    while done(get_replay.sync(started.id, client=client)).state != "done":
        time.sleep(0.05)
    again = done(list_deliveries.sync(client=client, replay_id=started.id))
    assert again.items[0].replay_of == delivery.id


def pause(client: AuthenticatedClient) -> None:
    """Holds a destination back, and lets it go on."""
    assert done(pause_destination.sync("archive", client=client)).paused_by is not UNSET
    assert done(resume_destination.sync("archive", client=client)).paused_by is UNSET


def act(client: AuthenticatedClient, backup: str) -> None:
    """Has the plugin of a destination do something beside delivering: tell what it has copies of."""
    deliver(client, backup)
    body = RunDestinationActionBody()
    ran = done(run_destination_action.sync("copies", "collections", client=client, body=body))
    assert ran.output["collections"][0]["versions"] == 1


def refuse(client: AuthenticatedClient, viewer: AuthenticatedClient, delivery: Delivery) -> None:
    """Everything that a gateway refuses is a problem with a status and a code."""
    check(list_events.sync(client=connect("nobody's key")), 401, "unauthorized")
    check(pause_destination.sync("archive", client=viewer), 403, "forbidden")
    check(get_event.sync("nothing", client=client), 404, "not_found")
    check(list_events.sync(client=client, cursor="made-up"), 400, "invalid_parameter")
    check(cancel_delivery.sync(delivery.id, client=client), 409, "conflict")
    typo = RunDestinationActionBody.from_dict({"typo": 1})
    check(run_destination_action.sync("copies", "collections", client=client, body=typo), 422, "invalid_input")
    # No operation has a wrong method, so this one is asked for without them.
    answer = client.get_httpx_client().delete("/api/v1/events")
    assert answer.status_code == 405
    check(Problem.from_dict(answer.json()), 405, "method_not_allowed")


def check(answer: object, status: int, code: str) -> None:
    assert isinstance(answer, Problem), answer
    assert (answer.status, answer.code) == (status, code), answer


def tomorrow(client: AuthenticatedClient) -> None:
    """A gateway of tomorrow has words and fields that this program has never heard of."""
    words = {event.kind for event in all_events(client, limit=50)}
    words |= {delivery.state for delivery in done(list_deliveries.sync(client=client)).items}
    words |= {monitor.phase for monitor in done(list_monitors.sync(client=client)).items}
    words |= {destination.gate for destination in done(list_destinations.sync(client=client)).items}
    assert words == {"of_tomorrow"}, words
    check(get_event.sync("nothing", client=client), 404, "of_tomorrow")


def main() -> None:
    client = connect(os.environ["POSTROOM_KEY"])
    if sys.argv[1:] == ["tomorrow"]:
        return tomorrow(client)
    sent = receive(connect(os.environ["POSTROOM_SOURCE_TOKEN"]))
    look(client, sent)
    delivery = deliver(client, sent[0])
    replay(client, sent[0], delivery)
    pause(client)
    act(client, sent[3])
    refuse(client, connect(os.environ["POSTROOM_VIEWER_KEY"]), delivery)


if __name__ == "__main__":
    main()
