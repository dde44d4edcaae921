// What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.
//
// It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and a
// destination `copies` that runs the plugin `backup`.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import * as postroom from "./client/index.js";
import { createClient, type Client } from "./client/client/index.js";

type Answer<T> = { data?: T; error?: postroom.Problem };

function variable(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const baseUrl = variable("POSTROOM_URL");

/** The key goes where an operation wants it, but to a hook never as part of the URL. */
function connect(key: string): Client {
  return createClient({ baseUrl, auth: ({ scheme }) => (scheme === "bearer" ? key : undefined) });
}

/** What an operation gives, if it was not refused. */
function done<T>({ data, error }: Answer<T>): NonNullable<T> {
  assert(data, `refused: ${JSON.stringify(error)}`);
  return data;
}

/** Sends what Postman would send; gives the ids of the events. The client has the source's token as its key. */
async function receive(client: Client): Promise<string[]> {
  const sent = [];
  const path = { source: "postman" };
  for (const requestCount of [1, 2, 3]) {
    const metrics = { failedTests: 0, requestCount };
    const body = { monitor_uid: "story-monitor", monitor_name: "Checkout", metrics };
    const accepted = done(await postroom.receiveHook({ client, path, body }));
    assert.equal(accepted.kind, "monitor_run");
    sent.push(accepted.event_id);
  }
  const collection = { info: { _postman_id: "story-collection", name: "Orders" }, item: [] };
  const backup = done(await postroom.receiveHook({ client, path, body: { collection } }));
  return [...sent, backup.event_id];
}

/** Every event, newest first, a page at a time. */
async function* allEvents(client: Client, limit: number): AsyncGenerator<postroom.Event> {
  let cursor: string | undefined;
  do {
    const page: postroom.EventPage = done(await postroom.listEvents({ client, query: { limit, cursor } }));
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

/** Every event, two to a page; then the body of the first one. */
async function look(client: Client, sent: string[]): Promise<void> {
  const ids = [];
  for await (const event of allEvents(client, 2)) ids.push(event.id);
  assert.deepEqual(ids, sent.toReversed());
  const query = { kind: "monitor_run", subject: "story-monitor" };
  assert.equal(done(await postroom.listEvents({ client, query })).items.length, 3);

  const path = { id: sent[0] };
  const event = done(await postroom.getEvent({ client, path }));
  const body = done(await postroom.downloadEventBody({ client, path, parseAs: "blob" }));
  assert.equal(body.size, event.body_bytes);
  assert.equal(JSON.parse(await body.text()).monitor_name, "Checkout");
}

/** What became of an event, as soon as it is delivered. */
async function deliver(client: Client, event_id: string): Promise<postroom.Delivery> {
  for (;;) {
    const query = { event_id, state: "delivered" } as const;
    const [delivered] = done(await postroom.listDeliveries({ client, query })).items;
    if (delivered) {
      const delivery = done(await postroom.getDelivery({ client, path: { id: delivered.id } }));
      assert.deepEqual(delivery.attempts?.map((attempt) => attempt.outcome), ["delivered"]);
      return delivery;
    }
    await setTimeout(50);
  }
}

/** Delivers an event once more: counts first what would be repeated, then has it repeated. */
async function replay(client: Client, event_id: string, delivery: postroom.Delivery): Promise<void> {
  const filter = { event_id };
  const counted = done(await postroom.createReplay({ client, body: { filter, dry_run: true } }));
  assert.equal(counted.count, 1);
  const { id } = done(await postroom.createReplay({ client, body: { filter } }));
  assert(id);
  while (done(await postroom.getReplay({ client, path: { id } })).state !== "done") await setTimeout(50);
  const again = done(await postroom.listDeliveries({ client, query: { replay_id: id } }));
  assert.equal(again.items[0].replay_of, delivery.id);
}

const archive = { name: "archive" };
const collections = { name: "copies", action: "collections" };

/** Holds a destination back, and lets it go on. */
async function pause(client: Client): Promise<void> {
  assert(done(await postroom.pauseDestination({ client, path: archive })).paused_by);
  assert(!done(await postroom.resumeDestination({ client, path: archive })).paused_by);
}

/** Has the plugin of a destination do something beside delivering: tell what it has copies of. */
async function act(client: Client, backup: string): Promise<void> {
  await deliver(client, backup);
  const { output } = done(await postroom.runDestinationAction({ client, path: collections, body: {} }));
  assert.equal((output.collections as { versions: number }[])[0].versions, 1);
}

/** Everything that a gateway refuses is a problem with a status and a code. */
async function refuse(client: Client, viewer: Client, delivery: postroom.Delivery): Promise<void> {
  check(await postroom.listEvents({ client: connect("nobody's key") }), 401, "unauthorized");
  check(await postroom.pauseDestination({ client: viewer, path: archive }), 403, "forbidden");
  check(await postroom.getEvent({ client, path: { id: "nothing" } }), 404, "not_found");
  check(await postroom.listEvents({ client, query: { cursor: "made-up" } }), 400, "invalid_parameter");
  check(await postroom.cancelDelivery({ client, path: { id: delivery.id } }), 409, "conflict");
  const typo = await postroom.runDestinationAction({ client, path: collections, body: { typo: 1 } });
  check(typo, 422, "invalid_input");
  // No operation has a wrong method, so this one is asked for without them.
  check(await client.delete({ url: "/api/v1/events" }) as Answer<unknown>, 405, "method_not_allowed");
}

function check({ error }: Answer<unknown>, status: number, code: string): void {
  assert.deepEqual([error?.status, error?.code], [status, code]);
}

/** A gateway of tomorrow has words and fields that this program has never heard of. */
async function tomorrow(client: Client): Promise<void> {
  const words = new Set<string>();
  for await (const event of allEvents(client, 50)) words.add(event.kind);
  done(await postroom.listDeliveries({ client })).items.forEach((delivery) => words.add(delivery.state));
  done(await postroom.listMonitors({ client })).items.forEach((monitor) => words.add(monitor.phase));
  done(await postroom.listDestinations({ client })).items.forEach((destination) => words.add(destination.gate));
  assert.deepEqual([...words], ["of_tomorrow"]);
  check(await postroom.getEvent({ client, path: { id: "nothing" } }), 404, "of_tomorrow");
}

const client = connect(variable("POSTROOM_KEY"));
if (process.argv[2] === "tomorrow") {
  await tomorrow(client);
} else {
  const sent = await receive(connect(variable("POSTROOM_SOURCE_TOKEN")));
  await look(client, sent);
  const delivery = await deliver(client, sent[0]);
  await replay(client, sent[0], delivery);
  await pause(client);
  await act(client, sent[3]);
  await refuse(client, connect(variable("POSTROOM_VIEWER_KEY")), delivery);
}
