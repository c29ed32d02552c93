import { useLanguage } from "../i18n/language"
import type { Fill } from "../run/events"

const FULL = 0.8 // of what is allowed: from here on it is worth a look
const ROUND = 2 * Math.PI * 7

/** How full the window of the model is. Old messages give way when it is. */
export function Gauge({ fill }: { fill: Fill }) {
  const { say } = useLanguage()
  const share = Math.min(fill.tokens / fill.limit, 1)
  const percent = Math.round(share * 100)
  const words = say(fill.compacted ? "contextCompacted" : "context", {
    percent: String(percent),
    tokens: thousands(fill.tokens),
    limit: thousands(fill.limit),
  })
  return (
    <span
      role="meter"
      aria-label={words}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      title={words}
      className={`flex shrink-0 items-center gap-1 px-1 text-xs tabular-nums ${share >= FULL ? "text-warn" : "text-soft"}`}
    >
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden className="-rotate-90">
        <circle cx="9" cy="9" r="7" fill="none" stroke="currentColor" strokeWidth="2.5" opacity="0.2" />
        <circle
          cx="9"
          cy="9"
          r="7"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.5"
          strokeDasharray={`${share * ROUND} ${ROUND}`}
        />
      </svg>
      <span className="hidden sm:inline">{percent} %</span>
    </span>
  )
}

function thousands(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 10_000 ? 1 : 0)}k`
}
