import { expect, test } from "vitest"
import { sized } from "./sized"

test("sizes are said in the unit that fits", () => {
  expect([0, 999, 1000, 1500, 25_000_000].map((bytes) => sized(bytes, "en"))).toEqual(["0B", "999B", "1 kB", "1.5 kB", "25 MB"])
  expect(sized(1500, "ru")).toMatch(/^1,5\sкБ$/)
})
