import { Pencil, Plus, Search, Trash2 } from "lucide-react"
import { useState } from "react"
import type { Thread, ThreadStatus } from "../api/types"
import { useLanguage } from "../i18n/language"
import { asks } from "../run/session"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"

interface Props {
  threads: Thread[] | null
  failed: string
  open: string
  choose: (id: string) => void
  start: () => void
  rename: (id: string, title: string) => void
  remove: (id: string) => void
  again: () => void
}

type Face = ThreadStatus | "stopped"

const DOTS: Record<Face, string> = {
  idle: "border border-soft/40",
  busy: "bg-accent beats",
  interrupted: "bg-warn",
  stopped: "border border-soft",
  error: "bg-bad",
}
const DAY_MS = 86_400_000

/** All conversations, the newest first. */
export function ThreadList({ threads, failed, open, choose, start, rename, remove, again }: Props) {
  const { say } = useLanguage()
  const [sought, setSought] = useState("")
  const words = sought.trim().toLowerCase()
  const shown = threads?.filter((one) => titleOf(one).toLowerCase().includes(words))
  return (
    <nav aria-label={say("menu")} className="flex min-h-0 flex-1 flex-col">
      <div className="space-y-3 p-3">
        <div className="flex items-center gap-2 px-1 pt-0.5 text-[17px] font-semibold tracking-tight">
          <img src="/icon.svg" alt="" className="size-6" /> {"Artel"}
        </div>
        <Button className="w-full" onClick={start}>
          <Plus size={16} aria-hidden /> {say("newThread")}
        </Button>
        <label className="flex items-center gap-2 rounded-lg border border-line bg-page px-2.5 text-sm focus-within:border-accent">
          <Search size={15} className="shrink-0 text-soft" aria-hidden />
          <input
            type="search"
            aria-label={say("search")}
            placeholder={say("search")}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
            className="quiet min-w-0 flex-1 bg-transparent py-1.5"
          />
        </label>
      </div>
      {failed && (
        <div className="space-y-2 p-3 text-sm text-bad" role="alert">
          <p>{failed}</p>
          <Button onClick={again}>{say("retry")}</Button>
        </div>
      )}
      {!shown ? (
        !failed && (
          <div className="space-y-2 p-3" role="status">
            <span className="sr-only">{say("loading")}</span>
            {[0, 1, 2].map((one) => (
              <div key={one} className="beats h-8 rounded-lg bg-line" aria-hidden />
            ))}
          </div>
        )
      ) : shown.length === 0 ? (
        <p className="p-4 text-sm text-soft">{say(words ? "notFound" : "emptyThreads")}</p>
      ) : (
        <div className="flex-1 overflow-y-auto px-2 pb-3">
          {byDay(shown).map(([day, list]) => (
            <section key={day} aria-label={say(day)}>
              <h2 className="px-2.5 pt-3 pb-1 text-xs font-medium text-soft">{say(day)}</h2>
              <ul className="space-y-0.5">
                {list.map((one) => (
                  <Item
                    key={one.thread_id}
                    thread={one}
                    current={one.thread_id === open}
                    choose={() => choose(one.thread_id)}
                    rename={(title) => rename(one.thread_id, title)}
                    remove={() => remove(one.thread_id)}
                  />
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
    </nav>
  )
}

type Day = "today" | "yesterday" | "earlier"

function byDay(threads: Thread[]): [Day, Thread[]][] {
  const midnight = new Date().setHours(0, 0, 0, 0)
  const days: Record<Day, Thread[]> = { today: [], yesterday: [], earlier: [] }
  for (const one of threads) {
    const at = Date.parse(one.updated_at)
    days[at >= midnight ? "today" : at >= midnight - DAY_MS ? "yesterday" : "earlier"].push(one)
  }
  return (Object.entries(days) as [Day, Thread[]][]).filter(([, list]) => list.length)
}

interface ItemProps {
  thread: Thread
  current: boolean
  choose: () => void
  rename: (title: string) => void
  remove: () => void
}

function Item({ thread, current, choose, rename, remove }: ItemProps) {
  const { say } = useLanguage()
  const [renaming, setRenaming] = useState(false)
  const [sure, setSure] = useState(false)
  const title = titleOf(thread) || say("noThread")
  if (renaming) {
    return (
      <li>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            const given = new FormData(event.currentTarget).get("title")
            if (typeof given === "string" && given.trim()) rename(given.trim())
            setRenaming(false)
          }}
        >
          <input
            name="title"
            autoFocus
            aria-label={say("rename")}
            defaultValue={title}
            onBlur={() => setRenaming(false)}
            onKeyDown={(event) => event.key === "Escape" && setRenaming(false)}
            className="w-full rounded-lg border border-accent bg-page px-2.5 py-1.5 text-sm"
          />
        </form>
      </li>
    )
  }
  const face = thread.status === "interrupted" && !asks(thread) ? "stopped" : thread.status
  return (
    <li
      className={`group relative flex items-center rounded-lg transition-colors ${current ? "bg-accent/12" : "hover:bg-line/40"}`}
    >
      <button
        type="button"
        onClick={choose}
        aria-current={current ? "page" : undefined}
        className="flex min-h-9 pointer-coarse:min-h-11 min-w-0 flex-1 items-center gap-2.5 px-2.5 py-1.5 text-left text-sm"
      >
        <span className={`size-2 shrink-0 rounded-full ${DOTS[face]}`} aria-hidden />
        <span className="min-w-0 flex-1 truncate">{title}</span>
        <span
          className={
            face === "interrupted"
              ? "shrink-0 rounded-full bg-warn-bg px-2 text-xs text-warn group-focus-within:sr-only group-hover:sr-only"
              : "sr-only"
          }
        >
          {say(`status_${face}`)}
        </span>
      </button>
      <span
        className={`flex shrink-0 overflow-hidden ${current ? "touch-shown" : ""} w-0 group-focus-within:w-auto group-hover:w-auto`}
      >
        <button
          type="button"
          aria-label={`${say("rename")}: ${title}`}
          title={say("rename")}
          onClick={() => setRenaming(true)}
          className="grid size-7 place-items-center rounded text-soft hover:text-ink"
        >
          <Pencil size={14} aria-hidden />
        </button>
        <button
          type="button"
          aria-label={`${say("delete")}: ${title}`}
          title={say("delete")}
          onClick={() => setSure(true)}
          className="grid size-7 place-items-center rounded text-soft hover:text-bad"
        >
          <Trash2 size={14} aria-hidden />
        </button>
      </span>
      {sure && (
        <Confirm
          question={say("deleteSure")}
          about={title}
          yes={say("delete")}
          no={say("cancel")}
          act={remove}
          close={() => setSure(false)}
        />
      )}
    </li>
  )
}

export function titleOf(thread: Thread): string {
  return thread.metadata.title ?? ""
}
