import { expect, test } from "vitest"
import type { Waiting } from "../api/inbox"
import { agentOf, arranged, choices, rowsOf, worthALook } from "./order"

const asked = (id: string, minute: number, more: Partial<Waiting> = {}): Waiting => ({
  approval_id: id,
  interrupt_id: `i${id}`,
  thread_id: "t1",
  title: "One",
  graph_id: "coder",
  kind: "tool_call",
  tool: "write_file",
  about: "a.py",
  agent: "coder@1f",
  asked_at: `2026-01-01T00:0${minute}:00Z`,
  expires_at: null,
  ...more,
})
const all = { kind: "", agent: "", order: "newest" as const }
const keys = (found: ReturnType<typeof arranged>) => found.map((one) => one.rows.map((row) => row.key))

test("questions stand under their conversations, in the order that is wanted", () => {
  const rows = rowsOf(
    [asked("a", 1), asked("b", 2, { thread_id: "t2", expires_at: "2026-01-02T00:00:00Z" }), asked("c", 3)],
    [],
  )
  expect(keys(arranged(rows, all))).toEqual([["c", "a"], ["b"]])
  expect(keys(arranged(rows, { ...all, order: "oldest" }))).toEqual([["a", "c"], ["b"]])
  expect(keys(arranged(rows, { ...all, order: "expiring" }))).toEqual([["b"], ["a", "c"]])
})

test("kind and agent narrow the list; an agent is named without its digest", () => {
  const rows = rowsOf([asked("a", 1), asked("b", 2, { kind: "question", agent: null, graph_id: "ask" })], [])
  expect(choices(rows, agentOf)).toEqual(["ask", "coder"])
  expect(keys(arranged(rows, { ...all, agent: "coder" }))).toEqual([["a"]])
  expect(keys(arranged(rows, { ...all, kind: "question" }))).toEqual([["b"]])
  expect(arranged(rows, { ...all, kind: "plan" })).toEqual([])
})

test("a question that was unfolded here stays when it is answered elsewhere", () => {
  const open = asked("a", 1)
  expect(rowsOf([open], [open]).map((one) => one.gone)).toEqual([false])
  expect(rowsOf([], [open]).map((one) => [one.key, one.gone])).toEqual([["a", true]])
})

test("worth a look is what failed or took long", () => {
  const ended = { run_id: "r", thread_id: "t", title: "", ended_at: "", failed: false, took_s: 5 }
  expect(worthALook([ended, { ...ended, failed: true }, { ...ended, took_s: 60 }])).toHaveLength(2)
})
