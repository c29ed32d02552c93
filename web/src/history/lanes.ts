import type { Checkpoint } from "../api/history"
import { follows, grow, path, type Tree } from "../run/branches"

/** A checkpoint in the drawing: its lane, the lanes that pass by, and those that begin here. */
export interface Row {
  one: Checkpoint
  lane: number
  /** Lanes that are drawn above and below this row. */
  above: readonly number[]
  below: readonly number[]
  /** Lanes of branches that leave from here. */
  leaves: readonly number[]
}

/** Checkpoints newest first, those of one branch in one lane; the branch of `head` has lane 0. */
export function rows(past: readonly Checkpoint[], head: string): Row[] {
  const tree = grow(past)
  const lanes = laned(tree, head)
  const shown = past.filter((one) => lanes.has(one.checkpoint_id))
  const open = new Map<number, string>() // lanes that come from above, and which checkpoint each leads to
  return shown.map((one) => {
    const id = one.checkpoint_id
    const lane = lanes.get(id) ?? 0
    const above = [...open.keys()]
    const leaves = above.filter((other) => other !== lane && open.get(other) === id)
    for (const ended of leaves) open.delete(ended)
    const parent = follows(tree.nodes, one)
    if (lanes.has(parent)) open.set(lane, parent)
    else open.delete(lane)
    return { one, lane, above, below: [...open.keys()], leaves }
  })
}

function laned(tree: Tree, head: string): Map<string, number> {
  const lanes = new Map(path(tree, head).map((one) => [one.checkpoint_id, 0]))
  const firsts = [...tree.nodes.values()].filter((one) => one.source !== "input")
  const parents = new Set(firsts.map((one) => follows(tree.nodes, one)))
  const ends = firsts.filter((one) => !parents.has(one.checkpoint_id)).map((one) => one.checkpoint_id)
  let next = 1
  for (const end of ends.sort().reverse()) {
    if (lanes.has(end)) continue
    for (const one of path(tree, end).reverse()) {
      if (lanes.has(one.checkpoint_id)) break
      lanes.set(one.checkpoint_id, next)
    }
    next += 1
  }
  return lanes
}
