// What the classic client asks of a server: every call of it, over a real socket.
// ARTEL_URL is the server, SDK the package under test (sdk-v1 or sdk-v2).

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";

const { Client } = await import(process.env.SDK);
const client = new Client({ apiUrl: process.env.ARTEL_URL, apiKey: null });

const hi = { messages: [{ role: "user", content: "hi" }] };
const slowly = { messages: [{ role: "user", content: `slowly ${"word ".repeat(40)}` }] };
const system = async (graph) => (await client.assistants.search({ graphId: graph }))[0];
const events = async (stream) => {
  const seen = [];
  for await (const part of stream) seen.push(part);
  return seen;
};
const names = (parts) => [...new Set(parts.map((part) => part.event))];
const status = (code) => (error) => error.status === code || error.response?.status === code || String(error.message).includes(String(code));

test("assistants: every graph has its own, made by the system", async () => {
  const found = await client.assistants.search({ limit: 100 });
  const own = found.filter((one) => one.metadata.created_by === "system").map((one) => one.graph_id);
  for (const graph of ["asks", "chat", "looker", "nests", "remembers", "steps"]) assert.ok(own.includes(graph));
});

test("assistants: made, read, changed, found, counted, gone", async () => {
  const tag = randomUUID();
  const made = await client.assistants.create({ graphId: "chat", name: "mine", metadata: { tag } });
  assert.equal(made.version, 1);
  assert.equal((await client.assistants.get(made.assistant_id)).name, "mine");
  const changed = await client.assistants.update(made.assistant_id, { name: "ours", metadata: { more: 1 } });
  assert.equal(changed.version, 2);
  assert.deepEqual(changed.metadata, { tag, more: 1 });
  assert.equal((await client.assistants.search({ metadata: { tag } })).length, 1);
  if (client.assistants.count) assert.equal(await client.assistants.count({ metadata: { tag } }), 1);
  await client.assistants.delete(made.assistant_id);
  await assert.rejects(client.assistants.get(made.assistant_id), status(404));
});

test("assistants: versions newest first, and an older one made the latest", async () => {
  const made = await client.assistants.create({ graphId: "chat", name: "one" });
  await client.assistants.update(made.assistant_id, { name: "two" });
  const versions = await client.assistants.getVersions(made.assistant_id);
  assert.deepEqual(versions.map((one) => one.version), [2, 1]);
  const back = await client.assistants.setLatest(made.assistant_id, 1);
  assert.deepEqual([back.version, back.name], [1, "one"]);
  assert.equal((await client.assistants.update(made.assistant_id, { name: "three" })).version, 3);
  await client.assistants.delete(made.assistant_id);
});

test("assistants: made twice with the same id", async () => {
  const assistantId = randomUUID();
  await client.assistants.create({ graphId: "chat", assistantId });
  await assert.rejects(client.assistants.create({ graphId: "chat", assistantId }), status(409));
  const same = await client.assistants.create({ graphId: "chat", assistantId, ifExists: "do_nothing" });
  assert.equal(same.assistant_id, assistantId);
  await client.assistants.delete(assistantId);
});

test("assistants: drawing, schemas, graphs inside", async () => {
  const { assistant_id: id } = await system("nests");
  const drawn = await client.assistants.getGraph(id);
  assert.deepEqual(drawn.nodes.map((node) => node.id).sort(), ["__end__", "__start__", "child", "outer"]);
  const inside = (await client.assistants.getGraph(id, { xray: true })).nodes.map((node) => node.id);
  assert.ok(inside.some((name) => name.includes("deep")), inside.join(" "));
  const schemas = await client.assistants.getSchemas(id);
  assert.equal(schemas.graph_id, "nests");
  assert.ok(schemas.input_schema && schemas.output_schema && schemas.state_schema);
  assert.deepEqual(Object.keys(await client.assistants.getSubgraphs(id)), ["child"]);
});

test("threads: made, read, changed, found, counted, gone", async () => {
  const tag = randomUUID();
  const made = await client.threads.create({ metadata: { tag } });
  assert.equal(made.status, "idle");
  const changed = await client.threads.update(made.thread_id, { metadata: { more: 1 } });
  assert.deepEqual(changed.metadata, { tag, more: 1 });
  assert.equal((await client.threads.search({ metadata: { tag } }))[0].thread_id, made.thread_id);
  if (client.threads.count) assert.equal(await client.threads.count({ metadata: { tag } }), 1);
  await client.threads.delete(made.thread_id);
  await assert.rejects(client.threads.get(made.thread_id), status(404));
});

