import { graphlib, layout } from "@dagrejs/dagre"
import type { Edge, Model } from "./model"

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

export interface Line extends Edge {
  points: { x: number; y: number }[]
  /** Where its words stand. */
  at: { x: number; y: number } | null
}

/** Where everything stands, in pixels from the upper left corner. */
export interface Placed {
  width: number
  height: number
  nodes: Record<string, Rect>
  boxes: Record<string, Rect>
  lines: Line[]
}

type Direction = "TB" | "LR"

const CHAR_PX = 7.6
const HEIGHT_PX = 36
const PADDING_PX = 36
const MARGIN_PX = 24
const LABEL_CHARS = 40
const LOOP_PX = 20
const NOWHERE: Rect = { x: 0, y: 0, width: 0, height: 0 }

/** Place a graph so that it is drawn largest in a view `ratio` times as wide as it is high. */
export function place(model: Model, ratio: number): Placed {
  const tried = (["TB", "LR"] as const).map((direction) => placeTo(model, direction))
  const [down, across] = tried as [Placed, Placed]
  return scale(across, ratio) > scale(down, ratio) ? across : down
}

function scale(placed: Placed, ratio: number): number {
  return Math.min(ratio / placed.width, 1 / placed.height)
}

export function placeTo(model: Model, direction: Direction): Placed {
  const graph = new graphlib.Graph({ compound: true, multigraph: true })
  graph.setGraph({ rankdir: direction, nodesep: 24, ranksep: 44, edgesep: 12, marginx: MARGIN_PX, marginy: MARGIN_PX })
  for (const one of model.boxes) graph.setNode(one.id, { label: one.label })
  for (const one of model.nodes) {
    const width = one.kind === "node" ? one.label.length * CHAR_PX + PADDING_PX : HEIGHT_PX * 2
    graph.setNode(one.id, { width, height: HEIGHT_PX })
  }
  for (const one of [...model.boxes, ...model.nodes]) if (one.box) graph.setParent(one.id, one.box)
  model.edges.forEach((one, index) => {
    if (one.from === one.to) return
    const chars = Math.min(one.when.length, LABEL_CHARS)
    graph.setEdge(one.from, one.to, { width: chars * CHAR_PX, height: chars ? 16 : 0, labelpos: "c" }, String(index))
  })
  layout(graph)
  const rects = (ids: { id: string }[]) => Object.fromEntries(ids.map(({ id }) => [id, rect(graph.node(id) as Rect)]))
  const nodes = rects(model.nodes)
  const boxes = rects(model.boxes)
  const lines = model.edges.map((one, index): Line => {
    if (one.from === one.to) return { ...one, ...loop(nodes[one.from], direction) }
    const found = graph.edge(one.from, one.to, String(index)) as { points?: Line["points"]; x?: number; y?: number }
    const at = one.when && found.x !== undefined && found.y !== undefined ? { x: found.x, y: found.y } : null
    return { ...one, points: found.points ?? [], at }
  })
  return { ...bounds([...Object.values(nodes), ...Object.values(boxes)], lines), nodes, boxes, lines }
}

/** A way back to the same node, at the side where no other line arrives. */
function loop({ x, y, width, height }: Rect = NOWHERE, direction: Direction): Pick<Line, "points" | "at"> {
  if (direction === "TB") {
    const [from, to, right] = [y + height * 0.25, y + height * 0.75, x + width]
    const out = right + LOOP_PX
    return { points: [{ x: right, y: to }, { x: out, y: to + 6 }, { x: out, y: from - 6 }, { x: right, y: from }], at: { x: out, y: y + height / 2 } }
  }
  const [from, to, top] = [x + width * 0.3, x + width * 0.7, y - LOOP_PX]
  return { points: [{ x: from, y }, { x: from - 6, y: top }, { x: to + 6, y: top }, { x: to, y }], at: { x: x + width / 2, y: top } }
}

/** How large the drawing is, for what the layout says leaves out lines that go round the outside. */
function bounds(rects: Rect[], lines: Line[]): { width: number; height: number } {
  const points = [...lines.flatMap((one) => one.points), ...rects.map((one) => ({ x: one.x + one.width, y: one.y + one.height }))]
  return {
    width: points.reduce((most, one) => Math.max(most, one.x), 0) + MARGIN_PX,
    height: points.reduce((most, one) => Math.max(most, one.y), 0) + MARGIN_PX,
  }
}

/** From the middle, as the layout says it, to the corner. */
function rect({ x, y, width, height }: Rect): Rect {
  return { x: x - width / 2, y: y - height / 2, width, height }
}
