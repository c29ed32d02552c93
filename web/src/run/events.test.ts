import { expect, test } from "vitest"
import type { StreamEvent } from "../api/types"
import { empty, fromState, reduce, said } from "./events"

let number = 0
const event = (name: string, data: unknown): StreamEvent => ({
  event: name,
  data: JSON.stringify(data),
  id: String(++number),
})
const chunk = (id: string, content: string, more: object = {}) => ({ id, type: "AIMessageChunk", content, ...more })
const human = { id: "h", type: "human", content: "hi" }

test("a message grows letter by letter and is replaced by the state's, once", () => {
  const events = [
    event("values", { messages: [human] }),
    event("messages", [chunk("a", "Hel"), { langgraph_node: "model" }]),
    event("messages", [chunk("a", "lo"), { langgraph_node: "model" }]),
  ]
  const live = events.reduce(reduce, empty)
  expect(said(live).map((one) => one.text)).toEqual(["hi", "Hello"])
  const ended = reduce(live, event("values", { messages: [human, { id: "a", type: "ai", content: "Hello" }] }))
  expect(said(ended).map((one) => one.text)).toEqual(["hi", "Hello"])
  expect(ended.live).toEqual([])
})

test("what an agent inside says shows while it works, under its name", () => {
  const view = reduce(empty, event("messages|coder:1", [chunk("a", "x"), { lc_agent_name: "coder" }]))
  expect(said(view)).toMatchObject([{ agent: "coder" }])
})

test("a tool call's arguments are put together from their pieces", () => {
  const piece = (args: string, id: string | null, name: string | null) =>
    event("messages", [chunk("a", "", { tool_call_chunks: [{ index: 0, id, name, args }] }), {}])
  const view = [piece('{"path"', "c", "read_file"), piece(': "x"}', null, null)].reduce(reduce, empty)
  expect(said(view)[0]?.calls).toEqual([{ id: "c", name: "read_file", args: { path: "x" } }])
})

test("a second attempt voids the text that no checkpoint holds", () => {
  const view = [
    event("messages", [chunk("kept", "one"), {}]),
    event("updates", { model: { messages: [{ id: "kept" }] } }),
    event("messages", [chunk("lost", "tw"), {}]),
    event("metadata", { run_id: "r", attempt: 2 }),
  ].reduce(reduce, empty)
  expect(said(view).map((one) => one.id)).toEqual(["kept"])
  expect(view.attempt).toBe(2)
})

test("an error stays on screen until a new run begins", () => {
  const failed = reduce(empty, event("error", { error: "ValueError", message: "no" }))
  expect(failed.error?.message).toBe("no")
  expect(reduce(failed, event("metadata", { run_id: "r", attempt: 1 })).error).toBeNull()
})

test("a state from the server shows as a stream would have left it", () => {
  const messages = [human, { id: "a", type: "ai" as const, content: [{ type: "text", text: "Hello" }] }]
  const streamed = reduce(empty, event("values", { messages }))
  expect(said(fromState({ messages: messages as never }))).toEqual(said(streamed))
})