test("threads: found by their values", async () => {
  const thread = await client.threads.create();
  const n = Math.floor(Math.random() * 1e9);
  await client.runs.wait(thread.thread_id, "steps", { input: { n: 1, fail_at: n } });
  const found = await client.threads.search({ values: { fail_at: n } });
  assert.deepEqual(found.map((one) => one.thread_id), [thread.thread_id]);
});

test("threads: a copy has state and history of its own", async () => {
  const thread = await client.threads.create();
  await client.runs.wait(thread.thread_id, "steps", { input: { n: 2 } });
  const copied = await client.threads.copy(thread.thread_id);
  await client.runs.wait(copied.thread_id, "steps", { input: { n: 4 } });
  assert.deepEqual((await client.threads.getState(thread.thread_id)).values.counted, [0, 1]);
  assert.deepEqual((await client.threads.getState(copied.thread_id)).values.counted, [0, 1, 2, 3]);
});

test("threads: made with steps that have been taken", async () => {
  const thread = await client.threads.create({
    graphId: "chat",
    supersteps: [
      { updates: [{ values: hi, asNode: "__start__" }] },
      { updates: [{ values: { messages: [{ role: "ai", content: "hello" }] }, asNode: "say" }] },
    ],
  });
  const { values, next } = await client.threads.getState(thread.thread_id);
  assert.deepEqual(values.messages.map((one) => one.content), ["hi", "hello"]);
  assert.deepEqual(next, []);
});

test("threads: pruned to their newest state", async () => {
  if (!client.threads.prune) return;
  const thread = await client.threads.create();
  await client.runs.wait(thread.thread_id, "steps", { input: { n: 3 } });
  const { pruned_count } = await client.threads.prune([thread.thread_id], { strategy: "keep_latest" });
  assert.equal(pruned_count, 1);
  assert.equal((await client.threads.getHistory(thread.thread_id)).length, 1);
  assert.deepEqual((await client.threads.getState(thread.thread_id)).values.counted, [0, 1, 2]);
});

test("state: read, changed, forked, looked back at", async () => {
  const thread = await client.threads.create();
  await client.runs.wait(thread.thread_id, "steps", { input: { n: 3 } });
  const history = await client.threads.getHistory(thread.thread_id, { limit: 100 });
  assert.equal(history.length, 5);
  const past = history.find((state) => state.values.counted?.length === 1);
  assert.deepEqual((await client.threads.getState(thread.thread_id, past.checkpoint.checkpoint_id)).values.counted, [0]);
  const forked = await client.threads.updateState(thread.thread_id, {
    values: { n: 2 }, checkpointId: past.checkpoint.checkpoint_id, asNode: "count",
  });
  assert.ok(forked.checkpoint.checkpoint_id);
  const ended = await client.runs.wait(thread.thread_id, "steps", { input: null });
  assert.deepEqual(ended.counted, [0, 1]);
  const before = await client.threads.getHistory(thread.thread_id, {
    limit: 1, before: { configurable: { checkpoint_id: history[0].checkpoint.checkpoint_id } },
  });
  assert.equal(before[0].checkpoint.checkpoint_id, history[1].checkpoint.checkpoint_id);
});

test("state: metadata patched", async () => {
  const thread = await client.threads.create();
  await client.threads.patchState(thread.thread_id, { seen: true });
  assert.equal((await client.threads.get(thread.thread_id)).metadata.seen, true);
});

test("runs: in the background, listed, joined, removed", async () => {
  const { thread_id: thread } = await client.threads.create();
  const run = await client.runs.create(thread, "chat", { input: hi, metadata: { a: 1 } });
  assert.equal(run.thread_id, thread);
  const joined = await client.runs.join(thread, run.run_id);
  assert.equal(joined.messages.at(-1).content, "You said: hi");
  assert.equal((await client.runs.get(thread, run.run_id)).status, "success");
  assert.deepEqual((await client.runs.list(thread)).map((one) => one.run_id), [run.run_id]);
  await client.runs.delete(thread, run.run_id);
  await assert.rejects(client.runs.get(thread, run.run_id), status(404));
});

