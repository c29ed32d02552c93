import type { Compacted } from "../api/types"
import { inner, type Said } from "../run/events"

/** A message, and whether another one spoke before it. */
export interface Line {
  kind: "message"
  key: string
  one: Said
  opens: boolean
}

/** What an agent inside said, together: who, how deep among others of its kind, and all that was said. */
export interface Lane {
  kind: "lane"
  key: string
  agent: string
  level: number
  parts: Line[]
}

/** Where what the model is shown only in chapters ends. */
export interface Mark {
  kind: "compressed"
  key: string
  count: number
  compacted: Compacted
}

export type Row = Line | Lane | Mark

const DEEPEST = 3 // lanes inside lanes are drawn no deeper

/** What stands below each other in a conversation. */
export function rowsOf(all: Said[], compacted: Compacted | null): Row[] {
  const lanes = lanePaths(all)
  const mark = compacted && markOf(all, compacted)
  const open = new Map<string, Lane>()
  const rows: Row[] = []
  let before: Said | undefined
  for (const [place, one] of all.entries()) {
    if (mark && place === mark.after) rows.push(mark.row)
    if (!one.depth) open.clear() // what is said inside later stands below
    if (!isShown(one)) continue
    const path = one.depth && one.lane && lanes.has(one.lane) ? one.lane : ""
    if (!path) {
      rows.push(line(one, before))
      before = one
      continue
    }
    const lane = open.get(path) ?? begin(path, one, lanes)
    if (!open.has(path)) rows.push(lane)
    open.set(path, lane)
    lane.parts.push(line(one, lane.parts.at(-1)?.one))
    if (!named(lane)) lane.agent = one.agent
    before = undefined
  }
  if (mark && mark.after >= all.length) rows.push(mark.row)
  return rows
}

/** Whether a message is drawn by itself: a result stands at its call, and some say nothing. */
export function isShown(one: Said): boolean {
  return one.role !== "tool" && (one.text !== "" || one.calls.length > 0 || one.attached !== undefined)
}

/** The paths that are lanes: further down than the agent a person talks to, or run by a node that only does the work. */
function lanePaths(all: Said[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const one of all) {
    if (!one.depth || !one.lane || one.role !== "agent") continue
    if (one.depth > 1 || one.agent !== inner(one.lane)) found.add(one.lane)
  }
  return found
}

function begin(path: string, one: Said, lanes: ReadonlySet<string>): Lane {
  const parts = path.split("|")
  const above = parts.slice(0, -1).filter((_, index) => lanes.has(parts.slice(0, index + 1).join("|"))).length
  return { kind: "lane", key: `${path} ${one.id}`, agent: one.agent, level: Math.min(above + 1, DEEPEST), parts: [] }
}

/** The node that does the work may be all that is known of who does it, until it is. */
function named(lane: Lane): boolean {
  return !!lane.agent && lane.agent !== inner(lane.key.split(" ")[0] ?? "")
}

function line(one: Said, before: Said | undefined): Line {
  return { kind: "message", key: one.id, one, opens: before?.role !== one.role || before.agent !== one.agent }
}

function markOf(all: Said[], compacted: Compacted): { after: number; row: Mark } | null {
  const last = all.findIndex((one) => one.id === compacted.until)
  if (last < 0) return null
  const calls = new Set(all[last]?.calls.map((call) => call.id))
  let after = last + 1
  while (calls.has(all[after]?.callId ?? "")) after += 1
  const kept = new Set(compacted.kept)
  const count = all.slice(0, after).filter((one) => isShown(one) && !kept.has(one.id)).length
  return { after, row: { kind: "compressed", key: "compressed", count, compacted } }
}

/** The messages of a row. */
export function linesOf(row: Row): Line[] {
  return row.kind === "message" ? [row] : row.kind === "lane" ? row.parts : []
}

/** Places of the rows in which words are found, once for each message that has them. */
export function found(rows: Row[], words: string): { row: number; id: string }[] {
  const wanted = words.trim().toLocaleLowerCase()
  if (!wanted) return []
  return rows.flatMap((row, place) =>
    linesOf(row)
      .filter(({ one }) => one.text.toLocaleLowerCase().includes(wanted))
      .map(({ one }) => ({ row: place, id: one.id })),
  )
}
