import type { Checkpoint } from "../api/history"
import { type Say, useLanguage } from "../i18n/language"
import { clock } from "./clock"
import type { Row } from "./lanes"

const STEP_PX = 14
const DOT_PX = 24 // from the top of a row
const MOST = 6 // lanes that are told apart

interface Props {
  row: Row
  /** What it follows. */
  before: Checkpoint | undefined
  head: boolean
  open: boolean
  choose: () => void
  children: React.ReactNode
}

/** One state of the past, beside the lanes of the branches. */
export function Moment({ row, before, head, open, choose, children }: Props) {
  const { say, language } = useLanguage()
  const { one, lane } = row
  const fresh = one.message?.id !== before?.message?.id && one.message?.type === "ai" ? one.message : null
  const said = fresh && (fresh.preview || (fresh.tools.length ? say("historyCalls", { tools: fresh.tools.join(", ") }) : ""))
  const width = Math.min(MOST, Math.max(lane, ...row.above, ...row.below, 0) + 1) * STEP_PX + 10
  return (
    <li className={`relative flex ${open ? "bg-panel" : ""}`}>
      <Lanes row={row} width={width} head={head} />
      <div className="min-w-0 flex-1 pr-2">
        <button
          type="button"
          data-moment
          aria-current={open ? "true" : undefined}
          onClick={choose}
          className="flex min-h-12 w-full items-baseline gap-2 rounded-lg px-2 py-1.5 text-left text-sm hover:bg-panel"
        >
          <span className="min-w-0 flex-1">
            <span className="block truncate">
              {title(one, before, say)}
              {lane > 0 && <span className="sr-only">, {say("historyBranchName", { n: lane + 1 })}</span>}
            </span>
            <span className="block truncate text-xs text-soft">{said || say("historyStep", { n: one.step })}</span>
          </span>
          {head && (
            <span className="shrink-0 rounded-full bg-accent/10 px-2 text-xs text-accent" data-testid="head">
              {say("historyHead")}
            </span>
          )}
          <time dateTime={one.created_at ?? ""} className="shrink-0 text-xs text-soft tabular-nums">
            {clock(one.created_at, language)}
          </time>
        </button>
        {children}
      </div>
    </li>
  )
}

/** Who made it: the person's words, the nodes that ran, or what a person did to the state. */
export function title(one: Checkpoint, before: Checkpoint | undefined, say: Say): string {
  if (one.source === "fork") return say("historyForkName")
  if (one.source === "update") return say("historyUpdated")
  const { message } = one
  if (message?.type === "human" && message.id !== before?.message?.id) return say("historyYou", { words: message.preview })
  return one.nodes.join(", ") || say("historyStart")
}

function Lanes({ row, width, head }: { row: Row; width: number; head: boolean }) {
  const middle = (lane: number) => Math.min(lane, MOST - 1) * STEP_PX + 15
  const colour = (lane: number) => (lane ? "bg-line" : "bg-accent/60")
  const passing = [...new Set([...row.above, ...row.below])].filter((lane) => !row.leaves.includes(lane))
  return (
    <div className="relative shrink-0 self-stretch" style={{ width }} aria-hidden>
      {passing.map((lane) => (
        <span
          key={lane}
          className={`absolute w-0.5 ${colour(lane)}`}
          style={{
            left: middle(lane) - 1,
            top: row.above.includes(lane) ? 0 : DOT_PX,
            ...(row.below.includes(lane) ? { bottom: 0 } : { height: row.above.includes(lane) ? DOT_PX : 0 }),
          }}
        />
      ))}
      {row.leaves.map((lane) => (
        <span
          key={lane}
          className="absolute top-0 rounded-br-lg border-r-2 border-b-2 border-line"
          style={{ left: middle(row.lane), width: middle(lane) - middle(row.lane) + 1, height: DOT_PX + 1 }}
        />
      ))}
      <span
        className={`absolute size-2.5 -translate-1/2 rounded-full border-2 ${head ? "border-accent bg-accent" : row.lane ? "border-soft bg-page" : "border-accent bg-page"}`}
        style={{ left: middle(row.lane), top: DOT_PX }}
      />
    </div>
  )
}
