import { expect, test } from "vitest"
import type { Thread } from "../api/types"
import { appended, found, grouped, merged } from "./listing"

const NOW = new Date(2026, 2, 15, 0, 30)
const ago = (days: number, minutes = 0) => new Date(2026, 2, 15 - days, 0, 30 - minutes).toISOString()
const thread = (id: string, updated_at: string, metadata: Thread["metadata"] = {}): Thread => ({
  thread_id: id,
  status: "idle",
  updated_at,
  metadata,
})

test("conversations stand under their day, and the pinned ones over all", () => {
  const list = [
    thread("now", ago(0)),
    thread("before midnight", ago(0, 31)),
    thread("two days", ago(2)),
    thread("a week", ago(7)),
    thread("eight days", ago(8)),
    thread("a year", ago(365)),
    thread("kept", ago(400), { pinned: true }),
  ]
  expect(grouped(list, NOW).map(([name, of]) => [name, of.map((one) => one.thread_id)])).toEqual([
    ["pinned", ["kept"]],
    ["today", ["now"]],
    ["yesterday", ["before midnight"]],
    ["week", ["two days", "a week"]],
    ["month", ["eight days"]],
    ["earlier", ["a year"]],
  ])
})

test("a new look at the newest keeps what is older, and forgets what was deleted among them", () => {
  const [a, b, c, d] = [thread("a", ago(1)), thread("b", ago(2)), thread("c", ago(3)), thread("d", ago(4))]
  const fresh = [thread("b", ago(0)), { ...a }]
  const now = merged([a, b, c, d], fresh, 2)
  expect(now.map((one) => one.thread_id)).toEqual(["b", "a", "c", "d"])
  expect(now[1]).toBe(a)
  expect(merged([a, b, c], [a, c], 2).map((one) => one.thread_id)).toEqual(["a", "c"])
  expect(merged([a, b, c], [a], 2)).toEqual([a])
})

test("older ones come behind, once", () => {
  const [a, b] = [thread("a", ago(1)), thread("b", ago(2))]
  expect(appended([a], [a, b])).toEqual([a, b])
})

test("a title is found by its words in any order and case", () => {
  const list = [thread("1", ago(0), { title: "Repair the Clock" }), thread("2", ago(0), { title: "clock" }), thread("3", ago(0))]
  expect(found(list, "CLOCK  rep").map((one) => one.thread_id)).toEqual(["1"])
  expect(found(list, "").length).toBe(3)
})
