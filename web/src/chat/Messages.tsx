import { ArrowDown } from "lucide-react"
import { memo, use, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { feedback } from "../api/client"
import type { Feedback } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Said, Span, View } from "../run/events"
import { said } from "../run/events"
import { Markdown } from "../ui/Markdown"
import { Attached } from "./Attached"
import { Chip } from "./Chip"
import { Thumbs } from "./Thumbs"
import { Tool, type ToolState } from "./Tool"
import { ThreadId } from "./Undo"

const NEAR_PX = 80
const NEAR = 8 // messages at the end that are always laid out
const PAGE = 80 // messages drawn at first; the older ones come as they are scrolled to

interface Props {
  view: View
  busy: boolean
  loading: boolean
  /** Tool calls that wait for a person. */
  asked: ReadonlySet<string>
  /** What stands at the foot of a message that the root graph's state holds. */
  foot: (one: Said) => React.ReactNode
  children: React.ReactNode
}

/** The conversation. It stays at the bottom only if it is there already. */
export function Messages({ view, busy, loading, asked, foot, children }: Props) {
  const { say } = useLanguage()
  const scroller = useRef<HTMLDivElement>(null)
  const stuck = useRef(true)
  const [away, setAway] = useState(false)
  const [drawn, setDrawn] = useState(PAGE)
  const { words, changed } = useFeedback()
  const kept = useMemo(() => new Set(view.root.map((one) => one.id)), [view.root])
  const all = useMemo(() => said(view), [view])
  const results = useMemo(() => new Map(all.filter((one) => one.callId).map((one) => [one.callId, one])), [all])
  const shown = all.filter((one) => one.role !== "tool" && (one.text || one.calls.length || one.attached))
  const older = Math.max(0, shown.length - drawn)
  const last = shown.at(-1)
  const near = shown.length - NEAR

  const toBottom = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  useLayoutEffect(() => {
    if (stuck.current) toBottom()
  })
  useEffect(() => {
    const observer = new ResizeObserver(() => stuck.current && toBottom())
    if (scroller.current?.firstElementChild) observer.observe(scroller.current.firstElementChild)
    return () => observer.disconnect()
  }, [])

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
          stuck.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
          setAway(!stuck.current)
        }}
        className="h-full overflow-y-auto"
        tabIndex={0}
        role="log"
        aria-busy={busy}
        aria-label={say("conversation")}
      >
        <div className="mx-auto max-w-3xl space-y-5 px-4 py-6">
          {older > 0 && (
            <button type="button" className="mx-auto block py-1 text-sm text-accent" onClick={() => setDrawn(drawn + 2 * PAGE)}>
              {say("older", { n: older })}
            </button>
          )}
          {loading && !shown.length && <Skeleton word={say("loading")} />}
          {shown.slice(older).map((one, index, list) => (
            <Message
              key={one.id}
              one={one}
              opens={speaks(list[index - 1]) !== speaks(one)}
              results={one.calls.map((call) => results.get(call.id))}
              spans={one.calls.map((call) => view.spans.get(call.id))}
              states={one.calls.map((call) => stateOf(results.get(call.id), asked.has(call.id), busy))}
              open={busy && one === last}
              far={older + index < near}
              word={words.get(one.id)}
              judged={kept.has(one.id) && !one.calls.length && !(busy && one === last) ? changed : undefined}
              foot={kept.has(one.id) ? foot : undefined}
            />
          ))}
          {children}
        </div>
      </div>
      {away && (
        <button
          type="button"
          onClick={() => {
            stuck.current = true
            toBottom()
          }}
          className="absolute bottom-3 left-1/2 flex -translate-x-1/2 items-center gap-1.5 rounded-full border border-line bg-raised px-3 py-1.5 text-sm shadow-md"
        >
          <ArrowDown size={15} aria-hidden /> {say("latest")}
        </button>
      )}
    </div>
  )
}

