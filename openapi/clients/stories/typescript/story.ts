// What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.
//
// It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and a
// destination `copies` that runs the plugin `backup`.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Gateway = Client<paths>;
type Delivery = components["schemas"]["Delivery"];
type Event = components["schemas"]["Event"];
type Problem = components["schemas"]["Problem"];
type Answer<T> = { data?: T; error?: Problem };

function variable(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

const url = variable("POSTROOM_URL");

function connect(key: string): Gateway {
  return createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
}

/** What an operation gives, if it was not refused. */
function done<T>({ data, error }: Answer<T>): NonNullable<T> {
  assert(data, `refused: ${JSON.stringify(error)}`);
  return data;
}

/** Sends what Postman would send; gives the ids of the events. The client has the source's token as its key. */
async function receive(postman: Gateway): Promise<string[]> {
  const sent = [];
  const params = { path: { source: "postman" } };
  for (const requestCount of [1, 2, 3]) {
    const metrics = { failedTests: 0, requestCount };
    const body = { monitor_uid: "story-monitor", monitor_name: "Checkout", metrics };
    const accepted = done(await postman.POST("/hooks/{source}", { params, body }));
    assert.equal(accepted.kind, "monitor_run");
    sent.push(accepted.event_id);
  }
  const collection = { info: { _postman_id: "story-collection", name: "Orders" }, item: [] };
  const backup = done(await postman.POST("/hooks/{source}", { params, body: { collection } }));
  return [...sent, backup.event_id];
}

/** Every event, newest first, a page at a time. */
async function* allEvents(client: Gateway, limit: number): AsyncGenerator<Event> {
  let cursor: string | undefined;
  do {
    const page = done(await client.GET("/api/v1/events", { params: { query: { limit, cursor } } }));
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

/** Every event, two to a page; then the body of the first one. */
async function look(client: Gateway, sent: string[]): Promise<void> {
  const ids = [];
  for await (const event of allEvents(client, 2)) ids.push(event.id);
  assert.deepEqual(ids, sent.toReversed());
  const query = { kind: "monitor_run", subject: "story-monitor" };
  assert.equal(done(await client.GET("/api/v1/events", { params: { query } })).items.length, 3);

  const params = { path: { id: ids[3] } };
  const event = done(await client.GET("/api/v1/events/{id}", { params }));
  const body = done(await client.GET("/api/v1/events/{id}/body", { params, parseAs: "text" }));
  assert.equal(Buffer.byteLength(body), event.body_bytes);
  assert.equal(JSON.parse(body).monitor_name, "Checkout");
}

/** What became of an event, as soon as it is delivered. */
async function deliver(client: Gateway, event_id: string): Promise<Delivery> {
  for (;;) {
    const query = { event_id, state: "delivered" } as const;
    const [delivered] = done(await client.GET("/api/v1/deliveries", { params: { query } })).items;
    if (delivered) {
      const params = { path: { id: delivered.id } };
      const delivery = done(await client.GET("/api/v1/deliveries/{id}", { params }));
      assert.deepEqual(delivery.attempts?.map((attempt) => attempt.outcome), ["delivered"]);
      return delivery;
    }
    await setTimeout(50);
  }
}

/** Delivers an event once more: counts first what would be repeated, then has it repeated. */
async function replay(client: Gateway, event_id: string, delivery: Delivery): Promise<void> {
  const filter = { event_id };
  const counted = done(await client.POST("/api/v1/replays", { body: { filter, dry_run: true } }));
  assert.equal(counted.count, 1);
  const { id } = done(await client.POST("/api/v1/replays", { body: { filter, dry_run: false } }));
  assert(id);
  const params = { path: { id } };
  while (done(await client.GET("/api/v1/replays/{id}", { params })).state !== "done") await setTimeout(50);
  const again = done(await client.GET("/api/v1/deliveries", { params: { query: { replay_id: id } } }));
  assert.equal(again.items[0].replay_of, delivery.id);
}

/** Holds a destination back, and lets it go on. */
async function pause(client: Gateway): Promise<void> {
  const params = { path: { name: "archive" } };
  assert(done(await client.POST("/api/v1/destinations/{name}/pause", { params })).paused_by);
  assert(!done(await client.POST("/api/v1/destinations/{name}/resume", { params })).paused_by);
}

const collections = { path: { name: "copies", action: "collections" } };

/** Has the plugin of a destination do something beside delivering: tell what it has copies of. */
async function act(client: Gateway, backup: string): Promise<void> {
  await deliver(client, backup);
  const call = { params: collections, body: {} };
  const { output } = done(await client.POST("/api/v1/destinations/{name}/actions/{action}", call));
  assert.equal((output.collections as { versions: number }[])[0].versions, 1);
}

/** Everything that a gateway refuses is a problem with a status and a code. */
async function refuse(client: Gateway, viewer: Gateway, delivery: Delivery): Promise<void> {
  check(await connect("nobody's key").GET("/api/v1/events"), 401, "unauthorized");
  const archive = { params: { path: { name: "archive" } } };
  check(await viewer.POST("/api/v1/destinations/{name}/pause", archive), 403, "forbidden");
  check(await client.GET("/api/v1/events/{id}", { params: { path: { id: "nothing" } } }), 404, "not_found");
  const madeUp = { params: { query: { cursor: "made-up" } } };
  check(await client.GET("/api/v1/events", madeUp), 400, "invalid_parameter");
  const ended = { params: { path: { id: delivery.id } } };
  check(await client.POST("/api/v1/deliveries/{id}/cancel", ended), 409, "conflict");
  const typo = { params: collections, body: { typo: 1 } };
  check(await client.POST("/api/v1/destinations/{name}/actions/{action}", typo), 422, "invalid_input");
  // No operation has a wrong method, so this one is asked for without them.
  const answer = await fetch(`${url}/api/v1/events`, { method: "DELETE" });
  check({ error: (await answer.json()) as Problem }, 405, "method_not_allowed");
}

function check({ error }: Answer<unknown>, status: number, code: string): void {
  assert.deepEqual([error?.status, error?.code], [status, code]);
}

/** A gateway of tomorrow has words and fields that this program has never heard of. */
async function tomorrow(client: Gateway): Promise<void> {
  const words = new Set<string>();
  for await (const event of allEvents(client, 50)) words.add(event.kind);
  done(await client.GET("/api/v1/deliveries")).items.forEach((delivery) => words.add(delivery.state));
  done(await client.GET("/api/v1/monitors")).items.forEach((monitor) => words.add(monitor.phase));
  done(await client.GET("/api/v1/destinations")).items.forEach((destination) => words.add(destination.gate));
  assert.deepEqual([...words], ["of_tomorrow"]);
  check(await client.GET("/api/v1/events/{id}", { params: { path: { id: "nothing" } } }), 404, "of_tomorrow");
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
