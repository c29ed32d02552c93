import { ArrowDown } from "lucide-react"
import { use, useMemo, useRef } from "react"
import { useLanguage } from "../i18n/language"
import { said, type Said, type View } from "../run/events"
import { later } from "../ui/later"
import type { OpenFile } from "../ui/Markdown"
import { Find } from "./Find"
import { PlainList, type Shows } from "./List"
import { RowOf, type Scene } from "./RowOf"
import { isShown, type Row, rowsOf } from "./rows"
import { ThreadId } from "./Undo"
import { useBottom } from "./useBottom"
import { useFeedback } from "./useFeedback"
import { useFind } from "./useFind"

const VirtualList = later(() => import("./VirtualList"))
const VIRTUAL = 150 // rows from which on only those on screen are drawn

void VirtualList.fetch() // while the state of the conversation is on its way

const NONE: Row[] = []

interface Props {
  view: View
  busy: boolean
  loading: boolean
  /** Tool calls that wait for a person. */
  asked: ReadonlySet<string>
  /** The id of what is on its way to the server. */
  sending: string
  /** What stands at the foot of a message that the root graph's state holds. */
  foot: (one: Said) => React.ReactNode
  openFile: OpenFile
  /** Words are looked for in it. */
  finding: boolean
  find: (wanted: boolean) => void
  children: React.ReactNode
}

/** The conversation. It stays at the bottom only if it is there already. */
export function Messages({ view, busy, loading, asked, sending, foot, openFile, finding, find, children }: Props) {
  const { say } = useLanguage()
  const { words, changed } = useFeedback(use(ThreadId))
  const { scroller, scrolled, away, toBottom, leave } = useBottom()
  const list = useRef<Shows>(null)
  const kept = useMemo(() => new Set(view.root.map((one) => one.id)), [view.root])
  const all = useMemo(() => said(view), [view])
  const rows = useMemo(() => rowsOf(all, view.compacted), [all, view.compacted])
  const hits = useFind(finding ? rows : NONE, scroller, (place) => {
    leave()
    list.current?.show(place)
  })
  const scene: Scene = {
    ...useMemo(() => told(all), [all]),
    busy,
    spans: view.spans,
    asked,
    kept,
    finished: view.kept,
    sending,
    words,
    changed,
    foot,
    openFile,
    sought: hits.id,
  }
  const virtual = rows.length > VIRTUAL
  const List = virtual ? VirtualList : PlainList

  return (
    <div
      className="relative min-h-0 flex-1"
      onKeyDown={(event) => {
        if (virtual && !finding && event.key === "f" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault() // the browser finds only what is drawn
          find(true)
        }
      }}
    >
      <div
        ref={scroller}
        onScroll={scrolled}
        className={`h-full overflow-y-auto ${virtual ? "[overflow-anchor:none]" : ""}`}
        tabIndex={0}
        role="log"
        aria-busy={busy}
        aria-label={say("conversation")}
      >
        <div className="mx-auto max-w-3xl px-4 py-6">
          {loading && !rows.length && <Skeleton word={say("loading")} />}
          <List rows={rows} scroller={scroller} shows={list} draw={(row) => <RowOf row={row} scene={scene} />} />
          <div className="space-y-5 pt-5 empty:hidden">{children}</div>
        </div>
      </div>
      {finding && (
        <Find
          words={hits.words}
          look={hits.look}
          at={hits.at}
          all={hits.all}
          step={hits.step}
          close={() => find(false)}
        />
      )}
      {away && (
        <button
          type="button"
          onClick={toBottom}
          className="absolute bottom-3 left-1/2 z-1 flex min-h-8 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line bg-raised px-3 py-1.5 text-sm shadow-md pointer-coarse:min-h-11"
        >
          <ArrowDown size={15} aria-hidden /> {say("latest")}
        </button>
      )}
    </div>
  )
}

/** What follows from all that was said. */
function told(all: Said[]): Pick<Scene, "results" | "last" | "lastSaid" | "unread"> {
  const shown = all.filter(isShown)
  const heard = shown.findLastIndex((one) => one.role === "agent")
  return {
    results: new Map(all.filter((one) => one.callId).map((one) => [one.callId, one])),
    last: shown.at(-1),
    lastSaid: shown.findLast((one) => one.role === "person")?.id ?? "",
    unread: new Set(shown.slice(heard + 1).map((one) => one.id)),
  }
}

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
