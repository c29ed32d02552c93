import type { Plan, PlanStep } from "../api/types"
import type { Key } from "../i18n/catalogue"

export type Words = (key: Key, values?: Record<string, string | number>) => string

const SMALL_USD = 0.01

/** How long work took, as people say it; nothing for none. */
export function lasted(ms: number | undefined, say: Words): string {
  const seconds = Math.round((ms ?? 0) / 1000)
  if (!seconds) return ""
  if (seconds < 60) return say("seconds", { n: seconds })
  return say("planMinutes", { m: Math.floor(seconds / 60), s: seconds % 60 })
}

/** What models cost: dollars where prices are known, tokens where not, both where some are. */
export function cost({ tokens = 0, priced = 0, usd = 0 }: NonNullable<PlanStep["spent"]>, language: string, say: Words): string {
  const dollars = usd ? `$${usd.toFixed(usd < SMALL_USD ? 4 : 2)}` : ""
  const open = usd ? tokens - priced : tokens
  const many = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(open)
  return [dollars, open > 0 ? say("planTokens", { n: many }) : ""].filter(Boolean).join(" + ")
}

/** What all steps used together. */
export function total(plan: Plan): NonNullable<PlanStep["spent"]> {
  const sum = { tokens: 0, priced: 0, usd: 0, ms: 0 }
  for (const { spent = {} } of plan.steps) {
    for (const name of ["tokens", "priced", "usd", "ms"] as const) sum[name] += spent[name] ?? 0
  }
  return sum
}

/** What to tell somebody who listens: the steps whose standing is another than before. */
export function changes(before: Plan | null, now: Plan | null): PlanStep[] {
  if (!before || !now) return []
  const was = new Map(before.steps.map((step) => [step.id, step.status]))
  return now.steps.filter((step) => step.status !== (was.get(step.id) ?? "pending"))
}

/** Whether a plan was proposed or begun, and is not over. */
export function isUnderWay(plan: Plan | null): plan is Plan {
  return plan?.status === "proposed" || plan?.status === "running"
}
