import type { Ended, Waiting } from "../api/inbox"
import { keyOf } from "../run/waiting"

export type Order = "newest" | "oldest" | "expiring"
export const ORDERS: readonly Order[] = ["newest", "oldest", "expiring"]

export interface Wanted {
  kind: string
  agent: string
  order: Order
}

export interface Row extends Waiting {
  key: string
  /** It was answered elsewhere; it stays, for somebody was about to answer it here. */
  gone: boolean
}

export interface Conversation {
  thread: string
  title: string
  rows: Row[]
}

const LONG_S = 60

/** What waits, and what was unfolded here and waits no more. */
export function rowsOf(waiting: Waiting[], unfolded: Waiting[]): Row[] {
  const open = new Set(waiting.map(keyOf))
  return [
    ...waiting.map((one) => ({ ...one, key: keyOf(one), gone: false })),
    ...unfolded.filter((one) => !open.has(keyOf(one))).map((one) => ({ ...one, key: keyOf(one), gone: true })),
  ]
}

/** The rows that are wanted, by conversation: the conversation of the first row comes first. */
export function arranged(rows: Row[], { kind, agent, order }: Wanted): Conversation[] {
  const fitting = rows.filter((one) => (!kind || one.kind === kind) && (!agent || agentOf(one) === agent))
  const found = new Map<string, Conversation>()
  for (const row of fitting.sort(by(order))) {
    const known = found.get(row.thread_id)
    if (known) known.rows.push(row)
    else found.set(row.thread_id, { thread: row.thread_id, title: row.title, rows: [row] })
  }
  return [...found.values()]
}

function by(order: Order): (one: Row, other: Row) => number {
  const at = (row: Row) => Date.parse(row.asked_at)
  if (order === "newest") return (one, other) => at(other) - at(one)
  if (order === "oldest") return (one, other) => at(one) - at(other)
  const until = (row: Row) => (row.expires_at ? Date.parse(row.expires_at) : Infinity)
  return (one, other) => (until(one) === until(other) ? at(one) - at(other) : until(one) - until(other))
}

/** An agent's name without the digest of what it is made of. */
export function agentOf(one: Waiting): string {
  return (one.agent ?? one.graph_id).split("@")[0] ?? ""
}

/** The different values, in order. */
export function choices(rows: Row[], of: (row: Row) => string): string[] {
  return [...new Set(rows.map(of))].filter(Boolean).sort()
}

/** What failed, and what took so long that somebody may have gone away meanwhile. */
export function worthALook(ended: Ended[]): Ended[] {
  return ended.filter((one) => one.failed || one.took_s >= LONG_S)
}
