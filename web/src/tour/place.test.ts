import { expect, test } from "vitest"
import { place } from "./place"

const seen = { width: 360, height: 640 }
const card = { width: 320, height: 160 }

test("a card stands over what it tells of, and under it where there is no room", () => {
  expect(place({ left: 20, top: 500, width: 300, height: 60 }, card, seen)).toEqual({ left: 20, top: 326 })
  expect(place({ left: 20, top: 10, width: 300, height: 40 }, card, seen)).toEqual({ left: 20, top: 64 })
})

test("a card never leaves the window", () => {
  expect(place({ left: 300, top: 10, width: 40, height: 620 }, card, seen)).toEqual({ left: 32, top: 472 })
})
