import { ArrowDown, ChevronRight } from "lucide-react"
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import type { ToolCall } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Said, View } from "../run/events"
import { said } from "../run/events"
import { Markdown } from "../ui/Markdown"

const NEAR_PX = 80
const SHOWN_ARG = 90

interface Props {
  view: View
  busy: boolean
  children: React.ReactNode
}

/** The conversation. It stays at the bottom only if it is there already. */
export function Messages({ view, busy, children }: Props) {
  const { say } = useLanguage()
  const scroller = useRef<HTMLDivElement>(null)
  const stuck = useRef(true)
  const [away, setAway] = useState(false)
  const shown = useMemo(() => said(view), [view])
  const results = useMemo(() => new Map(shown.filter((one) => one.callId).map((one) => [one.callId, one])), [shown])

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
        aria-label={say("menu")}
      >
        <div className="mx-auto max-w-3xl space-y-4 px-4 py-6">
          {shown
            .filter((one) => one.role !== "tool" && (one.text || one.calls.length))
            .map((one) => (
              <Message key={one.id} one={one} results={one.calls.map((call) => results.get(call.id))} busy={busy} />
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
          className="absolute bottom-3 left-1/2 flex -translate-x-1/2 items-center gap-1 rounded-full border border-line bg-raised px-3 py-1.5 text-sm shadow-md"
        >
          <ArrowDown size={15} aria-hidden /> {say("latest")}
        </button>
      )}
    </div>
  )
}

interface MessageProps {
  one: Said
  results: (Said | undefined)[]
  busy: boolean
}

const Message = memo(
  function Message({ one, results, busy }: MessageProps) {
    const { say } = useLanguage()
    if (one.role === "person") {
      return (
        <div className="flex justify-end" data-role="person">
          <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent/12 px-4 py-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
            {one.text}
          </p>
        </div>
      )
    }
    return (
      <article data-role="agent" className="min-w-0 space-y-2">
        {one.text && <Chip name={one.agent} />}
        {one.text && <Markdown text={one.text} copy={say("copy")} copied={say("copied")} />}
        {one.calls.map((call, index) => (
          <Tool key={call.id} call={call} result={results[index]} busy={busy} />
        ))}
      </article>
    )
  },
  (before, after) =>
    before.one === after.one &&
    before.busy === after.busy &&
    before.results.every((result, index) => result === after.results[index]),
)

const HUES: Record<string, string> = { coder: "text-warn", ask: "text-accent", orchestrator: "text-good" }

function Chip({ name }: { name: string }) {
  if (!name) return null
  return (
    <span className={`inline-block rounded-full border border-line px-2 text-xs ${HUES[name] ?? "text-soft"}`}>
      {name}
    </span>
  )
}

/** A tool call on one line; it unfolds to its arguments and result. */
function Tool({ call, result, busy }: { call: ToolCall; result: Said | undefined; busy: boolean }) {
  const { say } = useLanguage()
  const state = result ? (result.failed ? "bg-bad" : "bg-good") : busy ? "bg-accent beats" : "bg-line"
  const word = result ? (result.failed ? say("failed") : "") : busy ? say("running") : ""
  return (
    <details className="group rounded-lg border border-line bg-panel text-sm" data-testid="tool">
      <summary className="flex min-h-9 list-none items-center gap-2 px-2.5 py-1">
        <ChevronRight size={14} className="shrink-0 text-soft transition group-open:rotate-90" aria-hidden />
        <span className={`size-2 shrink-0 rounded-full ${state}`} aria-hidden />
        <span className="shrink-0 font-mono text-[13px] font-medium">{call.name}</span>
        <span className="truncate font-mono text-[13px] text-soft">{brief(call)}</span>
        {word && <span className={`ml-auto shrink-0 text-xs ${result ? "text-bad" : "text-soft"}`}>{word}</span>}
      </summary>
      <div className="space-y-2 border-t border-line p-2.5">
        <p className="text-xs text-soft">{say("args")}</p>
        <pre className="max-h-60 overflow-auto font-mono text-[13px]" tabIndex={0}>
          {JSON.stringify(call.args, null, 2)}
        </pre>
        {result && (
          <>
            <p className="text-xs text-soft">{say("result")}</p>
            <pre className="max-h-80 overflow-auto font-mono text-[13px] whitespace-pre-wrap" tabIndex={0}>
              {result.text}
            </pre>
          </>
        )}
      </div>
    </details>
  )
}

function brief(call: ToolCall): string {
  const said = Object.values(call.args)
    .filter((value) => typeof value === "string" || typeof value === "number")
    .map((value) => String(value).split("\n")[0])
    .join("  ")
  return said.length > SHOWN_ARG ? `${said.slice(0, SHOWN_ARG)}…` : said
}
