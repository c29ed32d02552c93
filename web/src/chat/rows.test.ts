import { expect, test } from "vitest"
import type { Said } from "../run/events"
import { found, rowsOf } from "./rows"

const one = (id: string, more: Partial<Said> = {}): Said => ({
  id,
  role: "agent",
  text: `text of ${id}`,
  agent: "coder",
  calls: [],
  callId: "",
  failed: false,
  depth: 0,
  after: "",
  ...more,
})
const inside = (id: string, lane: string, agent = "ask") => one(id, { lane, agent, depth: lane.split("|").length })
const told = (rows: ReturnType<typeof rowsOf>) =>
  rows.map((row) => (row.kind === "lane" ? `${row.agent}@${row.level}: ${row.parts.map((part) => part.key).join(" ")}` : row.key))

test("what agents inside say at the same time stands in a lane for each", () => {
  const all = [one("h", { role: "person" }), inside("a1", "work:1"), inside("b1", "work:2"), inside("a2", "work:1"), one("end")]
  expect(told(rowsOf(all, null))).toEqual(["h", "ask@1: a1 a2", "ask@1: b1", "end"])
})

test("an agent that a person talks to has no lane, and what it hands on has one", () => {
  const all = [inside("a", "coder:1", "coder"), inside("b", "coder:1|child:2", "child")]
  expect(told(rowsOf(all, null))).toEqual(["a", "child@1: b"])
})

test("lanes inside lanes are drawn deeper, to a limit", () => {
  const paths = ["w:1", "w:1|w:2", "w:1|w:2|w:3", "w:1|w:2|w:3|w:4"]
  const all = paths.map((path, index) => inside(`m${index}`, path))
  expect(told(rowsOf(all, null))).toEqual(["ask@1: m0", "ask@2: m1", "ask@3: m2", "ask@3: m3"])
})

test("a lane is named by its agent as soon as that is known", () => {
  expect(told(rowsOf([inside("a", "work:1", "work"), inside("b", "work:1", "ask")], null))).toEqual(["ask@1: a b"])
})

test("a mark stands behind the last message that the model is shown only in chapters, with its results", () => {
  const call = { id: "c", name: "glob", args: {} }
  const all = [
    one("h", { role: "person" }),
    one("kept"),
    one("a", { calls: [call] }),
    one("t", { role: "tool", callId: "c" }),
    one("b"),
  ]
  const rows = rowsOf(all, { until: "a", kept: ["kept"], chapters: [] })
  expect(told(rows)).toEqual(["h", "kept", "a", "compressed", "b"])
  expect(rows[3]).toMatchObject({ count: 2 })
  expect(told(rowsOf(all, { until: "gone", kept: [], chapters: [] }))).not.toContain("compressed")
})

test("words are found in messages, whatever their case, also in lanes", () => {
  const rows = rowsOf([one("a", { text: "Ёлка" }), inside("b", "work:1"), one("c", { text: "ёлка и шар" })], null)
  expect(found(rows, " ёЛКА ")).toEqual([
    { row: 0, id: "a" },
    { row: 2, id: "c" },
  ])
  expect(found(rows, "text of b")).toEqual([{ row: 1, id: "b" }])
  expect(found(rows, " ")).toEqual([])
})
