import type { Drawn } from "../api/graph"

export interface Node {
  id: string
  label: string
  kind: "start" | "end" | "node"
  /** The box it stands in; none: "". */
  box: string
  tools: string[]
}

/** A graph inside the graph. */
export interface Box {
  id: string
  label: string
  box: string
}

export interface Edge {
  from: string
  to: string
  /** What has to be so; none: "". */
  when: string
  conditional: boolean
}

export interface Model {
  nodes: Node[]
  boxes: Box[]
  edges: Edge[]
}

const START = "__start__"
const END = "__end__"

/** Read a drawing: ids of the graphs inside tell where they are, `coder:model` stands in `coder`. */
export function modelOf(drawn: Drawn): Model {
  const nodes = drawn.nodes.map(({ id, metadata }): Node => {
    const label = last(id)
    const kind = label === START ? "start" : label === END ? "end" : "node"
    return { id, label, kind, box: above(id), tools: metadata?.__tools ?? [] }
  })
  const boxes = new Map<string, Box>()
  for (const { box } of nodes) {
    for (let id = box; id && !boxes.has(id); id = above(id)) boxes.set(id, { id, label: last(id), box: above(id) })
  }
  const known = new Set(nodes.map((one) => one.id))
  const edges = drawn.edges
    .map((one): Edge => {
      const when = typeof one.data === "string" ? one.data : ""
      return { from: inner(one.source, END, known), to: inner(one.target, START, known), when, conditional: !!one.conditional }
    })
    .filter((one) => known.has(one.from) && known.has(one.to))
  return { nodes, boxes: [...boxes.values()], edges }
}

/** What is drawn of a place in a run: itself, else the graph that it is in; none: "". */
export function drawnAt(place: string, ids: ReadonlySet<string>): string {
  for (let id = place; id; id = above(id)) if (ids.has(id)) return id
  return ""
}

/** An edge to a box leads to where that graph begins, one from it leaves where it ends. */
function inner(id: string, end: string, known: ReadonlySet<string>): string {
  return known.has(id) ? id : `${id}:${end}`
}

function above(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf(":")))
}

function last(id: string): string {
  return id.slice(id.lastIndexOf(":") + 1)
}
