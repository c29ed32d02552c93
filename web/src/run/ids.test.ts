import { expect, test } from "vitest"
import { madeAt, newId } from "./ids"

test("an id says when it was made, also behind the name of what made it", () => {
  const now = Date.UTC(2026, 10, 22, 7, 19, 24, 823)
  expect(madeAt(newId(now))).toBe(now)
  expect(madeAt("lc_run--01a2021f-bfd7-73f9-b7c4-b70b621cfd33")).toBe(0x01a2021fbfd7)
  expect(newId(now)).not.toBe(newId(now))
})

test("an id of another kind does not say", () => {
  expect(madeAt("d9a5cbb6-6dfa-424d-a8b3-68b3cdfb31fa")).toBe(0)
  expect(madeAt("m12")).toBe(0)
})
