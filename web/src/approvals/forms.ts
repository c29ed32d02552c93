import { isKept } from "../api/approvals"
import type { Approval, Args, Asked, Decision, Json, Question } from "../api/types"
import { questionsOf } from "./answers"
import { isMap, resolved, type Schema } from "./schema"

export type Verb = Decision["type"]
export type Shown = NonNullable<Question["artel"]>

/** One action that waits for a yes or a no. */
export interface Action {
  /** Of its interrupt, and its place in it: two calls of one tool are two. */
  key: string
  tool: string
  args: Args
  description: string
  verbs: Verb[]
  /** Decisions that are allowed and that this page does not know. */
  unknown: string[]
  /** What the tool takes, where that is told. */
  schema: Schema | null
  shown: Shown
  callId: string
}

/** What a question asks for. */
export type Form =
  | { kind: "actions"; dialect: Dialect; actions: Action[] }
  | { kind: "questions"; questions: Asked[] }
  | { kind: "plan" }
  | { kind: "choice"; options: { id: string; label: string }[] }
  | { kind: "schema"; schema: Schema; text: string; rest: Json }
  | { kind: "free"; text: string; rest: Json }

/** How tool calls are asked about: one at a time, several as one, or in the form of Agent Inbox. */
type Dialect = "per_call" | "batched" | "inbox"

/** An answer: a decision that the server knows how to pass on, or what the graph goes on with. */
export type Reply = { decision: Decision | { decisions: Decision[] } } | { value: Json }

const VERBS: Verb[] = ["approve", "edit", "reject", "respond"]
const ALLOWS: Record<string, Verb> = {
  allow_accept: "approve",
  allow_edit: "edit",
  allow_ignore: "reject",
  allow_respond: "respond",
}
const WORDS = ["question", "message", "prompt", "text", "description", "instruction"]
const SCHEMAS = ["response_schema", "schema", "json_schema"]

/** Read what a question asks for from its value, whichever form its graph speaks. */
export function formOf(asked: Approval): Form {
  const value = asked.value as Json
  const questions = questionsOf(value)
  if (questions.length && asked.kind !== "tool_call") return { kind: "questions", questions }
  const actions = inboxOf(asked, value) ?? batchOf(asked, value) ?? callOf(asked, value)
  if (actions) return actions
  const told: Schema = isMap(value) ? value : {}
  if (asked.kind === "plan") return { kind: "plan" }
  if (asked.kind === "question") return { kind: "choice", options: ((value as Question | null)?.options ?? []) }
  const schema = [asked.schema, ...SCHEMAS.map((name) => told[name])].find(isMap)
  const text = typeof value === "string" ? value : (WORDS.map((name) => told[name]).find((one) => typeof one === "string") ?? "")
  const rest = restOf(value)
  return schema ? { kind: "schema", schema, text: String(text), rest } : { kind: "free", text: String(text), rest }
}

/** What a question says beside its words; null: nothing. */
function restOf(value: Json): Json {
  if (!isMap(value)) return typeof value === "string" ? null : value
  const word = WORDS.find((name) => typeof value[name] === "string")
  const rest = Object.entries(value).filter(([name]) => name !== word && !SCHEMAS.includes(name))
  return rest.length ? Object.fromEntries(rest) : null
}

function inboxOf(asked: Approval, value: Json): Form | null {
  const all = Array.isArray(value) ? value : [value]
  if (!all.length || !all.every(isRequest)) return null
  const actions = all.map((one, place): Action => {
    const { action, args } = one["action_request"]
    const on = Object.keys(one["config"]).filter((name) => one["config"][name] === true)
    const shown = shownOf(one["artel"])
    return {
      key: `${asked.interrupt_id}/${place}`,
      tool: action,
      args,
      description: textOf(one["description"]),
      verbs: VERBS.filter((verb) => on.some((name) => ALLOWS[name] === verb)),
      unknown: on.filter((name) => !ALLOWS[name]),
      schema: null,
      shown,
      callId: textOf((shown as Schema)["tool_call_id"]),
    }
  })
  return { kind: "actions", dialect: "inbox", actions }
}

interface Request extends Schema {
  action_request: { action: string; args: Args }
  config: Schema
}

function isRequest(one: Json): one is Request {
  if (!isMap(one) || !isMap(one["action_request"]) || !isMap(one["config"])) return false
  const { action, args } = one["action_request"]
  return typeof action === "string" && isMap(args) && Object.values(one["config"]).includes(true)
}

