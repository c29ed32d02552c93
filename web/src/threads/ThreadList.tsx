import { Pencil, Plus, Search, Trash2 } from "lucide-react"
import { useState } from "react"
import type { Thread, ThreadStatus } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

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

const DOTS: Record<ThreadStatus, string> = {
  idle: "border border-soft/50",
  busy: "bg-accent beats",
  interrupted: "bg-warn",
  error: "bg-bad",
}

/** All conversations, the newest first. */
export function ThreadList({ threads, failed, open, choose, start, rename, remove, again }: Props) {
  const { say } = useLanguage()
  const [sought, setSought] = useState("")
  const words = sought.trim().toLowerCase()
  const shown = threads?.filter((one) => titleOf(one).toLowerCase().includes(words))
  return (
    <nav aria-label={say("menu")} className="flex h-full flex-col">
      <div className="space-y-2 p-3">
        <Button className="w-full" onClick={start}>
          <Plus size={16} aria-hidden /> {say("newThread")}
        </Button>
        <label className="flex items-center gap-2 rounded-lg border border-line bg-page px-2.5 text-sm">
          <Search size={15} className="shrink-0 text-soft" aria-hidden />
          <input
            type="search"
            aria-label={say("search")}
            placeholder={say("search")}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
            className="min-w-0 flex-1 bg-transparent py-1.5 outline-none"
          />
        </label>
      </div>
      {failed ? (
        <div className="p-3 text-sm text-bad" role="alert">
          <p className="mb-2">{failed}</p>
          <Button onClick={again}>{say("retry")}</Button>
        </div>
      ) : !shown ? (
        <p className="p-3 text-sm text-soft">{say("loading")}</p>
      ) : shown.length === 0 ? (
        <p className="p-3 text-sm text-soft">{say(words ? "notFound" : "emptyThreads")}</p>
      ) : (
        <ul className="flex-1 space-y-0.5 overflow-y-auto px-2 pb-3">
          {shown.map((one) => (
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
      )}
    </nav>
  )
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
  return (
    <li className={`group flex items-center rounded-lg ${current ? "bg-accent/12" : "hover:bg-raised"}`}>
      <button
        type="button"
        onClick={choose}
        aria-current={current ? "page" : undefined}
        className="flex min-h-9 min-w-0 flex-1 items-center gap-2.5 px-2.5 py-1.5 text-left text-sm"
      >
        <span className={`size-2 shrink-0 rounded-full ${DOTS[thread.status]}`} aria-hidden />
        <span className="truncate">{title}</span>
        <span className={thread.status === "interrupted" ? "shrink-0 text-xs text-warn" : "sr-only"}>
          {say(`status_${thread.status}`)}
        </span>
      </button>
      <span className="flex w-0 shrink-0 overflow-hidden group-focus-within:w-auto group-hover:w-auto">
        <button
          type="button"
          aria-label={`${say("rename")}: ${title}`}
          onClick={() => setRenaming(true)}
          className="p-1.5 text-soft hover:text-ink"
        >
          <Pencil size={14} aria-hidden />
        </button>
        <button
          type="button"
          aria-label={`${say("delete")}: ${title}`}
          onClick={() => window.confirm(say("deleteSure")) && remove()}
          className="p-1.5 text-soft hover:text-bad"
        >
          <Trash2 size={14} aria-hidden />
        </button>
      </span>
    </li>
  )
}

export function titleOf(thread: Thread): string {
  return thread.metadata.title ?? ""
}
