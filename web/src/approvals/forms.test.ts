import { expect, test } from "vitest"
import type { Approval, Decision, Json } from "../api/types"
import { type Action, formOf, replyOf } from "./forms"

const ID = "0123456789abcdef0123456789abcdef"
const asked = (value: unknown, more: Partial<Approval> = {}): Approval => ({
  approval_id: "row",
  thread_id: "t",
  run_id: "r",
  interrupt_id: ID,
  kind: "foreign",
  tool: null,
  args: null,
  value: value as Json,
  status: "pending",
  expires_at: null,
  ...more,
})
function actionsOf(one: Approval): { actions: Action[]; reply: (...said: Decision[]) => unknown } {
  const form = formOf(one)
  if (form.kind !== "actions") throw new Error(`it is ${form.kind}`)
  return { actions: form.actions, reply: (...said) => replyOf(one, form.dialect, said) }
}
const YES: Decision = { type: "approve" }
const NO: Decision = { type: "reject", message: "not now" }
const edited = (name: string, args: Record<string, Json>): Decision => ({ type: "edit", edited_action: { name, args } })

test("a call of ours is one action, answered by a bare decision", () => {
  const value = { type: "tool_approval", tool_call_id: "c1", name: "edit_file", args: { path: "a" }, description: "Edit a", artel: { agent: "coder" } }
  const { actions, reply } = actionsOf(asked(value, { kind: "tool_call" }))
  expect(actions).toMatchObject([
    { key: `${ID}/0`, tool: "edit_file", callId: "c1", verbs: ["approve", "edit", "reject", "respond"], shown: { agent: "coder" } },
  ])
  expect(reply(NO)).toEqual({ decision: NO })
})

test("the schema of an answer says which decisions a call allows, and what an edit takes", () => {
  const part = (type: string, more = {}) => ({ type: "object", properties: { type: { const: type }, ...more } })
  const schema = {
    $defs: {
      Edit: part("edit", { edited_action: { $ref: "#/$defs/Action" } }),
      Action: { type: "object", properties: { name: { const: "send" }, args: { $ref: "#/$defs/send" } } },
      send: { type: "object", required: ["to"], properties: { to: { type: "string" }, count: { type: "integer" } } },
    },
    oneOf: [part("approve"), { $ref: "#/$defs/Edit" }, part("escalate")],
  } as Json
  const value = { type: "tool_approval", tool_call_id: "c1", name: "send", args: { to: "a" }, description: "" }
  const [action] = actionsOf(asked(value, { kind: "tool_call", schema })).actions
  expect(action).toMatchObject({ verbs: ["approve", "edit"], unknown: ["escalate"] })
  expect(action?.schema?.["properties"]).toEqual({ to: { type: "string" }, count: { type: "integer" } })
  const single = actionsOf(asked(value, { schema: part("reject") as unknown as Json })).actions
  expect(single[0]?.verbs).toEqual(["reject"])
})

const BATCH = {
  action_requests: [
    { name: "send", args: { to: "a" }, description: "Send to a" },
    { name: "send", args: { to: "b" } },
    { name: "drop", args: {} },
  ],
  review_configs: [
    { action_name: "send", allowed_decisions: ["approve", "edit", "snooze"] },
    { action_name: "drop", allowed_decisions: ["reject", "respond"] },
  ],
}

test("a batch is an action for each request, told apart also where they call one tool", () => {
  const { actions, reply } = actionsOf(asked(BATCH))
  expect(actions.map((one) => [one.key, one.tool, one.verbs, one.unknown])).toEqual([
    [`${ID}/0`, "send", ["approve", "edit"], ["snooze"]],
    [`${ID}/1`, "send", ["approve", "edit"], ["snooze"]],
    [`${ID}/2`, "drop", ["reject", "respond"], []],
  ])
  const decisions = [YES, edited("send", { to: "c" }), NO]
  expect(reply(...decisions)).toEqual({ value: { decisions } })
})

