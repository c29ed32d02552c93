import type { Json, StreamEvent } from "../api/types"

/** When a place was first left, and how often it was. */
export interface Pass {
  order: number
  count: number
}

/** The way of a run through its graph. A place is `coder:model`: the node `model` of the graph in `coder`. */
export interface Path {
  /** Places by what tells one task of theirs from another. */
  running: ReadonlyMap<string, string>
  passed: ReadonlyMap<string, Pass>
  waits: ReadonlySet<string>
  failed: ReadonlySet<string>
  order: number
}

export const start: Path = { running: new Map(), passed: new Map(), waits: new Set(), failed: new Set(), order: 0 }

const SILENT = "?" // the task of a node that has not been heard of

/** Take one event of a run; the same object comes back where nothing changed. */
export function walk(path: Path, event: StreamEvent): Path {
  const bar = event.event.indexOf("|")
  const kind = bar < 0 ? event.event : event.event.slice(0, bar)
  const inside = bar < 0 ? [] : event.event.slice(bar + 1).split("|")
  switch (kind) {
    case "metadata":
      return { ...path, running: new Map(), waits: new Set(), failed: new Set() }
    case "messages":
      return heard(path, inside, (JSON.parse(event.data) as [unknown, Record<string, Json>])[1])
    case "updates":
      return Object.keys(JSON.parse(event.data) as object).reduce((now, node) => left(now, inside, node), enter(path, inside))
    case "tasks":
      return task(path, inside, JSON.parse(event.data) as Task)
    case "debug": {
      const { type, payload } = JSON.parse(event.data) as { type: string; payload: Task }
      return type.startsWith("task") ? task(path, inside, payload) : path
    }
    case "error":
      return { ...path, failed: new Set(path.running.values()), running: new Map() }
    default:
      return path
  }
}

interface Task {
  id: string
  name: string
  input?: unknown
  error?: unknown
}

/** A node is heard of only by what it says: those that say nothing are taken from the state of the thread. */
export function standing(path: Path, next: string[]): Path {
  const running = new Map([...path.running].filter(([key, place]) => !key.endsWith(`:${SILENT}`) || next.includes(place)))
  const places = new Set(running.values())
  for (const place of next) if (!places.has(place)) running.set(`${place}:${SILENT}`, place)
  return { ...path, running }
}

/** The run is over: what comes next waits for a person, or has failed. */
export function ended(path: Path, next: string[], failed: boolean): Path {
  const there = new Set(next)
  const none = new Set<string>()
  return { ...path, running: new Map(), waits: failed ? none : there, failed: failed ? new Set([...there, ...path.failed]) : none }
}

function heard(path: Path, inside: string[], meta: Record<string, Json>): Path {
  const whole = meta["langgraph_checkpoint_ns"]
  const node = meta["langgraph_node"]
  if (typeof whole === "string" && whole) return enter(path, whole.split("|"))
  return typeof node === "string" ? enter(path, [...inside, `${node}:${SILENT}`]) : path
}

function task(path: Path, inside: string[], { id, name, error, ...rest }: Task): Path {
  const key = [...inside, `${name}:${id}`]
  if ("input" in rest) return enter(path, key)
  return error ? { ...path, failed: new Set([...path.failed, placeOf(key)]) } : path
}

/** Whoever works in a graph works in the nodes it lies in, too. */
function enter(path: Path, keys: string[]): Path {
  const fresh = keys.map((_, depth) => keys.slice(0, depth + 1)).filter((one) => !path.running.has(one.join("|")))
  if (!fresh.length) return path
  const running = new Map(path.running)
  for (const one of fresh) {
    running.delete(`${placeOf(one)}:${SILENT}`)
    running.set(one.join("|"), placeOf(one))
  }
  return { ...path, running }
}

function left(path: Path, inside: string[], node: string): Path {
  if (node.startsWith("__")) return path
  const place = placeOf([...inside, node])
  const before = [...inside, ""].join("|")
  const key = [...path.running.keys()].find((one) => one.startsWith(before) && path.running.get(one) === place)
  const silent = `${place}:${SILENT}`
  const running = new Map([...path.running].filter(([one]) => one !== silent && one !== key && !(key && one.startsWith(`${key}|`))))
  const known = path.passed.get(place)
  const order = path.order + 1
  const passed = new Map(path.passed).set(place, { order: known?.order ?? order, count: (known?.count ?? 0) + 1 })
  return { ...path, running, passed, order }
}

/** `coder:task|1|child:task` is the place `coder:child`: numbers only count graphs within one node. */
function placeOf(keys: string[]): string {
  return keys
    .map((one) => one.split(":")[0] ?? "")
    .filter((one) => !/^\d+$/.test(one))
    .join(":")
}
