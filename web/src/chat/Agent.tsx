import { memo } from "react"
import type { Feedback } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Said, Span } from "../run/events"
import { Markdown, type OpenFile } from "../ui/Markdown"
import { Actions } from "./Actions"
import { Chip } from "./Chip"
import { Tool, type ToolState } from "./Tool"

interface Props {
  one: Said
  /** Another one spoke before. */
  opens: boolean
  /** It stands in a lane: what can be done with it takes no room there. */
  inside: boolean
  results: (Said | undefined)[]
  spans: (Span | undefined)[]
  states: ToolState[]
  /** It is still being written. */
  open: boolean
  /** It is the last of all. */
  last: boolean
  /** What was said of it. */
  word: Feedback | undefined
  /** Missing: nothing can be said of it. */
  judged: ((message: string, word: Feedback | undefined) => void) | undefined
  foot: ((one: Said) => React.ReactNode) | undefined
  openFile: OpenFile
}

/** What an agent said and did. */
export const Agent = memo(
  function Agent({ one, opens, inside, results, spans, states, open, last, word, judged, foot, openFile }: Props) {
    const { say } = useLanguage()
    const calls = one.calls.length > 0
    const below = foot?.(one)
    return (
      <div data-role="agent" className="group group/message relative min-w-0 space-y-2">
        {opens && <Chip name={one.agent} />}
        {one.text && <Markdown text={one.text} open={open && !calls} openFile={openFile} />}
        {one.cut && <p className="text-sm text-soft">{say("chatCut")}</p>}
        {calls && (
          <div className="divide-y divide-line overflow-hidden rounded-lg border border-line">
            {one.calls.map((call, index) => (
              <Tool key={call.id} call={call} result={results[index]} span={spans[index]} state={states[index] ?? "open"} />
            ))}
          </div>
        )}
        <div className={calls || inside ? "" : "flex flex-wrap items-center gap-x-1"}>
          {!open && <Actions one={one} shown={last && !calls && !inside} floats={calls || inside} word={word} judged={judged} />}
          {below}
        </div>
      </div>
    )
  },
  (before, after) =>
    before.one === after.one &&
    before.opens === after.opens &&
    before.open === after.open &&
    before.last === after.last &&
    before.word === after.word &&
    before.judged === after.judged &&
    before.foot === after.foot &&
    before.openFile === after.openFile &&
    before.results.every((result, index) => result === after.results[index]) &&
    before.spans.every((span, index) => span === after.spans[index]) &&
    before.states.every((state, index) => state === after.states[index]),
)