test("runs: several at once without threads", async () => {
  const made = await client.runs.createBatch([
    { assistantId: "steps", input: { n: 1 } },
    { assistantId: "steps", input: { n: 2 } },
  ]);
  assert.equal(new Set(made.map((run) => run.run_id)).size, 2);
});

test("runs: waited for, on a thread and without", async () => {
  const { thread_id: thread } = await client.threads.create();
  assert.deepEqual((await client.runs.wait(thread, "steps", { input: { n: 2 } })).counted, [0, 1]);
  assert.deepEqual((await client.runs.wait(null, "steps", { input: { n: 1 } })).counted, [0]);
});

test("runs: a failure is thrown, with its words", async () => {
  const { thread_id: thread } = await client.threads.create();
  await assert.rejects(client.runs.wait(thread, "steps", { input: { n: 2, fail_at: 1 } }), /1 is too many/);
  assert.equal((await client.threads.get(thread)).status, "error");
});

test("streams: every mode has its events", async () => {
  const { thread_id: thread } = await client.threads.create();
  const streamMode = ["values", "updates", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events"];
  const seen = names(await events(client.runs.stream(thread, "nests", { input: hi, streamMode, streamSubgraphs: true })));
  for (const name of ["metadata", "values", "updates", "messages", "custom", "tasks", "checkpoints", "debug", "events"])
    assert.ok(seen.includes(name) || seen.some((one) => one.startsWith(`${name}|`)), `${name} is missing in ${seen}`);
  assert.ok(seen.some((name) => name.startsWith("custom|child:")));
});

test("streams: whole messages grow in messages mode", async () => {
  const parts = await events(client.runs.stream(null, "chat", { input: hi, streamMode: "messages" }));
  const partial = parts.filter((part) => part.event === "messages/partial");
  assert.equal(partial.at(-1).data[0].content, "You said: hi");
  assert.ok(partial.length > 1);
  assert.equal(parts.filter((part) => part.event === "messages/metadata").length, 1);
});

test("streams: tokens by tuples make the message", async () => {
  const parts = await events(client.runs.stream(null, "chat", { input: hi, streamMode: "messages-tuple" }));
  const text = parts.filter((part) => part.event === "messages").map((part) => part.data[0].content).join("");
  assert.equal(text, "You said: hi");
});

test("streams: the id of the run is known at once", async () => {
  const { thread_id: thread } = await client.threads.create();
  let created;
  await events(client.runs.stream(thread, "chat", { input: hi, onRunCreated: (run) => (created = run) }));
  assert.equal(created.thread_id, thread);
  assert.equal((await client.runs.get(thread, created.run_id)).status, "success");
});

test("streams: an error is the last event, and is said again to who comes later", async () => {
  const { thread_id: thread } = await client.threads.create();
  const parts = await events(client.runs.stream(thread, "steps", { input: { n: 1, fail_at: 0 } }));
  assert.deepEqual([parts.at(-1).event, parts.at(-1).data.error], ["error", "ValueError"]);
  const [run] = await client.runs.list(thread);
  const again = await events(client.runs.joinStream(thread, run.run_id, { lastEventId: "-1" }));
  assert.equal(again.at(-1).event, "error");
});

test("streams: joined from an id on, nothing is missed and nothing seen twice", async () => {
  const { thread_id: thread } = await client.threads.create();
  const first = await events(client.runs.stream(thread, "chat", { input: hi, streamMode: ["messages-tuple", "values"], streamResumable: true }));
  const [run] = await client.runs.list(thread);
  const all = await events(client.runs.joinStream(thread, run.run_id, { lastEventId: "-1" }));
  assert.deepEqual(all.map((part) => part.id), first.map((part) => part.id));
  const rest = await events(client.runs.joinStream(thread, run.run_id, { lastEventId: all[3].id }));
  assert.deepEqual(rest.map((part) => part.id), all.slice(4).map((part) => part.id));
});

test("streams: only the modes that a joiner asks for", async () => {
  const { thread_id: thread } = await client.threads.create();
  const run = await client.runs.create(thread, "chat", { input: hi, streamMode: ["values", "updates"], streamResumable: true });
  const parts = await events(client.runs.joinStream(thread, run.run_id, { streamMode: "updates", lastEventId: "-1" }));
  assert.deepEqual(names(parts), ["updates"]);
});

test("questions: asked, seen everywhere, answered", async () => {
  const { thread_id: thread } = await client.threads.create();
  const parts = await events(client.runs.stream(thread, "asks", { input: {} }));
  const [asked] = parts.at(-1).data.__interrupt__;
  assert.deepEqual(asked.value, { question: "first?" });
  const found = await client.threads.get(thread);
  assert.equal(found.status, "interrupted");
  assert.equal(Object.values(found.interrupts)[0][0].id, asked.id);
  assert.equal((await client.threads.getState(thread)).tasks[0].interrupts[0].id, asked.id);
  assert.deepEqual((await client.runs.wait(thread, "asks", { command: { resume: "yes" } })).answers, ["yes"]);
  assert.equal((await client.threads.get(thread)).status, "idle");
});

test("questions: two at once, answered by their ids", async () => {
  const { thread_id: thread } = await client.threads.create();
  const asked = (await client.runs.wait(thread, "asks", { input: { two: true } })).__interrupt__;
  const resume = Object.fromEntries(asked.map((one) => [one.id, one.value.question.length]));
  assert.deepEqual((await client.runs.wait(thread, "asks", { command: { resume } })).answers.sort(), [6, 7]);
});

test("breakpoints: before a node, and on from there", async () => {
  const { thread_id: thread } = await client.threads.create();
  await client.runs.wait(thread, "nests", { input: hi, interruptBefore: ["child"] });
  assert.deepEqual((await client.threads.getState(thread)).next, ["child"]);
  assert.equal((await client.runs.wait(thread, "nests", { input: null })).messages.length, 2);
});

test("cancel: a running run stops, and waiting means stopped", async () => {
  const { thread_id: thread } = await client.threads.create();
  const run = await client.runs.create(thread, "chat", { input: slowly });
  await client.runs.cancel(thread, run.run_id, true);
  assert.equal((await client.runs.get(thread, run.run_id)).status, "interrupted");
});

test("cancel: rolled back, the run and its checkpoints are gone", async () => {
  const { thread_id: thread } = await client.threads.create();
  await client.runs.wait(thread, "steps", { input: { n: 1 } });
  const run = await client.runs.create(thread, "steps", { input: { n: 9, pause_s: 0.2 } });
  await client.runs.cancel(thread, run.run_id, true, "rollback");
  await assert.rejects(client.runs.get(thread, run.run_id), status(404));
  assert.deepEqual((await client.threads.getState(thread)).values.counted, [0]);
});

test("cancel: many at once", async () => {
  if (!client.runs.cancelMany) return;
  const { thread_id: thread } = await client.threads.create();
  const run = await client.runs.create(thread, "chat", { input: slowly });
  await client.runs.cancelMany({ threadId: thread, runIds: [run.run_id] });
  await client.runs.join(thread, run.run_id).catch(() => {});
  assert.equal((await client.runs.get(thread, run.run_id)).status, "interrupted");
});

test("busy threads: reject, interrupt, rollback, enqueue", async () => {
  const { thread_id: thread } = await client.threads.create();
  const first = await client.runs.create(thread, "steps", { input: { n: 9, pause_s: 0.3 } });
  await assert.rejects(client.runs.create(thread, "steps", { input: { n: 1 }, multitaskStrategy: "reject" }), status(409));
  const second = await client.runs.create(thread, "steps", { input: { n: 9, pause_s: 0.3 }, multitaskStrategy: "interrupt" });
  const third = await client.runs.create(thread, "steps", { input: { n: 1 }, multitaskStrategy: "rollback" });
  const last = await client.runs.create(thread, "chat", { input: hi, multitaskStrategy: "enqueue" });
  await client.runs.join(thread, last.run_id);
  assert.equal((await client.runs.get(thread, first.run_id)).status, "interrupted");
  await assert.rejects(client.runs.get(thread, second.run_id), status(404));
  assert.equal((await client.runs.get(thread, third.run_id)).status, "success");
});

test("runs: on a thread that is made by them, later, and told to a webhook", async () => {
  const told = new Promise((resolve) => {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (piece) => (body += piece));
      request.on("end", () => { response.end(); server.close(); resolve(JSON.parse(body)); });
    }).listen(Number(process.env.WEBHOOK_PORT), "127.0.0.1");
  });
  const thread = randomUUID();
  const run = await client.runs.create(thread, "steps", {
    input: { n: 1 }, ifNotExists: "create", afterSeconds: 1, webhook: `http://127.0.0.1:${process.env.WEBHOOK_PORT}/hook`,
  });
  assert.equal(run.status, "pending");
  const said = await told;
  assert.deepEqual([said.run_id, said.status, said.values.counted], [run.run_id, "success", [0]]);
});

