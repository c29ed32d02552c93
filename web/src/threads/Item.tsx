import { Ellipsis, Pin } from "lucide-react"
import type { Thread, ThreadStatus } from "../api/types"
import { useLanguage } from "../i18n/language"
import { asks } from "../run/session"
import { titleOf } from "./listing"

export type Wish = "rename" | "pin" | "delete"

interface Props {
  thread: Thread
  current: boolean
  /** Tab stops here: the arrow keys lead on. */
  reached: boolean
  renaming: boolean
  choose: (id: string) => void
  /** Null: it stays as it is. */
  rename: (id: string, title: string | null) => void
  ask: (what: Wish) => void
  /** Whether its menu is open, and how to open it at a button. */
  menu: boolean
  more: (button: HTMLButtonElement) => void
}

type Face = ThreadStatus | "stopped"

const DOTS: Record<Face, string> = {
  idle: "border border-soft/40",
  busy: "bg-accent beats",
  interrupted: "bg-warn",
  stopped: "border border-soft",
  error: "bg-bad",
}
const SAID: Partial<Record<Face, string>> = {
  busy: "text-accent",
  interrupted: "rounded-full bg-warn-bg px-2 text-warn",
  error: "text-bad",
}
export function Item({ thread, current, reached, renaming, choose, rename, ask, menu, more }: Props) {
  const { say } = useLanguage()
  const title = titleOf(thread) || say("noThread")
  const id = thread.thread_id
  if (renaming) return <Rename title={title} done={(said) => rename(id, said)} />
  const face = thread.status === "interrupted" && !asks(thread) ? "stopped" : thread.status
  return (
    <li
      className={`group relative flex items-center rounded-lg [contain-intrinsic-size:auto_36px] [content-visibility:auto] transition-colors ${current ? "bg-accent/12" : "hover:bg-line/40"}`}
    >
      <button
        type="button"
        data-thread={id}
        tabIndex={reached ? 0 : -1}
        onClick={() => choose(id)}
        onDoubleClick={() => ask("rename")}
        aria-current={current ? "page" : undefined}
        title={title}
        className="flex min-h-9 min-w-0 flex-1 items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-left text-sm outline-offset-[-2px] pointer-coarse:min-h-11"
      >
        <span className={`size-2 shrink-0 rounded-full ${DOTS[face]}`} aria-hidden />
        <span className="min-w-0 flex-1 truncate">{title}</span>
        {thread.metadata.pinned && <Pin size={13} className="shrink-0 text-soft" aria-hidden />}
        <span className={SAID[face] ? `shrink-0 text-xs ${SAID[face]}` : "sr-only"}>{say(`status_${face}`)}</span>
      </button>
      <button
        type="button"
        tabIndex={reached ? 0 : -1}
        aria-label={say("threadsMenu", { title })}
        title={say("threadsMenuShort")}
        aria-haspopup="menu"
        aria-expanded={menu}
        onPointerEnter={() => void import("./Menu")}
        onClick={(event) => more(event.currentTarget)}
        className={`grid h-9 w-8 shrink-0 place-items-center rounded-lg text-soft outline-offset-[-2px] hover:text-ink aria-expanded:opacity-100 pointer-coarse:size-11 pointer-fine:absolute pointer-fine:right-0 pointer-fine:opacity-0 pointer-fine:group-focus-within:opacity-100 pointer-fine:group-hover:opacity-100 ${current ? "pointer-fine:bg-[color-mix(in_oklab,var(--accent)_12%,var(--panel))]" : "pointer-fine:bg-[color-mix(in_oklab,var(--line)_40%,var(--panel))]"}`}
      >
        <Ellipsis size={16} aria-hidden />
      </button>
    </li>
  )
}

function Rename({ title, done }: { title: string; done: (title: string | null) => void }) {
  const { say } = useLanguage()
  return (
    <li>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const given = new FormData(event.currentTarget).get("title")
          done(typeof given === "string" && given.trim() && given.trim() !== title ? given.trim() : null)
        }}
      >
        <input
          name="title"
          autoFocus
          maxLength={200}
          aria-label={say("rename")}
          defaultValue={title}
          onFocus={(event) => event.target.select()}
          onBlur={(event) => event.target.form?.requestSubmit()}
          onKeyDown={(event) => {
            event.stopPropagation()
            if (event.key === "Escape") {
              event.currentTarget.value = title
              done(null)
            }
          }}
          className="w-full rounded-lg border border-accent bg-page px-2.5 py-1.5 text-sm"
        />
      </form>
    </li>
  )
}
