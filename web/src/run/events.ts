import type { Compacted, Json, Plan, Route, StreamEvent, Todo, ToolCall, Values, WireMessage } from "../api/types"
import { type Attached, parted, wordsOf } from "./attached"
import { type Facts, factsOf, type Pace } from "./facts"
import { madeAt } from "./ids"

/** A message on screen. `agent` is who speaks. */
export interface Said {
  id: string
  role: "person" | "agent" | "tool"
  text: string
  agent: string
  calls: ToolCall[]
  callId: string
  failed: boolean
  /** How many graphs deep it was said. */
  depth: number
  /** What it stands behind until the root graph's state holds it. */
  after: string
  /** Files that a person gave with it. */
  attached?: Attached[]
  /** The path of the graph inside that it was said in. */
  lane?: string
  /** When it was said, in ms. */
  time?: number
  facts?: Facts | undefined
  pace?: Pace | undefined
  /** Its run was stopped while it was said: no state holds it. */
  cut?: boolean
}

/** When a tool call was first seen, and when its result came, in ms; 0 is not known. */
export interface Span {
  from: number
  to: number
}

const TODO_STATUSES = new Set<Todo["status"]>(["pending", "in_progress", "completed", "failed", "cancelled"])
const LATELY = 12 // messages looked at for tool calls that began or ended

/** The todos of an agent that works for another. */
export interface Part {
  agent: string
  todos: Todo[]
}

/** How full the window of the model is, in tokens. */
export interface Fill {
  tokens: number
  window: number
  limit: number
  compacted: boolean
}

/** A run on screen is `events.reduce(reduce, empty)`. */
export interface View {
  root: Said[]
  /** Said inside agents, or in letters, and not yet in the root graph's state. */
  live: Said[]
  /** Ids a state or an update has shown: what else is live goes when an attempt begins anew. */
  kept: ReadonlySet<string>
  /** Arguments of tool calls that are still being spoken, by message id. */
  spoken: ReadonlyMap<string, string>
  spans: ReadonlyMap<string, Span>
  route: Route | null
  todos: Todo[]
  /** The todos of agents inside, by where they work. */
  parts: ReadonlyMap<string, Part>
  plan: Plan | null
  /** Plans that steps have of their own, by the step's id. */
  inner: ReadonlyMap<string, Plan>
  /** Of the agent that was heard of last; null where its model has no window. */
  fill: Fill | null
  error: { error: string; message: string } | null
  attempt: number
  /** How old messages are shown to the model; null while all are. */
  compacted: Compacted | null
  /** When each graph last did something else than speak, in ms, by its path: a model is asked then. */
  asked: ReadonlyMap<string, number>
}

export const empty: View = {
  root: [],
  live: [],
  kept: new Set(),
  spoken: new Map(),
  spans: new Map(),
  route: null,
  todos: [],
  parts: new Map(),
  plan: null,
  inner: new Map(),
  fill: null,
  error: null,
  attempt: 1,
  compacted: null,
  asked: new Map(),
}

export function reduce(view: View, event: StreamEvent): View {
  const [kind, namespace = ""] = split(event.event)
  const applied = apply(view, kind, namespace, event)
  const silent = event.at && kind !== "messages"
  const changed = silent ? { ...applied, asked: new Map(applied.asked).set(namespace, event.at ?? 0) } : applied
  return changed.live !== view.live || changed.root !== view.root ? timed(changed, event.at ?? 0) : changed
}

function apply(view: View, kind: string, namespace: string, event: StreamEvent): View {
  switch (kind) {
    case "metadata":
      return begin(view, JSON.parse(event.data) as { attempt?: number })
    case "values":
      return values(view, JSON.parse(event.data) as Values, namespace)
    case "messages":
      return message(view, JSON.parse(event.data) as [WireMessage, Record<string, Json>], namespace, event.at ?? 0)
    case "updates":
      return updates(view, JSON.parse(event.data) as Record<string, unknown>)
    case "custom":
      return custom(view, JSON.parse(event.data) as Custom, namespace)
    case "error":
      return { ...view, error: JSON.parse(event.data) as { error: string; message: string } }
    default:
      return view
  }
}

