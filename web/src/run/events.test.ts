import { expect, test } from "vitest"
import type { StreamEvent } from "../api/types"
import recorded from "./edit.events.json"
import plan from "./plan.events.json"
import { empty, fromState, heard, reduce, said, stopped } from "./events"

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

test("what was half said when its run was stopped stays, also through the next run", () => {
  const half = [event("values", { messages: [human] }), event("messages", [chunk("a", "Hel"), {}])].reduce(reduce, empty)
  const state = { messages: [{ ...human, type: "human" as const }] }
  expect(said(fromState(state, half)).map((one) => one.text)).toEqual(["hi"])
  const rested = stopped(state, half)
  expect(said(rested)).toMatchObject([{ text: "hi" }, { text: "Hel", cut: true }])
  const more = [human, { id: "h2", type: "human", content: "go on" }]
  expect(said(reduce(rested, event("values", { messages: more }))).map((one) => one.text)).toEqual(["hi", "Hel", "go on"])
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

test("a recorded run that ends in a question: who spoke, what was called, nothing twice", () => {
  const view = (recorded as StreamEvent[]).reduce(reduce, empty)
  const shown = said(view)
  expect(shown.filter((one) => one.role === "person").map((one) => one.text)).toEqual([
    "Add a line 'Hello' to file README.md",
  ])
  expect(shown.flatMap((one) => one.calls.map((call) => call.name))).toEqual(["glob", "glob", "read_file", "edit_file"])
  expect(shown.filter((one) => one.role === "agent").every((one) => one.agent === "coder")).toBe(true)
  expect(new Set(shown.map((one) => one.id)).size).toBe(shown.length)
  expect(view.route).toMatchObject({ agent: "coder" })
})

test("a replay over what is shown changes nothing", () => {
  const events = recorded as StreamEvent[]
  const once = events.reduce(reduce, empty)
  const twice = events.reduce(reduce, once)
  expect(said(twice)).toEqual(said(once))
})

test("a state that holds what was streamed leaves the very same objects, so nothing is drawn again", () => {
  const view = reduce(empty, event("values", { messages: [human] }))
  const again = reduce(view, event("values", { messages: [{ ...human }] }))
  expect(again.root[0]).toBe(view.root[0])
})

test("what was said inside stays where it began, also when the root goes on without it", () => {
  const view = [
    event("values", { messages: [human] }),
    event("values|helper:1", { messages: [{ id: "in", type: "ai", content: "inside" }] }),
    event("values", { messages: [human, { id: "out", type: "ai", content: "outside" }] }),
  ].reduce(reduce, empty)
  expect(said(view).map((one) => one.id)).toEqual(["h", "in", "out"])
  expect(said(view)[1]).toMatchObject({ agent: "helper", depth: 1 })
  const state = { messages: [human, { id: "out", type: "ai", content: "outside" }] }
  expect(said(fromState(state as never, view)).map((one) => one.id)).toEqual(["h", "in", "out"])
})

test("half a message that no step finished goes when the state is shown", () => {
  const view = [
    event("values", { messages: [human] }),
    event("messages", [chunk("half", "I was abo"), {}]),
  ].reduce(reduce, empty)
  expect(said(fromState({ messages: [human] } as never, view)).map((one) => one.id)).toEqual(["h"])
})

test("a tool call knows how long it took, and a replayed one does not", () => {
  const call = { id: "a", type: "ai", content: "", tool_calls: [{ id: "c", name: "glob", args: {} }] }
  const result = { id: "t", type: "tool", content: "x", tool_call_id: "c", status: "success" }
  const live = [
    { ...event("messages", [call, {}]), at: 1000 },
    { ...event("messages", [result, {}]), at: 3500 },
  ].reduce(reduce, empty)
  expect(live.spans.get("c")).toEqual({ from: 1000, to: 3500 })
  const replayed = [event("messages", [call, {}]), { ...event("messages", [result, {}]), at: 9000 }].reduce(reduce, empty)
  expect(replayed.spans.get("c")).toEqual({ from: 0, to: 0 })
})

test("what an agent heard between two steps shows at once, and the state's takes its place", () => {
  const told = event("custom|coder:1", { type: "steered", messages: [{ id: "steer-7", text: "briefly" }] })
  expect(heard(told)).toEqual(["7"])
  expect(heard(event("custom", { type: "route", reason: 'it says "steered"' }))).toEqual([])
  expect(heard(event("updates", { model: { messages: [] } }))).toEqual([])
  const before = reduce(empty, event("values", { messages: [human] }))
  const live = [told, told].reduce(reduce, before)
  expect(said(live).map((one) => [one.role, one.text])).toEqual([
    ["person", "hi"],
    ["person", "briefly"],
  ])
  const steered = { id: "steer-7", type: "human", content: "briefly" }
  expect(said(reduce(live, event("messages|coder:1", [steered, {}]))).map((one) => one.text)).toEqual(["hi", "briefly"])
  const kept = reduce(live, event("values", { messages: [human, steered] }))
  expect(said(kept).map((one) => one.id)).toEqual(["h", "steer-7"])
  expect(kept.live).toEqual([])
})

test("todos are shown live, from inside too, and as the state has them", () => {
  const todo = (status: string) => ({ id: "a", content: "look", status })
  const live = reduce(empty, event("custom|coder:1", { type: "todos", todos: [todo("in_progress"), 5, { content: "x" }] }))
  expect(live.todos).toEqual([todo("in_progress")])
  const held = reduce(live, event("values", { messages: [human], todos: [todo("completed")] }))
  expect(held.todos).toEqual([todo("completed")])
  expect(reduce(held, event("values", { messages: [human] })).todos).toEqual([todo("completed")])
})

test("the fill of the model's window is what was told last, and unknown where there is none", () => {
  const told = { type: "context", tokens: 900, window: 16384, limit: 12288, compacted: false, parts: {} }
  const view = [event("custom", told), event("custom|coder:1", { ...told, tokens: 1200, compacted: true })].reduce(reduce, empty)
  expect(view.fill).toEqual({ tokens: 1200, window: 16384, limit: 12288, compacted: true })
  expect(reduce(view, event("custom", { type: "context" })).fill).toBeNull()
  expect(reduce(view, event("custom", { type: "other" })).fill).toEqual(view.fill)
})

test("a plan is drawn live as a real run told it, whatever agents inside still hold of it", () => {
  const seen: string[] = []
  let view = empty
  for (const one of plan as StreamEvent[]) {
    view = reduce(view, one)
    const now = view.plan?.steps.map((step) => step.status[0]).join("") ?? ""
    if (now !== seen.at(-1)) seen.push(now)
  }
  expect(seen.filter(Boolean)).toEqual(["ppp", "ipp", "cpp", "cip", "ccp", "cci", "ccc"])
  expect(view.plan).toMatchObject({ status: "done", goal: "The shop has discounts" })
  expect(view.plan?.steps[0]?.result?.files).toEqual([{ path: "docs/note.md", added: 1, removed: 0 }])
})

test("the plan of a step stands under that step", () => {
  const step = (id: string, agent: string) => ({ id, title: id, agent, status: "in_progress" })
  const outer = { goal: "all", depth: 1, status: "running", steps: [step("a", "orchestrator")] }
  const own = { goal: "a part", depth: 2, status: "running", steps: [step("b", "coder")] }
  const view = [
    event("custom", { type: "plan", plan: outer }),
    event("custom|work:1", { type: "plan", plan: own }),
    event("custom|work:1", { type: "plan", plan: "none" }),
  ].reduce(reduce, empty)
  expect(view.plan?.goal).toBe("all")
  expect(view.inner.get("a")?.goal).toBe("a part")
})

test("todos of an agent that works for another stand apart from the others", () => {
  const todo = (content: string) => ({ id: content, content, status: "pending" })
  const view = [
    event("custom|coder:1", { type: "todos", agent: "coder", todos: [todo("mine")] }),
    event("custom|coder:1|tools:2", { type: "todos", agent: "explore", todos: [todo("its")] }),
  ].reduce(reduce, empty)
  expect(view.todos.map((one) => one.content)).toEqual(["mine"])
  expect([...view.parts.values()].map((one) => [one.agent, one.todos.length])).toEqual([["explore", 1]])
})
