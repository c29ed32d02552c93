import { expect, test } from "vitest"
import type { Plan, PlanStep } from "../api/types"
import { changes, cost, lasted, total, type Words } from "./figures"

const say: Words = (key, values = {}) => `${key} ${Object.values(values).join(" ")}`.trim()
const step = (id: string, status: PlanStep["status"], spent = {}): PlanStep => ({ id, title: id, agent: "coder", status, spent })
const plan = (...steps: PlanStep[]): Plan => ({ goal: "g", version: 1, status: "running", steps })

test("time is told in seconds, and in minutes from one on", () => {
  expect([undefined, 400, 5_000, 72_000].map((ms) => lasted(ms, say))).toEqual(["", "", "seconds 5", "planMinutes 1 12"])
})

test("cost is in dollars where prices are known, in tokens where not", () => {
  expect(cost({ tokens: 1500 }, "en", say)).toBe("planTokens 1.5K")
  expect(cost({ tokens: 1500, priced: 1500, usd: 0.0031 }, "en", say)).toBe("$0.0031")
  expect(cost({ tokens: 1500, priced: 500, usd: 1.2 }, "en", say)).toBe("$1.20 + planTokens 1K")
  expect(cost(total(plan(step("a", "completed", { tokens: 5 }), step("b", "pending"))), "en", say)).toBe("planTokens 5")
})

test("only steps whose standing has changed are spoken of", () => {
  const before = plan(step("a", "in_progress"), step("b", "pending"))
  const now = plan(step("a", "completed"), step("b", "in_progress"), step("c", "pending"))
  expect(changes(before, now).map((one) => one.id)).toEqual(["a", "b"])
  expect(changes(null, now)).toEqual([])
})