test("a batch of ours shows what each call would do, and goes by the server's book", () => {
  const calls = [{ tool_call_id: "c1", diff: "@@" }, { tool_call_id: "c2", command: "ls" }, { tool_call_id: "c3" }]
  const { actions, reply } = actionsOf(asked({ ...BATCH, artel: { kind: "tool_call", agent: "coder", calls } }, { kind: "tool_call" }))
  expect(actions.map((one) => one.callId)).toEqual(["c1", "c2", "c3"])
  expect(actions[1]?.shown).toMatchObject({ command: "ls", agent: "coder" })
  expect(reply(YES, YES, NO)).toEqual({ decision: { decisions: [YES, YES, NO] } })
})

const request = (action: string, on: string[]) => ({
  action_request: { action, args: { n: 1 } },
  config: Object.fromEntries(["allow_accept", "allow_edit", "allow_respond", "allow_ignore", "allow_later"].map((name) => [name, on.includes(name)])),
  description: `Do ${action}`,
})

test("requests of Agent Inbox show what their config allows, and are answered in their own form", () => {
  const list = [request("mail", ["allow_accept", "allow_ignore", "allow_later"]), request("mail", ["allow_edit", "allow_respond"])]
  const { actions, reply } = actionsOf(asked(list))
  expect(actions.map((one) => [one.key, one.verbs, one.unknown])).toEqual([
    [`${ID}/0`, ["approve", "reject"], ["allow_later"]],
    [`${ID}/1`, ["edit", "respond"], []],
  ])
  expect(reply(YES, edited("mail", { n: 2 }))).toEqual({
    value: [{ type: "accept", args: null }, { type: "edit", args: { action: "mail", args: { n: 2 } } }],
  })
  expect(reply(NO, { type: "respond", message: "later" })).toEqual({
    value: [{ type: "ignore", args: "not now" }, { type: "response", args: "later" }],
  })
})

test("one request of Agent Inbox that the server keeps is answered by a decision, which it translates", () => {
  const { reply } = actionsOf(asked([request("mail", ["allow_accept"])], { kind: "tool_call", tool: "mail" }))
  expect(reply(YES)).toEqual({ decision: YES })
})

test("a call that the server does not keep is answered by its interrupt", () => {
  const value = { type: "tool_approval", tool_call_id: "c", name: "x", args: {}, description: "" }
  expect(actionsOf(asked(value, { approval_id: ID })).reply(YES)).toEqual({ value: YES })
})

test("questions, plans and offers of ours keep their own forms", () => {
  const questions = [{ id: "a", question: "?", options: [], multiple: false, required: true }]
  expect(formOf(asked({ type: "question", questions }, { kind: "question" }))).toEqual({ kind: "questions", questions })
  expect(formOf(asked({ type: "plan", plan: {} }, { kind: "plan" }))).toEqual({ kind: "plan" })
  const options = [{ id: "x", label: "X" }]
  expect(formOf(asked({ type: "question", question: "?", options }, { kind: "question" }))).toEqual({ kind: "choice", options })
})

test("a schema makes a form, whether the interrupt has it or its value", () => {
  const schema = { type: "object", properties: { n: { type: "integer" } } }
  expect(formOf(asked({ question: "How many?", at: 5 }, { schema }))).toEqual({ kind: "schema", schema, text: "How many?", rest: { at: 5 } })
  expect(formOf(asked({ message: "How many?", response_schema: schema }))).toEqual({ kind: "schema", schema, text: "How many?", rest: null })
})

test.each([
  ["Shall I?", "Shall I?", null],
  [{ question: "Shall I?" }, "Shall I?", null],
  [{ weird: [1] }, "", { weird: [1] }],
  [[1, 2], "", [1, 2]],
  [null, "", null],
  [{ action_requests: "broken" }, "", { action_requests: "broken" }],
])("anything else is answered freely: %j", (value, text, rest) => {
  expect(formOf(asked(value))).toEqual({ kind: "free", text, rest })
})
