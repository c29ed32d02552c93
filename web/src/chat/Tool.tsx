import { Check, ChevronRight, Circle, Hand, LoaderCircle, X } from "lucide-react"
import { use, useState } from "react"
import type { ToolCall } from "../api/types"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import type { Said, Span } from "../run/events"
import { Notes } from "./notes"
import { Sliced } from "../ui/slices"
import { Undo } from "./Undo"

export type ToolState = "running" | "asked" | "done" | "failed" | "open"

const SHOWN_ARG = 90
const WORTH_MS = 100 // shorter ones are nobody's concern, and replayed ones have no duration at all
const SIGNS: Record<ToolState, { icon: typeof Check; look: string; word: Key }> = {
  running: { icon: LoaderCircle, look: "text-accent turns", word: "running" },
  asked: { icon: Hand, look: "text-warn", word: "status_interrupted" },
  done: { icon: Check, look: "text-good", word: "done" },
  failed: { icon: X, look: "text-bad", word: "failed" },
  open: { icon: Circle, look: "text-soft", word: "notRun" },
}

interface Props {
  call: ToolCall
  result: Said | undefined
  span: Span | undefined
  state: ToolState
}

/** A tool call on one line; it unfolds to its arguments and result. */
export function Tool({ call, result, span, state }: Props) {
  const { say, language } = useLanguage()
  const [open, setOpen] = useState(false)
  const note = use(Notes)(call.id)
  const { icon: Icon, look, word } = SIGNS[state]
  const took = span?.to ? span.to - span.from : 0
  return (
    <details
      className="group bg-panel text-sm"
      data-testid="tool"
      data-call={call.id}
      data-state={state}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="flex min-h-9 pointer-coarse:min-h-11 list-none flex-wrap items-center gap-x-2 px-2.5 py-1 hover:bg-line/30">
        <Icon size={14} className={`shrink-0 ${look}`} aria-hidden />
        <span className="shrink-0 font-mono text-[13px] font-medium">{call.name}</span>
        <span className="min-w-0 flex-1 truncate font-mono text-[13px] text-soft">{brief(call)}</span>
        <span className="ml-auto flex shrink-0 items-center gap-2 text-xs text-soft">
          <span className={state === "done" ? "sr-only" : state === "running" ? "" : look}>{say(word)}</span>
          {took > WORTH_MS && (
            <span className="tabular-nums">
              {say("seconds", { n: (took / 1000).toLocaleString(language, { maximumFractionDigits: 1 }) })}
            </span>
          )}
          <ChevronRight size={14} className="transition group-open:rotate-90" aria-hidden />
        </span>
        {note?.line && <div className="basis-full space-y-1 pb-0.5 pl-5.5">{note.line}</div>}
      </summary>
      {open && (
        <div className="space-y-2 border-t border-line bg-page p-3">
          {note?.more}
          <p className="text-xs text-soft">{say("args")}</p>
          <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1 font-mono text-[13px]">
            {Object.entries(call.args).map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-soft">{name}</dt>
                <dd className="max-h-48 overflow-auto whitespace-pre-wrap [overflow-wrap:anywhere]">
                  <Sliced text={typeof value === "string" ? value : JSON.stringify(value)} />
                </dd>
              </div>
            ))}
          </dl>
          {result && (
            <>
              <p className="text-xs text-soft">{say("result")}</p>
              <pre
                className="max-h-80 overflow-auto font-mono text-[13px] leading-5 whitespace-pre-wrap [overflow-wrap:anywhere]"
                tabIndex={0}
                role="group"
                aria-label={`${call.name}: ${say("result")}`}
              >
                <Sliced text={result.text} />
              </pre>
              <Undo callId={call.id} />
            </>
          )}
        </div>
      )}
    </details>
  )
}

function brief(call: ToolCall): string {
  const said = Object.values(call.args)
    .filter((value) => typeof value === "string" || typeof value === "number")
    .map((value) => String(value).slice(0, SHOWN_ARG + 1).split("\n")[0])
    .join("  ")
  return said.length > SHOWN_ARG ? `${said.slice(0, SHOWN_ARG)}…` : said
}
