import { expect, test } from "vitest"
import type { Checkpoint } from "../api/history"
import type { WireMessage } from "../api/types"
import { compare, written } from "./compare"
import { rows } from "./lanes"

const checkpoint = (id: string, parent: string, source: Checkpoint["source"] = "loop"): Checkpoint => ({
  checkpoint_id: id,
  parent_checkpoint_id: parent || null,
  source,
  step: 0,
  run_id: null,
  created_at: null,
  nodes: [],
  next: [],
  message: null,
})
const said = (id: string, content = id): WireMessage => ({ id, type: "human", content })

test("the branch of the head stands in the first lane, others leave it where they began", () => {
  const past = [
    checkpoint("7", "5"),
    checkpoint("6", "3"),
    checkpoint("5", "4", "fork"),
    checkpoint("4", "2", "input"),
    checkpoint("3", "2"),
    checkpoint("2", "1"),
    checkpoint("1", "", "input"),
  ]
  const drawn = rows(past, "7").map(({ one, lane, leaves }) => [one.checkpoint_id, lane, leaves])
  expect(drawn).toEqual([
    ["7", 0, []],
    ["6", 1, []],
    ["5", 0, []],
    ["3", 1, []],
    ["2", 0, [1]],
  ])
  expect(rows(past, "7").map((row) => [row.above, row.below])).toEqual([
    [[], [0]],
    [[0], [0, 1]],
    [[0, 1], [0, 1]],
    [[0, 1], [0, 1]],
    [[0, 1], []],
  ])
})

test("states differ by messages that came, went and changed, and by their other values", () => {
  const before = { messages: [said("a"), said("b")], route: null, todos: [] }
  const after = { messages: [said("a", "else"), said("c")], todos: [] }
  const found = compare(before, after)
  expect([found.added, found.gone].map((all) => all.map((one) => one.id))).toEqual([["c"], ["b"]])
  expect(found.changed.map((one) => one.after.content)).toEqual(["else"])
  expect(found.keys).toEqual([{ key: "route", before: null, after: undefined }])
})

test("only what was changed is written, and a message that was taken out is removed by name", () => {
  const before = { messages: [said("a"), said("b")], todos: [] }
  expect(written(before, before)).toEqual({})
  expect(written(before, { messages: [said("a", "else")], todos: [] })).toEqual({
    messages: [{ type: "remove", id: "b", content: "" }, said("a", "else")],
  })
})