/** What is on screen, in order: what is not yet in the root graph's state stands where it began. */
export function said(view: View): Said[] {
  const known = new Set(view.root.map((one) => one.id))
  const fresh = view.live.filter((one) => !known.has(one.id))
  if (!fresh.length) return view.root
  const placed = new Map<string, Said[]>()
  for (const one of fresh) {
    if (one.role === "person" && one.depth) continue // told to an agent inside, by an agent
    const place = known.has(one.after) ? one.after : ""
    placed.set(place, [...(placed.get(place) ?? []), one])
  }
  const inner = view.root.flatMap((one) => [one, ...(placed.get(one.id) ?? [])])
  return [...inner, ...(placed.get("") ?? [])]
}

/** The state the server holds, over what is on screen: nothing said inside is lost, nothing half said is kept. */
export function fromState(state: Values, view: View = empty): View {
  const held = values(view, state, "")
  return { ...held, live: held.live.filter((one) => one.cut || view.kept.has(one.id)), spoken: new Map() }
}

/** Likewise, of a run that was stopped: what was half said stays on screen, and is told to be so. */
export function stopped(state: Values, view: View): View {
  const held = fromState(state, view)
  const known = new Set([...held.root, ...held.live].map((one) => one.id))
  const lost = view.live.filter((one) => one.role === "agent" && one.text && !known.has(one.id))
  return { ...held, live: [...held.live, ...lost.map((one) => ({ ...one, calls: [], cut: true }))] }
}

function split(name: string): [string, string?] {
  const bar = name.indexOf("|")
  return bar < 0 ? [name] : [name.slice(0, bar), name.slice(bar + 1)]
}

function begin(view: View, data: { attempt?: number }): View {
  const attempt = data.attempt ?? 1
  if (attempt <= 1) return { ...view, attempt, error: null, parts: new Map(), inner: new Map() }
  const live = view.live.filter((one) => view.kept.has(one.id) || one.cut || one.role === "person")
  return { ...view, attempt, error: null, live, spoken: new Map() }
}

function values(before: View, state: Values, namespace: string): View {
  const view = planned(state.todos ? listed(before, state.todos, "", namespace) : before, state, namespace)
  if (!state.messages) return view
  const known = new Map([...view.live, ...view.root].map((one) => [one.id, one]))
  const wire = state.messages.filter((one) => one.id && one.type !== "system")
  const shown = wire.map((one) => settled(known.get(one.id), toSaid(one, "", namespace)))
  const kept = new Set([...view.kept, ...shown.map((one) => one.id)])
  const route = state.route === undefined ? view.route : state.route
  if (namespace) return { ...view, kept, live: merge(view.live, shown, view.root.at(-1)?.id ?? "") }
  const now = new Set(shown.map((one) => one.id))
  const live = view.live.filter((one) => !now.has(one.id) && (one.depth > 0 || one.cut || one.role === "person"))
  const compacted = state.compacted === undefined ? view.compacted : whole(state.compacted)
  return { ...view, root: shown, live, kept, route, compacted }
}

function whole(found: Partial<Compacted> | null): Compacted | null {
  return found?.until ? { until: found.until, kept: found.kept ?? [], chapters: found.chapters ?? [] } : null
}

/** The very object on screen if nothing changed, so that nothing is drawn again. */
function settled(before: Said | undefined, fresh: Said): Said {
  if (!before) return fresh
  const { after, pace } = before
  const time = fresh.time || before.time || 0
  const one = { ...fresh, agent: fresh.agent || before.agent, after, time, pace, facts: fresh.facts ?? before.facts }
  return one.text === before.text &&
    one.depth === before.depth &&
    one.agent === before.agent &&
    one.failed === before.failed &&
    one.lane === before.lane &&
    JSON.stringify(one.facts) === JSON.stringify(before.facts) &&
    JSON.stringify(one.calls) === JSON.stringify(before.calls)
    ? before
    : one
}

function merge(old: Said[], fresh: Said[], after: string): Said[] {
  const changed = new Map(fresh.map((one) => [one.id, one]))
  const merged = old.map((one) => changed.get(one.id) ?? one)
  const known = new Set(old.map((one) => one.id))
  return [...merged, ...fresh.filter((one) => !known.has(one.id)).map((one) => ({ ...one, after }))]
}

