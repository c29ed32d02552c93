import type { Checkpoint } from "../api/history"
import type { View } from "./events"

/** A place where a conversation goes several ways. `heads` are where each of them stands now. */
export interface Fork {
  heads: readonly string[]
  /** Which of them is on screen. */
  at: number
}

/** What can be done at a message. */
export interface Foot {
  /** The checkpoint from which it can be said otherwise. */
  edit: string
  /** The checkpoint from which it can be answered anew, and the message that it answers. */
  again: { checkpoint: string; message: string } | null
  forks: readonly Fork[]
}

/** The checkpoints of a thread by what they follow; those that only hold an input are left out. */
export interface Tree {
  nodes: ReadonlyMap<string, Checkpoint>
  /** Oldest first; "" has the first ones. */
  children: ReadonlyMap<string, readonly string[]>
}

const NOTHING: Foot = { edit: "", again: null, forks: [] }

export function grow(past: readonly Checkpoint[]): Tree {
  const nodes = new Map(past.map((one) => [one.checkpoint_id, one]))
  const children = new Map<string, string[]>()
  for (const one of [...past].sort(byAge)) {
    if (one.source === "input") continue
    const above = follows(nodes, one)
    children.set(above, [...(children.get(above) ?? []), one.checkpoint_id])
  }
  return { nodes, children }
}

/** The way from the first known checkpoint to this one. */
export function path({ nodes }: Tree, head: string): Checkpoint[] {
  const found: Checkpoint[] = []
  for (let one = nodes.get(head); one; one = nodes.get(follows(nodes, one))) {
    if (one.source !== "input") found.unshift(one)
  }
  return found
}

/** The newest checkpoint that came of this one. */
export function latest({ children }: Tree, from: string): string {
  let newest = from
  const open = [from]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id > newest) newest = id
    open.push(...(children.get(id) ?? []))
  }
  return newest
}

/** What can be done at each message of the branch that ends at `head`, by the messages' ids. */
export function feet(tree: Tree, head: string): ReadonlyMap<string, Foot> {
  const way = path(tree, head)
  const found = new Map<string, Foot>()
  const note = (id: string, change: (foot: Foot) => Partial<Foot>) => {
    const before = found.get(id) ?? NOTHING
    found.set(id, { ...before, ...change(before) })
  }
  let asked: Checkpoint | undefined
  for (const [place, one] of way.entries()) {
    const { id, type } = one.message ?? {}
    if (id && type === "human" && !found.get(id)?.edit && way[place - 1]?.message?.id !== id) {
      note(id, () => ({ edit: base(tree, one) }))
      asked = one
    }
    const ways = tree.children.get(follows(tree.nodes, one)) ?? []
    if (ways.length < 2) continue
    const shown = shownFirst(way, place)
    const fork = { heads: ways.map((way) => latest(tree, way)), at: ways.indexOf(one.checkpoint_id) }
    if (shown) note(shown, ({ forks }) => ({ forks: [...forks, fork] }))
  }
  const last = way.at(-1)?.message
  if (asked?.message?.id && last?.id && last.type === "ai") {
    const again = { checkpoint: asked.checkpoint_id, message: asked.message.id }
    note(last.id, () => ({ again }))
  }
  return found
}

/** The conversation before a message, or up to it. */
export function cut(view: View, message: string, { with: through }: { with: boolean }): View {
  const place = view.root.findIndex((one) => one.id === message)
  if (place < 0) return view
  const root = view.root.slice(0, through ? place + 1 : place)
  const kept = new Set(root.map((one) => one.id))
  if (through) kept.delete(message)
  return { ...view, root, live: view.live.filter((one) => kept.has(one.after)), error: null, todos: [] }
}

/** What it follows, over checkpoints that only hold an input; "": nothing. */
export function follows(nodes: Tree["nodes"], one: Checkpoint): string {
  let above = one.parent_checkpoint_id ?? ""
  for (let input = nodes.get(above); input?.source === "input"; input = nodes.get(above)) {
    above = input.parent_checkpoint_id ?? ""
  }
  return above
}

/** From where a message can be said otherwise; the first of a thread from the empty beginning. */
function base({ nodes }: Tree, one: Checkpoint): string {
  return follows(nodes, one) || first(nodes, one)
}

function first(nodes: Tree["nodes"], one: Checkpoint): string {
  let input = nodes.get(one.parent_checkpoint_id ?? "")
  while (input?.parent_checkpoint_id) input = nodes.get(input.parent_checkpoint_id)
  return input?.checkpoint_id ?? ""
}

/** The message by which a branch shows itself: its first one, or the last one before it. */
function shownFirst(way: readonly Checkpoint[], place: number): string {
  const before = way[place - 1]?.message?.id
  const fresh = way.slice(place).find(({ message }) => message?.id && message.id !== before && message.type !== "tool")
  return fresh?.message?.id ?? before ?? ""
}

function byAge(one: Checkpoint, other: Checkpoint): number {
  return one.checkpoint_id < other.checkpoint_id ? -1 : 1
}
