import { expect, test } from "vitest"
import type { StreamEvent } from "../api/types"
import { lastTurn, placesOf } from "./follow"
import { ended, type Path, standing, start, walk } from "./path"

const event = (name: string, data: unknown): StreamEvent => ({ event: name, data: JSON.stringify(data), id: "" })
const run = (...events: [string, unknown][]) => events.map(([name, data]) => event(name, data)).reduce(walk, start)
const now = (path: Path) => [...path.running.values()]
const way = (path: Path) => [...path.passed].map(([place, { order, count }]) => `${order} ${place} ×${count}`)
const says = (ns: string, node: string): [string, unknown] => [
  ns ? `messages|${ns}` : "messages",
  [{ id: "m" }, { langgraph_node: node, langgraph_checkpoint_ns: `${ns ? `${ns}|` : ""}${node}:t` }],
]

test("who speaks in a graph inside runs there and in the node that holds it", () => {
  const path = run(["updates", { route: {} }], says("ask:1", "model"))
  expect(now(path)).toEqual(["ask", "ask:model"])
  expect(way(path)).toEqual(["1 route ×1"])
})

test("nodes are passed in their order, and counted when they come again", () => {
  const path = run(says("ask:1", "model"), ["updates|ask:1", { model: {} }], ["updates|ask:1", { tools: {} }], says("ask:1", "model"), [
    "updates|ask:1",
    { model: {} },
  ], ["updates", { ask: {} }])
  expect(way(path)).toEqual(["1 ask:model ×2", "2 ask:tools ×1", "4 ask ×1"])
  expect(now(path)).toEqual([])
})

test("of two tasks of one node, one goes on when the other is done", () => {
  const path = run(says("work:1", "model"), says("work:2", "model"), ["updates", { work: {} }])
  expect(now(path)).toEqual(["work", "work:model"])
})

test("the next token of the same model changes nothing", () => {
  const path = run(says("ask:1", "model"))
  expect(walk(path, event(...says("ask:1", "model")))).toBe(path)
})

test("a graph within a node that is run several times is one place", () => {
  expect(now(run(["tasks|work:1|2", { id: "t", name: "deep", input: {} }])).at(-1)).toBe("work:deep")
})

test("a silent node runs while the thread stands before it", () => {
  const silent = standing(run(["updates", { one: {} }]), ["two"])
  expect(now(silent)).toEqual(["two"])
  expect(now(walk(silent, event("updates", { two: {} })))).toEqual([])
  expect(now(standing(silent, ["three"]))).toEqual(["three"])
})

test("a run that asks waits where it stands, one that failed shows where", () => {
  const path = run(says("coder:1", "model"), ["updates", { __interrupt__: [] }])
  expect([...ended(path, ["coder:tools"], false).waits]).toEqual(["coder:tools"])
  const failed = ended(run(says("", "ask"), ["error", { error: "X", message: "y" }]), [], true)
  expect([...failed.failed]).toEqual(["ask"])
})

test("a turn is what runs since a person last wrote", () => {
  const one = (run_id: string, input: object | null) =>
    ({ run_id, thread_id: "t", status: "success", created_at: "", kwargs: { input } }) as const
  const found = lastTurn([one("answer", null), one("asks", {}), one("before", {})])
  expect(found.map((each) => each.run_id)).toEqual(["asks", "answer"])
})

test("a thread stands as deep as is known", () => {
  const inside = { values: {}, next: ["tools"], tasks: [{ name: "tools" }] }
  const state = { values: {}, next: ["coder", "other"], tasks: [{ name: "coder", state: inside }, { name: "other", state: null }] }
  expect(placesOf(state)).toEqual(["coder:tools", "other"])
})
