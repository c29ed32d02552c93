import { expect, test } from "vitest"
import type { Asked } from "../api/approvals"
import type { Json } from "../api/types"
import { verdictsOf } from "./verdicts"
import { placed } from "./useAnswered"

const row = (value: unknown, decision: Json, more: Partial<Asked> = {}): Asked => ({
  approval_id: "a",
  thread_id: "t",
  run_id: "r",
  interrupt_id: "i",
  kind: "tool_call",
  tool: null,
  args: null,
  value: value as Json,
  status: "approved",
  expires_at: null,
  tool_call_id: null,
  agent: "coder",
  agent_path: [],
  asked_at: "2026-01-01T00:00:00Z",
  decision,
  decided_at: "2026-01-01T00:01:00Z",
  decided_by: "local",
  answer_run_id: null,
  ...more,
})
const call = { type: "tool_approval", tool_call_id: "c1", name: "edit_file", args: { path: "a", n: 1 }, description: "Edit a" }

test("an answered call says who, when, what, and which arguments were changed", () => {
  expect(verdictsOf(row(call, { type: "approve", grant: { scope: "thread", covers: "exact" } }))).toMatchObject([
    { kind: "approved", callId: "c1", by: "local", at: "2026-01-01T00:01:00Z", grant: "thread" },
  ])
  const args = { path: "a", n: 2, more: true }
  expect(verdictsOf(row(call, { type: "edit", edited_action: { name: "edit_file", args } }))).toMatchObject([
    { kind: "changed", changes: [{ name: "n", before: 1, after: 2 }, { name: "more", before: null, after: true }] },
  ])
  expect(verdictsOf(row(call, { type: "approve", hunks: ["x", "y"] }))).toMatchObject([{ kind: "parts", parts: 2 }])
  expect(verdictsOf(row(call, { type: "reject", message: "no" }))).toMatchObject([{ kind: "rejected", words: "no" }])
})

test("silence and newer input end a question too, and an open one has no end yet", () => {
  expect(verdictsOf(row(call, { type: "reject", timeout: true }, { status: "timeout" }))).toMatchObject([{ kind: "late" }])
  expect(verdictsOf(row(call, null, { status: "superseded", decided_at: null }))).toMatchObject([{ kind: "aside" }])
  expect(verdictsOf(row(call, null, { status: "pending" }))).toEqual([])
})

test("a batch has a verdict for each of its calls, at the call", () => {
  const batch = {
    action_requests: [{ name: "a", args: {} }, { name: "a", args: {} }],
    review_configs: [],
    artel: { calls: [{ tool_call_id: "c1" }, { tool_call_id: "c2" }] },
  }
  const decision = { decisions: [{ type: "approve" }, { type: "reject", message: "no" }] }
  expect(verdictsOf(row(batch, decision)).map((one) => [one.callId, one.kind])).toEqual([["c1", "approved"], ["c2", "rejected"]])
})

test("an answer in the form of Agent Inbox reads like ours", () => {
  const asked = [1, 2, 3].map((n) => ({ action_request: { action: "mail", args: { n } }, config: { allow_accept: true } }))
  const said = [{ type: "accept", args: null }, { type: "edit", args: { action: "mail", args: { n: 5 } } }, { type: "ignore", args: "no" }]
  expect(verdictsOf(row(asked, said, { kind: "foreign" }))).toMatchObject([
    { kind: "approved" },
    { kind: "changed", changes: [{ name: "n", before: 2, after: 5 }] },
    { kind: "rejected", words: "no" },
  ])
})

test("answers to questions are read as words, and what was left to the agent says so", () => {
  const questions = [
    { id: "db", header: "Database", question: "Which?", options: ["A", "B"], multiple: true, required: true },
    { id: "name", question: "Name?", options: [], multiple: false, required: false },
  ]
  const decision = { type: "respond", answers: { db: { options: ["A"], words: "or C" }, name: null } }
  expect(verdictsOf(row({ type: "question", question: "1. …", questions }, decision, { kind: "question" }))[0]?.answers).toEqual([
    { question: "Database", answer: "A, or C" },
    { question: "Name?", answer: null },
  ])
})

test("a chosen offer is named as it was offered, and any other answer as it was given", () => {
  const offer = { type: "question", question: "Where?", options: [{ id: "x", label: "In the app" }] }
  expect(verdictsOf(row(offer, { type: "respond", message: "x" }, { kind: "question" }))[0]?.answers).toEqual([
    { question: "Where?", answer: "In the app" },
  ])
  expect(verdictsOf(row({ question: "How many?" }, { n: 3 }, { kind: "foreign" }))[0]?.answers).toEqual([
    { question: "How many?", answer: '{"n":3}' },
  ])
})

test("what has no call stands at the words it came from, also where one answer led to the next question", () => {
  const [first] = verdictsOf(row({ question: "One?" }, "yes", { kind: "foreign", run_id: "r1" }))
  const [second] = verdictsOf(row({ question: "Two?" }, "no", { kind: "foreign", run_id: "r2" }))
  const [stray] = verdictsOf(row({ question: "Who?" }, "me", { kind: "foreign", run_id: "r9" }))
  if (!first || !second || !stray) throw new Error("no verdicts")
  const rows = [{ run_id: "r1", answer_run_id: "r2" }, { run_id: "r2", answer_run_id: "r3" }]
  const { byMessage, loose } = placed([second, stray, first], new Map([["r1", "message"]]), rows)
  expect(byMessage.get("message")?.map((one) => one.asked).sort()).toEqual(["One?", "Two?"])
  expect(loose).toEqual([stray])
})
