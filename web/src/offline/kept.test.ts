import { expect, test } from "vitest"
import { MOST, ROOM, tooMany, type Weight } from "./kept"

const seen = (thread: string, at: number, size = 1): Weight => ({ thread, at, size })
const names = (all: Weight[]) => all.map((one) => one.thread)

test("the oldest conversations go when there are too many", () => {
  const all = Array.from({ length: MOST + 2 }, (_, at) => seen(`t${at}`, at))
  expect(names(tooMany(all))).toEqual(["t1", "t0"])
})

test("the oldest go when they take too much room, and the newest stays", () => {
  const all = [seen("old", 1, ROOM / 2), seen("big", 2, ROOM / 2), seen("new", 3, 10)]
  expect(names(tooMany(all))).toEqual(["old"])
})

test("few and small ones stay", () => {
  expect(tooMany([seen("one", 1), seen("two", 2)])).toEqual([])
})
