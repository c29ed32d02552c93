import { expect, test } from "vitest"
import type { Checkpoint } from "../api/history"
import { cut, feet, grow, latest, path } from "./branches"
import { empty, fromState } from "./events"

type Line = [id: string, parent: string, source: Checkpoint["source"], message?: string]

/** Messages of a person are called p…, those of agents a…, results of tools t…. */
function past(...lines: Line[]): Checkpoint[] {
  const types: Record<string, string> = { p: "human", a: "ai", t: "tool" }
  return lines
    .map(([id, parent, source, message = ""]) => ({
      checkpoint_id: id,
      parent_checkpoint_id: parent || null,
      source,
      step: 0,
      run_id: null,
      created_at: null,
      nodes: [],
      next: [],
      message: message ? { id: message, type: types[message[0] ?? ""] ?? "", preview: message, tools: [] } : null,
    }))
    .reverse()
}

const TURN: Line[] = [
  ["01", "", "input"],
  ["02", "01", "loop", "p1"],
  ["03", "02", "loop", "p1"],
  ["04", "03", "loop", "a1"],
  ["05", "04", "input", "a1"],
  ["06", "05", "loop", "p2"],
  ["07", "06", "loop", "a2"],
]

test("a conversation that went one way has no branches", () => {
  const found = feet(grow(past(...TURN)), "07")
  expect([...found.values()].flatMap((foot) => foot.forks)).toEqual([])
  expect(found.get("p1")?.edit).toBe("01")
  expect(found.get("p2")?.edit).toBe("04")
  expect(found.get("a2")?.again).toEqual({ checkpoint: "06", message: "p2" })
  expect(found.get("a1")?.again ?? null).toBeNull()
})

test("each way of saying a message is one branch, however often it was said", () => {
  const tree = grow(
    past(...TURN, ["08", "04", "input", "a1"], ["09", "08", "loop", "p3"], ["10", "04", "input", "a1"], ["11", "10", "loop", "p4"]),
  )
  const fork = (at: number) => [{ heads: ["07", "09", "11"], at }]
  expect(feet(tree, "07").get("p2")?.forks).toEqual(fork(0))
  expect(feet(tree, "09").get("p3")?.forks).toEqual(fork(1))
  expect(feet(tree, "11").get("p4")?.forks).toEqual(fork(2))
  expect(feet(tree, "11").get("p4")?.edit).toBe("04")
})

test("the first message can be said otherwise, again and again from the empty beginning", () => {
  const tree = grow(past(...TURN, ["08", "01", "input"], ["09", "08", "loop", "p3"], ["10", "08", "input"], ["11", "10", "loop", "p4"]))
  expect(feet(tree, "11").get("p4")).toMatchObject({ edit: "01", forks: [{ heads: ["07", "09", "11"], at: 2 }] })
})

test("another answer to the same message is a branch at the answer", () => {
  const tree = grow(past(...TURN, ["08", "06", "fork", "p2"], ["09", "08", "loop", "a3"]))
  expect(feet(tree, "09").get("a3")?.forks).toEqual([{ heads: ["07", "09"], at: 1 }])
  expect(feet(tree, "09").get("a3")?.again?.checkpoint).toBe("06")
  expect(feet(tree, "07").get("a2")?.forks).toEqual([{ heads: ["07", "09"], at: 0 }])
})

test("a branch that said nothing yet is left at the message before it", () => {
  const tree = grow(past(...TURN, ["08", "06", "fork", "p2"]))
  expect(feet(tree, "08").get("p2")?.forks).toEqual([{ heads: ["07", "08"], at: 1 }])
})

test("a result of a tool shows no branch, the message behind it does", () => {
  const tree = grow(past(...TURN, ["08", "06", "fork", "p2"], ["09", "08", "loop", "t1"], ["10", "09", "loop", "a4"]))
  expect([...feet(tree, "10").keys()]).not.toContain("t1")
  expect(feet(tree, "10").get("a4")?.forks).toHaveLength(1)
})

test("where only the newest checkpoints are known, the older end is one beginning", () => {
  const tree = grow(past(...TURN.slice(4)))
  expect(path(tree, "07").map((one) => one.checkpoint_id)).toEqual(["06", "07"])
  expect(feet(tree, "07").get("p2")).toMatchObject({ edit: "04", forks: [] })
  expect(latest(tree, "06")).toBe("07")
})

test("a message said otherwise takes what was said after it off the screen, also by agents inside", () => {
  const message = (id: string, type: "human" | "ai") => ({ id, type, content: id })
  const view = fromState({ messages: [message("p1", "human"), message("a1", "ai"), message("p2", "human")] })
  const inner = { ...(view.root[1] ?? never()), id: "inner", depth: 1 }
  const live = [
    { ...inner, id: "i1", after: "p1" },
    { ...inner, id: "i2", after: "p2" },
  ]
  const ids = (one: typeof view) => [one.root.map(({ id }) => id), one.live.map(({ id }) => id)]
  expect(ids(cut({ ...view, live }, "p2", { with: false }))).toEqual([["p1", "a1"], ["i1"]])
  expect(ids(cut({ ...view, live }, "p2", { with: true }))).toEqual([["p1", "a1", "p2"], ["i1"]])
  expect(cut(empty, "p1", { with: true })).toBe(empty)
})

function never(): never {
  throw new Error("there is one")
}
