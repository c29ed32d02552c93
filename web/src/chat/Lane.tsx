import { Check, ChevronRight, Hand, Square } from "lucide-react"
import { useState } from "react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { Chip } from "./Chip"
import type { Lane as Row, Line } from "./rows"

export type LaneState = "working" | "asked" | "done" | "stopped"

const WORDS: Record<LaneState, Key> = {
  working: "chatLaneWorking",
  asked: "chatLaneAsked",
  done: "chatLaneDone",
  stopped: "chatLaneStopped",
}
const DRAWN = 30 // messages of a lane that are drawn at first
const STEP_REM = 0.75

interface Props {
  lane: Row
  state: LaneState
  /** One of its messages is what is looked for. */
  sought: boolean
  draw: (line: Line) => React.ReactNode
}

/** The work of an agent inside: it folds, and says how it stands. One that is done is folded when it comes on screen. */
export function Lane({ lane, state, sought, draw }: Props) {
  const { say } = useLanguage()
  const [folded, setFolded] = useState(state === "done")
  const [drawn, setDrawn] = useState(DRAWN)
  const open = sought || !folded
  const parts = sought ? lane.parts : lane.parts.slice(-drawn)
  const earlier = lane.parts.length - parts.length
  return (
    <div
      role="group"
      aria-label={say("chatLane", { agent: lane.agent })}
      data-testid="lane"
      data-state={state}
      style={{ marginInlineStart: `${(lane.level - 1) * STEP_REM}rem` }}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setFolded(open)}
        className="flex min-h-9 w-full min-w-0 items-center gap-2 rounded-lg pr-2 text-left text-sm hover:bg-panel pointer-coarse:min-h-11"
      >
        <ChevronRight size={14} className={`shrink-0 text-soft transition ${open ? "rotate-90" : ""}`} aria-hidden />
        <Chip name={lane.agent} />
        <span className="flex shrink-0 items-center gap-1 text-xs text-soft">
          <Sign state={state} />
          {say(WORDS[state])}
        </span>
        <span className="ml-auto shrink-0 text-xs text-soft tabular-nums">{say("chatLaneCount", { n: lane.parts.length })}</span>
      </button>
      {open && (
        <div className="mt-1 ml-1.5 space-y-4 border-l-2 border-line pl-3 sm:pl-4">
          {earlier > 0 && (
            <button
              type="button"
              className="block min-h-8 text-sm text-accent pointer-coarse:min-h-11"
              onClick={() => setDrawn(drawn + 2 * DRAWN)}
            >
              {say("chatLaneEarlier", { n: earlier })}
            </button>
          )}
          {parts.map(draw)}
        </div>
      )}
    </div>
  )
}

function Sign({ state }: { state: LaneState }) {
  if (state === "working") return <span className="beats size-2 rounded-full bg-accent" aria-hidden />
  if (state === "asked") return <Hand size={13} className="text-warn" aria-hidden />
  if (state === "done") return <Check size={13} className="text-good" aria-hidden />
  return <Square size={11} aria-hidden />
}