test("disconnect: a run that was to be cancelled with its reader is", async () => {
  const { thread_id: thread } = await client.threads.create();
  const leave = new AbortController();
  const reading = client.runs.stream(thread, "chat", { input: slowly, onDisconnect: "cancel", signal: leave.signal });
  await reading.next();
  leave.abort();
  await reading.next().catch(() => {});
  for (let tries = 0; tries < 100; tries++) {
    const [run] = await client.runs.list(thread);
    if (run.status === "interrupted") return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it goes on");
});

test("context: reaches the run, and mirrors configurable", async () => {
  const made = await client.assistants.create({ graphId: "chat", context: { tone: "dry" } });
  assert.deepEqual(made.config.configurable, { tone: "dry" });
  await client.assistants.delete(made.assistant_id);
});

test("schedules: made, found, changed, counted, gone", async () => {
  const cron = await client.crons.create("steps", { schedule: "0 8 * * *", input: { n: 1 }, metadata: { tag: "js" } });
  assert.ok(cron.cron_id && cron.next_run_date);
  const { thread_id: thread } = await client.threads.create();
  const on = await client.crons.createForThread(thread, "steps", { schedule: "0 9 * * *", input: { n: 1 } });
  assert.equal((await client.crons.search({ threadId: thread }))[0].cron_id, on.cron_id);
  if (client.crons.count) assert.ok((await client.crons.count()) >= 2);
  if (client.crons.update)
    assert.equal((await client.crons.update(cron.cron_id, { enabled: false })).enabled, false);
  await client.crons.delete(cron.cron_id);
  await client.crons.delete(on.cron_id);
  assert.deepEqual(await client.crons.search({ threadId: thread }), []);
  await assert.rejects(client.crons.create("steps", { schedule: "not one" }), status(422));
});

test("store: put, read, searched, listed, gone", async () => {
  const place = ["js", randomUUID()];
  await client.store.putItem(place, "a", { n: 1, kind: "x" });
  await client.store.putItem(place, "b", { n: 2, kind: "y" });
  assert.deepEqual((await client.store.getItem(place, "a")).value, { n: 1, kind: "x" });
  const found = await client.store.searchItems(place, { filter: { kind: "y" } });
  assert.deepEqual(found.items.map((item) => item.key), ["b"]);
  const { namespaces } = await client.store.listNamespaces({ prefix: place });
  assert.deepEqual(namespaces, [place]);
  await client.store.deleteItem(place, "a");
  assert.equal(await client.store.getItem(place, "a"), null);
});

test("store: what a graph keeps is what the client reads", async () => {
  const who = randomUUID();
  await client.runs.wait(null, "remembers", { input: { who, fact: "likes tea" } });
  assert.deepEqual((await client.store.getItem(["facts", who], "likes")).value, { text: "likes tea" });
  assert.deepEqual((await client.runs.wait(null, "remembers", { input: { who } })).known, ["likes tea"]);
});

test("threads: followed over runs", async () => {
  if (!client.threads.joinStream) return;
  const { thread_id: thread } = await client.threads.create();
  const stop = new AbortController();
  const seen = [];
  const following = (async () => {
    for await (const part of client.threads.joinStream(thread, { signal: stop.signal, lastEventId: "0-0" })) {
      seen.push(part);
      if (seen.filter((one) => one.data?.status === "run_done").length === 2) break;
    }
  })();
  await client.runs.wait(thread, "steps", { input: { n: 1 } });
  await client.runs.wait(thread, "steps", { input: { n: 2 } });
  await Promise.race([following, new Promise((resolve) => setTimeout(resolve, 5000))]);
  stop.abort();
  assert.equal(seen.filter((one) => one.data?.status === "run_done").length, 2);
});