function timed(view: View, at: number): View {
  let spans: Map<string, Span> | null = null
  const note = (id: string, span: Span) => (spans ??= new Map(view.spans)).set(id, span)
  for (const one of [...view.root.slice(-LATELY), ...view.live.slice(-LATELY)]) {
    for (const call of one.calls) if (!view.spans.has(call.id)) note(call.id, { from: at, to: 0 })
    const span = view.spans.get(one.callId)
    if (span?.from && !span.to && at) note(one.callId, { ...span, to: at })
  }
  return spans ? { ...view, spans } : view
}

function updates(view: View, nodes: Record<string, unknown>): View {
  const ids = Object.values(nodes).flatMap(messageIds)
  return ids.length ? { ...view, kept: new Set([...view.kept, ...ids]) } : view
}

function messageIds(written: unknown): string[] {
  const messages = (written as { messages?: unknown } | null)?.messages
  return Array.isArray(messages) ? messages.map((one: { id?: string }) => one.id ?? "").filter(Boolean) : []
}

/** Words that the agent has heard while it worked. */
interface Heard {
  messages?: { id: string; text: string }[]
}

type Custom = { type?: string; todos?: Json[]; plan?: Plan } & Partial<Route> & Partial<Fill> & Heard

const STEERED = "steer-" // how the ids of such messages begin

/** The ids of the steering that an event tells the agent has heard. */
export function heard(event: StreamEvent): string[] {
  if (split(event.event)[0] !== "custom" || !event.data.includes('"steered"')) return []
  const data = JSON.parse(event.data) as { type?: string } & Heard
  return data.type === "steered" ? (data.messages ?? []).map((one) => one.id.replace(STEERED, "")) : []
}

function told(view: View, { messages = [] }: Heard): View {
  const known = new Set([...view.root, ...view.live].map((one) => one.id))
  const after = view.root.at(-1)?.id ?? ""
  const fresh = messages
    .filter((one) => !known.has(one.id))
    .map(({ id, text }): Said => ({ ...PERSON, id, ...spokenBy("person", text), after, time: madeAt(id) }))
  return { ...view, live: [...view.live, ...fresh] }
}

const PERSON = { role: "person" as const, agent: "", calls: [], callId: "", failed: false, depth: 0 }

function isPlan(one: Plan | undefined): one is Plan {
  return typeof one?.goal === "string" && Array.isArray(one.steps)
}

function isTodo(one: unknown): one is Todo {
  return typeof (one as Todo | null)?.content === "string" && TODO_STATUSES.has((one as Todo).status)
}

/** Todos of whoever answers the person, or of an agent that works for that one. */
function listed(view: View, todos: readonly unknown[], agent: string, namespace: string): View {
  const told = todos.filter(isTodo)
  if (namespace.split("|").length < 2) return { ...view, todos: told }
  const known = view.parts.get(namespace)
  const part = { agent: agent || (known?.agent ?? inner(namespace)), todos: told }
  return { ...view, parts: new Map(view.parts).set(namespace, part) }
}

