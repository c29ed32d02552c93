// What the client of the streaming protocol asks of a server, over both of its transports.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";

const { Client } = await import(process.env.SDK);
const client = new Client({ apiUrl: process.env.ARTEL_URL, apiKey: null });
const hi = { messages: [{ role: "user", content: "hi" }] };
const collected = async (iterable) => {
  const seen = [];
  for await (const one of iterable) seen.push(one);
  return seen;
};

for (const transport of ["sse", "websocket"]) {
  const webSocketFactory = (url) => new WebSocket(url);
  const open = (assistantId, threadId) => {
    const options = { assistantId, transport, webSocketFactory };
    return threadId ? client.threads.stream(threadId, options) : client.threads.stream(options);
  };
  const on = (name, body) => test(`${transport}: ${name}`, { timeout: 15000 }, body);

  on("a run on a thread that is made by it, and its output", async () => {
    const thread = open("steps");
    const { run_id } = await thread.run.start({ input: { n: 3 } });
    assert.deepEqual((await thread.output).counted, [0, 1, 2]);
    assert.equal((await client.runs.get(thread.threadId, run_id)).status, "success");
    await thread.close();
  });

  on("messages arrive a token at a time", async () => {
    const thread = open("chat");
    await thread.run.start({ input: hi });
    for await (const message of thread.messages) {
      const pieces = await collected(message.text);
      assert.ok(pieces.length > 1, "it came whole");
      assert.equal(pieces.join(""), "You said: hi");
      break;
    }
    await thread.close();
  });

  on("values after every step", async () => {
    const thread = open("steps");
    const seen = collected(thread.values);
    await thread.run.start({ input: { n: 2 } });
    await thread.output;
    await thread.close();
    assert.deepEqual((await seen).at(-1).counted, [0, 1]);
  });

  on("tool calls with what they gave", async () => {
    const thread = open("looker");
    await thread.run.start({ input: hi });
    for await (const call of thread.toolCalls) {
      assert.equal(call.name, "look");
      assert.deepEqual(call.input, { at: "the door" });
      assert.match(JSON.stringify(await call.output), /the door is red/);
      break;
    }
    await thread.close();
  });

  on("graphs inside are found, with what they say", async () => {
    const thread = open("nests");
    const found = (async () => {
      for await (const inner of thread.subgraphs) {
        if (inner.name === "child") return inner;
      }
      return null;
    })();
    await thread.run.start({ input: hi });
    await thread.output;
    assert.equal((await found)?.name, "child");
    await thread.close();
  });

  on("what nodes write: custom events", async () => {
    const thread = open("nests");
    const subscription = await thread.subscribe({ channels: ["custom"] });
    await thread.run.start({ input: hi });
    for await (const event of subscription) {
      assert.equal(event.method, "custom");
      break;
    }
    await thread.close();
  });

  on("updates of nodes", async () => {
    const thread = open("steps");
    const subscription = await thread.subscribe({ channels: ["updates"] });
    await thread.run.start({ input: { n: 1 } });
    for await (const event of subscription) {
      assert.equal(event.method, "updates");
      break;
    }
    await thread.close();
  });

  on("a question is asked and answered", async () => {
    const thread = open("asks");
    await thread.run.start({ input: {} });
    await thread.output;
    assert.equal(thread.interrupted, true);
    const [asked] = thread.interrupts;
    assert.deepEqual(asked.payload, { question: "first?" });
    await thread.input.respond({ interrupt_id: asked.interruptId, response: "yes", namespace: asked.namespace });
    for (let tries = 0; tries < 100; tries++) {
      const { values, next } = await client.threads.getState(thread.threadId);
      if (!next.length) {
        assert.deepEqual(values.answers, ["yes"]);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await thread.close();
    assert.equal((await client.threads.get(thread.threadId)).status, "idle");
  });

  on("a failure is said", async () => {
    const thread = open("steps");
    const failed = (async () => {
      for await (const event of await thread.subscribe({ channels: ["lifecycle"] })) {
        if (event.params.data.event === "failed") return event.params.data.error;
      }
      return null;
    })();
    await thread.run.start({ input: { n: 1, fail_at: 0 } });
    assert.match(JSON.stringify(await failed), /0 is too many/);
    await thread.close();
  });

  on("who comes later has everything that was said", async () => {
    const first = open("chat");
    await first.run.start({ input: hi });
    await first.output;
    await first.close();
    const later = open("chat", first.threadId);
    for await (const message of later.messages) {
      assert.equal(await message.text, "You said: hi");
      break;
    }
    await later.close();
  });

  on("an answer to what was not asked is refused with its code", async () => {
    const thread = open("asks");
    await thread.run.start({ input: {} });
    await thread.output;
    await assert.rejects(
      thread.input.respond({ interrupt_id: "nothing", response: 1, namespace: [] }),
      (error) => error.code === "no_such_interrupt",
    );
    await thread.close();
  });
}