/** What was said of the messages of this thread, by their ids. */
function useFeedback() {
  const thread = use(ThreadId)
  const [words, setWords] = useState<ReadonlyMap<string, Feedback>>(new Map())
  useEffect(() => {
    let gone = false
    feedback
      .of(thread)
      .then((found) => !gone && setWords(new Map(found.flatMap((one) => (one.message_id ? [[one.message_id, one]] : [])))))
      .catch(() => undefined) // no word of it: the thumbs are as if nothing was said
    return () => {
      gone = true
    }
  }, [thread])
  const changed = useCallback((message: string, word: Feedback | undefined) => {
    setWords((before) => {
      const now = new Map(before)
      if (word) now.set(message, word)
      else now.delete(message)
      return now
    })
  }, [])
  return { words, changed }
}

function speaks(one: Said | undefined): string {
  return one ? `${one.role} ${one.agent}` : ""
}

function stateOf(result: Said | undefined, asked: boolean, busy: boolean): ToolState {
  if (result) return result.failed ? "failed" : "done"
  if (asked) return "asked"
  return busy ? "running" : "open"
}

interface MessageProps {
  one: Said
  /** Another one spoke before. */
  opens: boolean
  results: (Said | undefined)[]
  spans: (Span | undefined)[]
  states: ToolState[]
  /** It is still being written. */
  open: boolean
  far: boolean
  /** What was said of it. */
  word: Feedback | undefined
  /** Missing: nothing can be said of it. */
  judged: ((message: string, word: Feedback | undefined) => void) | undefined
  foot: ((one: Said) => React.ReactNode) | undefined
}

const Message = memo(
  function Message({ one, opens, results, spans, states, open, far, word, judged, foot }: MessageProps) {
    const { say } = useLanguage()
    if (one.role === "person") {
      return (
        <div className={`group flex flex-col items-end gap-1 ${far ? "far" : ""}`} data-role="person">
          {one.attached && <Attached files={one.attached} />}
          {one.text && (
            <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent/10 px-4 py-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
              <span className="sr-only">{say("you")}: </span>
              {one.text}
            </p>
          )}
          {foot?.(one)}
        </div>
      )
    }
    const nested = one.depth > 1 ? "ml-3 border-l-2 border-line pl-3" : ""
    return (
      <article data-role="agent" className={`min-w-0 space-y-2 ${opens ? "" : "-mt-3"} ${nested} ${far ? "far" : ""}`}>
        {opens && <Chip name={one.agent} />}
        {one.text && (
          <Markdown text={one.text} copy={say("copy")} copied={say("copied")} open={open && !one.calls.length} />
        )}
        {one.calls.length > 0 && (
          <div className="divide-y divide-line overflow-hidden rounded-lg border border-line">
            {one.calls.map((call, index) => (
              <Tool
                key={call.id}
                call={call}
                result={results[index]}
                span={spans[index]}
                state={states[index] ?? "open"}
              />
            ))}
          </div>
        )}
        <div className="flex flex-wrap items-start gap-x-1">
          {judged && <Thumbs message={one.id} word={word} changed={judged} />}
          {foot?.(one)}
        </div>
      </article>
    )
  },
  (before, after) =>
    before.one === after.one &&
    before.opens === after.opens &&
    before.open === after.open &&
    before.far === after.far &&
    before.word === after.word &&
    before.judged === after.judged &&
    before.foot === after.foot &&
    before.results.every((result, index) => result === after.results[index]) &&
    before.spans.every((span, index) => span === after.spans[index]) &&
    before.states.every((state, index) => state === after.states[index]),
)

function Skeleton({ word }: { word: string }) {
  return (
    <div className="space-y-3" role="status">
      <span className="sr-only">{word}</span>
      {["w-2/3", "w-full", "w-5/6"].map((width) => (
        <div key={width} className={`beats h-4 rounded bg-line ${width}`} aria-hidden />
      ))}
    </div>
  )
}