/** The thread's plan is that of the root graph: agents inside hold it as it was when they began. */
function planned(view: View, state: Values, namespace: string): View {
  return namespace || state.plan === undefined || same(state.plan, view.plan) ? view : { ...view, plan: state.plan }
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function announced(view: View, plan: Plan): View {
  if ((plan.depth ?? 1) === 1) return { ...view, plan }
  const step = view.plan?.steps.find((one) => one.status === "in_progress" && one.agent === PLANNER)
  return step ? { ...view, inner: new Map(view.inner).set(step.id, plan) } : view
}

const PLANNER = "orchestrator" // whose steps have a plan of their own

function custom(view: View, data: Custom, namespace: string): View {
  switch (data.type) {
    case "steered":
      return told(view, data)
    case "todos":
      return Array.isArray(data.todos) ? listed(view, data.todos, data.agent ?? "", namespace) : view
    case "plan":
      return isPlan(data.plan) ? announced(view, data.plan) : view
    case "route":
      return { ...view, route: { agent: data.agent ?? "", reason: data.reason ?? "" } }
    case "context": {
      const { tokens = 0, window = 0, limit = 0, compacted = false } = data
      return { ...view, fill: limit > 0 ? { tokens, window, limit, compacted } : null }
    }
    default:
      return view
  }
}

function message(view: View, [wire, meta]: [WireMessage, Record<string, Json>], namespace: string, at: number): View {
  if (!wire.id || wire.type === "system") return view
  const fresh = toSaid(wire, speaker(meta, namespace), namespace)
  const place = view.live.findIndex((one) => one.id === wire.id)
  const before = view.live[place]
  if (wire.type !== "AIMessageChunk" || !before) {
    if (view.root.some((one) => one.id === wire.id)) return view
    const after = before?.after ?? view.root.at(-1)?.id ?? ""
    const spoken = speak(view.spoken, wire)
    const depth = before?.role === "person" ? before.depth : fresh.depth // steered: shown as the person's at once
    const pace = before?.pace ?? (at ? { asked: view.asked.get(namespace) ?? 0, first: at, last: at } : undefined)
    const time = fresh.time || before?.time || at
    const shown = { ...fresh, depth, after, time, pace, calls: calls(fresh.calls, wire, spoken) }
    return { ...view, spoken, live: before ? view.live.with(place, shown) : [...view.live, shown] }
  }
  const spoken = speak(view.spoken, wire)
  const grown = {
    ...before,
    text: before.text + fresh.text,
    calls: calls(before.calls, wire, spoken),
    facts: fresh.facts ?? before.facts,
    pace: before.pace && at && (fresh.text || wire.tool_call_chunks?.length) ? { ...before.pace, last: at } : before.pace,
  }
  return { ...view, spoken, live: view.live.with(place, grown) }
}

/** Chunks name a call once and then speak its arguments in pieces. */
function speak(spoken: ReadonlyMap<string, string>, wire: WireMessage): ReadonlyMap<string, string> {
  if (!wire.tool_call_chunks?.length) return spoken
  const grown = new Map(spoken)
  for (const chunk of wire.tool_call_chunks) {
    const key = `${wire.id}/${chunk.index ?? 0}`
    grown.set(key, (grown.get(key) ?? "") + (chunk.args ?? ""))
  }
  return grown
}

function calls(before: ToolCall[], wire: WireMessage, spoken: ReadonlyMap<string, string>): ToolCall[] {
  let known = [...before]
  for (const chunk of wire.tool_call_chunks ?? []) {
    if (chunk.id && !known.some((one) => one.id === chunk.id)) {
      known = [...known, { id: chunk.id, name: chunk.name ?? "", args: {} }]
    }
    const place = chunk.index ?? known.length - 1
    const one = known[place]
    const args = parsed(spoken.get(`${wire.id}/${chunk.index ?? 0}`))
    if (one && args) known = known.with(place, { ...one, args })
  }
  return known
}

function parsed(text: string | undefined): ToolCall["args"] | null {
  try {
    return text?.endsWith("}") ? (JSON.parse(text) as ToolCall["args"]) : null // half of it need not be read each time
  } catch {
    return null
  }
}

function speaker(meta: Record<string, Json>, namespace: string): string {
  const named = meta["lc_agent_name"] ?? (inner(namespace) || meta["langgraph_node"])
  return typeof named === "string" ? named : ""
}

function toSaid(wire: WireMessage, agent: string, namespace: string): Said {
  const role = wire.type === "human" ? "person" : wire.type === "tool" ? "tool" : "agent"
  return {
    id: wire.id,
    role,
    ...spokenBy(role, wordsOf(wire.content)),
    agent: role === "tool" ? (wire.name ?? "") : wire.name || agent || inner(namespace),
    calls: (wire.tool_calls ?? []).filter((one) => one.id),
    callId: wire.tool_call_id ?? "",
    failed: wire.status === "error",
    depth: namespace ? namespace.split("|").length : 0,
    after: "",
    lane: namespace,
    time: madeAt(wire.id),
    facts: role === "agent" ? factsOf(wire) : undefined,
  }
}

/** `coder:task|child:task` is said by `child`. */
export function inner(namespace: string): string {
  return namespace.split("|").at(-1)?.split(":")[0] ?? ""
}

/** What a person said stands apart from the files that came with it. */
function spokenBy(role: Said["role"], words: string): Pick<Said, "text" | "attached"> {
  const { text, files } = role === "person" ? parted(words) : { text: words, files: [] }
  return files.length ? { text, attached: files } : { text }
}
