import { expect, test } from "vitest"
import { place, placeTo, type Rect } from "./layout"
import { drawnAt, modelOf } from "./model"

const node = (id: string) => ({ id, data: { name: id } })
const NESTED = {
  nodes: [node("__start__"), node("route"), node("coder:__start__"), node("coder:model"), node("coder:__end__"), { id: "__end__" }],
  edges: [
    { source: "__start__", target: "route" },
    { source: "route", target: "coder", conditional: true, data: "a change" },
    { source: "route", target: "route", conditional: true },
    { source: "coder:__start__", target: "coder:model" },
    { source: "coder:model", target: "coder:__end__", conditional: true },
    { source: "coder:__end__", target: "__end__" },
    { source: "route", target: "nowhere", conditional: true },
  ],
}
const within = (inner: Rect, outer: Rect) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height
const apart = (a: Rect, b: Rect) =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y

test("a graph inside is a box with its nodes, and an edge to it leads to where it begins", () => {
  const model = modelOf(NESTED)
  expect(model.boxes).toEqual([{ id: "coder", label: "coder", box: "" }])
  expect(model.nodes.find((one) => one.id === "coder:model")).toMatchObject({ label: "model", box: "coder", kind: "node" })
  expect(model.edges[1]).toEqual({ from: "route", to: "coder:__start__", when: "a change", conditional: true })
})

test("an edge to what is not drawn is left out", () => {
  expect(modelOf(NESTED).edges).toHaveLength(6)
})

test("a place that is not drawn is shown at the graph that holds it", () => {
  const ids = new Set(["ask", "coder:model"])
  expect(drawnAt("ask:model", ids)).toBe("ask")
  expect(drawnAt("coder:model", ids)).toBe("coder:model")
  expect(drawnAt("elsewhere:model", ids)).toBe("")
})

test("nodes stand apart, within the drawing and within their box; each edge has a line", () => {
  for (const direction of ["TB", "LR"] as const) {
    const placed = placeTo(modelOf(NESTED), direction)
    const rects = Object.values(placed.nodes)
    const whole = { x: 0, y: 0, width: placed.width, height: placed.height }
    expect(rects.every((one) => within(one, whole))).toBe(true)
    expect(rects.every((one, index) => rects.slice(index + 1).every((other) => apart(one, other)))).toBe(true)
    expect(within(placed.nodes["coder:model"] as Rect, placed.boxes["coder"] as Rect)).toBe(true)
    expect(placed.lines.every((one) => one.points.length > 1)).toBe(true)
    expect(placed.lines[1]?.at).not.toBeNull()
  }
})

test("a long chain is drawn along the longer side of the view", () => {
  const names = Array.from({ length: 100 }, (_, index) => `node${index}`)
  const edges = names.slice(1).map((target, index) => ({ source: names[index] ?? "", target }))
  const model = modelOf({ nodes: names.map(node), edges })
  const high = place(model, 0.5)
  const wide = place(model, 2)
  expect(Object.keys(high.nodes)).toHaveLength(100)
  expect(high.height).toBeGreaterThan(high.width)
  expect(wide.width).toBeGreaterThan(wide.height)
})
