import type { Asked } from "../api/approvals"
import type { Args, Json } from "../api/types"
import { questionsOf } from "./answers"
import { formOf } from "./forms"
import { isMap } from "./schema"

/** What became of one action or question: a line in the conversation. */
export interface Verdict {
  key: string
  /** The run that asked. */
  run: string
  callId: string
  asked: string
  kind: "approved" | "changed" | "parts" | "rejected" | "replied" | "answered" | "late" | "aside"
  by: string
  at: string
  /** Words that were given with it. */
  words: string
  /** How many parts of a change were taken. */
  parts: number
  /** What need not be asked again. */
  grant: string
  changes: { name: string; before: Json; after: Json }[]
  answers: { question: string; answer: string | null }[]
}

export function whoKey(by: string): "askWho_local" | "askWho_wire" | null {
  return by === "local" ? "askWho_local" : by === "wire" ? "askWho_wire" : null
}

/** The verdicts of a question: one for each of its actions, none while it is open. */
export function verdictsOf(row: Asked): Verdict[] {
  if (row.status === "pending") return []
  const form = formOf(row)
  const base: Verdict = {
    key: row.approval_id,
    run: row.run_id,
    callId: row.tool_call_id ?? "",
    asked: "",
    kind: row.status === "superseded" ? "aside" : row.status === "timeout" ? "late" : "answered",
    by: row.decided_by ?? "",
    at: row.decided_at ?? row.asked_at,
    words: "",
    parts: 0,
    grant: "",
    changes: [],
    answers: [],
  }
  const open = base.kind !== "answered"
  if (form.kind === "actions")
    return form.actions.map((action, place) => {
      const about = { ...base, key: `${base.key}/${place}`, callId: action.callId || base.callId, asked: firstLine(action.description) || action.tool }
      return open ? about : { ...about, ...judged(decisionOn(row.decision, place), action.args) }
    })
  const asked = wordsOf(row.value as Json)
  if (open) return [{ ...base, asked }]
  const questions = questionsOf(row.value as Json)
  const answers = isMap(row.decision) && isMap(row.decision["answers"]) ? row.decision["answers"] : null
  if (questions.length && answers)
    return [{ ...base, asked, answers: questions.map((one) => ({ question: one.header || one.question, answer: said(answers[one.id]) })) }]
  const told = decided(row.decision)
  if (row.kind === "foreign" || !told) return [{ ...base, asked, answers: [{ question: asked, answer: said(row.decision) ?? "null" }] }]
  return [{ ...base, asked, ...(told.kind === "replied" ? { answers: [{ question: asked, answer: label(row.value as Json, told.words) }] } : told) }]
}

function judged(decision: Json, args: Args): Partial<Verdict> {
  const told = decided(decision) ?? { kind: "answered" as const, words: said(decision) ?? "" }
  if (told.kind !== "changed" || !isMap(decision)) return told
  const action = decision["edited_action"]
  const after = isMap(action) && isMap(action["args"]) ? action["args"] : {}
  const names = [...new Set([...Object.keys(args), ...Object.keys(after)])]
  const changes = names
    .filter((name) => JSON.stringify(args[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: args[name] ?? null, after: after[name] ?? null }))
  return { ...told, changes }
}

function decided(decision: Json): (Pick<Verdict, "kind" | "words"> & Partial<Verdict>) | null {
  if (!isMap(decision)) return null
  const words = typeof decision["message"] === "string" ? decision["message"] : ""
  switch (decision["type"]) {
    case "approve": {
      const parts = Array.isArray(decision["hunks"]) ? decision["hunks"].length : 0
      const scope = isMap(decision["grant"]) ? decision["grant"]["scope"] : ""
      return { kind: parts ? "parts" : "approved", words, parts, grant: typeof scope === "string" ? scope : "" }
    }
    case "edit":
      return { kind: "changed", words }
    case "reject":
      return { kind: "rejected", words }
    case "respond":
      return { kind: "replied", words }
    default:
      return null
  }
}

const INBOX: Record<string, string> = { accept: "approve", edit: "edit", response: "respond", ignore: "reject" }

/** What was said to one of the actions of a question, whatever form it was said in. */
function decisionOn(decision: Json, place: number): Json {
  if (isMap(decision) && Array.isArray(decision["decisions"])) return decision["decisions"][place] ?? null
  const one = Array.isArray(decision) ? decision[place] : decision
  const type = isMap(one) ? INBOX[String(one["type"])] : undefined
  if (!isMap(one) || !type || !("args" in one)) return one ?? null
  const { args } = one
  if (isMap(args)) return { type, edited_action: { name: args["action"] ?? "", args: args["args"] ?? {} } }
  return { type, message: args ?? null }
}

/** An answer in words; null: it was left to the agent. */
function said(answer: Json | undefined): string | null {
  if (answer === null || answer === undefined) return null
  if (isMap(answer) && Array.isArray(answer["options"])) {
    const words = typeof answer["words"] === "string" && answer["words"] ? [answer["words"]] : []
    return [...answer["options"].map(String), ...words].join(", ")
  }
  if (Array.isArray(answer) && answer.every((one) => typeof one === "string")) return answer.join(", ")
  return typeof answer === "string" ? answer : JSON.stringify(answer)
}

/** What a chosen option is called. */
function label(value: Json, chosen: string): string {
  const options = isMap(value) && Array.isArray(value["options"]) ? value["options"] : []
  const found = options.find((one) => isMap(one) && one["id"] === chosen)
  return isMap(found) && typeof found["label"] === "string" ? found["label"] : chosen
}

function wordsOf(value: Json): string {
  if (typeof value === "string") return firstLine(value)
  if (!isMap(value)) return ""
  const found = ["question", "description", "message", "prompt"].map((name) => value[name]).find((one) => typeof one === "string")
  return firstLine(String(found ?? ""))
}

const firstLine = (text: string) => text.split("\n")[0] ?? ""