function batchOf(asked: Approval, value: Json): Form | null {
  if (!isMap(value) || !Array.isArray(value["action_requests"])) return null
  const requests = value["action_requests"]
  const configs = (Array.isArray(value["review_configs"]) ? value["review_configs"] : []).filter(isMap)
  if (!requests.length || !requests.every((one) => isMap(one) && typeof one["name"] === "string")) return null
  const calls = isMap(value["artel"]) && Array.isArray(value["artel"]["calls"]) ? value["artel"]["calls"] : []
  const agent = isMap(value["artel"]) ? textOf(value["artel"]["agent"]) : ""
  const actions = (requests as Schema[]).map((one, place): Action => {
    const name = textOf(one["name"])
    const config = [configs[place], ...configs].find((each) => each?.["action_name"] === name)
    const shown = { ...shownOf(calls[place]), ...(agent ? { agent } : {}) }
    return {
      key: `${asked.interrupt_id}/${place}`,
      tool: name,
      args: isMap(one["args"]) ? one["args"] : {},
      description: textOf(one["description"]),
      ...allowed(Array.isArray(config?.["allowed_decisions"]) ? config["allowed_decisions"] : VERBS),
      schema: isMap(config?.["args_schema"]) ? config["args_schema"] : null,
      shown,
      callId: textOf((shown as Schema)["tool_call_id"]),
    }
  })
  return { kind: "actions", dialect: "batched", actions }
}

function callOf(asked: Approval, value: Json): Form | null {
  if (!isMap(value) || value["type"] !== "tool_approval" || typeof value["name"] !== "string") return null
  const schema = [asked.schema, value["response_schema"]].find(isMap)
  const action: Action = {
    key: `${asked.interrupt_id}/0`,
    tool: value["name"],
    args: isMap(value["args"]) ? value["args"] : {},
    description: textOf(value["description"]),
    ...(schema ? casesOf(schema) : { verbs: VERBS, unknown: [], schema: null }),
    shown: shownOf(value["artel"]),
    callId: textOf(value["tool_call_id"]),
  }
  return { kind: "actions", dialect: "per_call", actions: [action] }
}

/** The decisions that a schema of the answer has cases for, and what an edit takes. */
function casesOf(schema: Schema): Pick<Action, "verbs" | "unknown" | "schema"> {
  const union = schema["oneOf"] ?? schema["anyOf"] ?? [schema]
  const cases = (Array.isArray(union) ? union : []).map((one) => resolved(one, schema))
  const part = (of: Schema, name: string) => resolved(isMap(of["properties"]) ? of["properties"][name] : undefined, schema)
  const typed = cases.map((one) => ({ type: part(one, "type")["const"] ?? "", one }))
  const edit = typed.find((one) => one.type === "edit")
  const args = edit ? part(part(edit.one, "edited_action"), "args") : null
  const whole = args && isMap(args["properties"]) ? { ...args, ...(schema["$defs"] ? { $defs: schema["$defs"] } : {}) } : null
  return { ...allowed(typed.map((one) => one.type)), schema: whole }
}

function allowed(names: readonly Json[]): { verbs: Verb[]; unknown: string[] } {
  const unknown = names.filter((name) => typeof name === "string" && name && !VERBS.includes(name as Verb)) as string[]
  return { verbs: VERBS.filter((verb) => names.includes(verb)), unknown }
}

const textOf = (value: Json | undefined) => (typeof value === "string" ? value : "")
const shownOf = (value: Json | undefined): Shown => (isMap(value) ? (value as Shown) : {})

/** What answers a question about tool calls, one decision for each of its actions in their order. */
export function replyOf(asked: Approval, dialect: Dialect, decisions: Decision[]): Reply {
  const [first] = decisions
  if (!first) throw new Error("nothing was decided")
  const ours = isKept(asked) && asked.kind === "tool_call"
  if (dialect === "batched") return ours ? { decision: { decisions } } : { value: { decisions } as unknown as Json }
  if (ours) return { decision: first } // the server says it in the form that the graph asked in
  return { value: dialect === "inbox" ? decisions.map(responseOf) : (first as unknown as Json) }
}

/** A decision as Agent Inbox says it. */
function responseOf(decision: Decision): Json {
  switch (decision.type) {
    case "approve":
      return { type: "accept", args: null }
    case "edit":
      return { type: "edit", args: { action: decision.edited_action.name, args: decision.edited_action.args } }
    case "respond":
      return { type: "response", args: "message" in decision ? decision.message : "" }
    case "reject":
      return { type: "ignore", args: decision.message ?? null }
  }
}
