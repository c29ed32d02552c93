import { ChevronRight, File, FileLock, FileSymlink, Folder, FolderOpen } from "lucide-react"
import { useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import { pressed, type Row, typed } from "./tree"

interface Props {
  rows: readonly Row[]
  label: string
  /** The file that was open last. */
  chosen: string
  unsaved: (path: string) => boolean
  open: (path: string) => void
  toggle: (path: string) => void
  more: (folder: string) => void
  /** Which row has the focus: what can be done with it stands elsewhere. */
  focused: (row: Row) => void
}

const SIGNS = { added: "+", changed: "~", deleted: "−", mode: "~" }
const TONES = { added: "text-good", changed: "text-warn", deleted: "text-bad", mode: "text-warn" }
const TYPED_MS = 700

/** Files as a tree, by mouse and by the keys that trees have. */
export function Tree({ rows, label, chosen, unsaved, open, toggle, more, focused }: Props) {
  const { say } = useLanguage()
  const [at, setAt] = useState(chosen)
  const list = useRef<HTMLUListElement>(null)
  const letters = useRef({ typed: "", until: 0 })
  const here = rows.some((one) => one.path === at) ? at : (rows[0]?.path ?? "")

  const go = (path: string) => list.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`)?.focus()
  const act = (row: Row) => {
    if (row.kind === "folder") toggle(row.path)
    else if (row.kind === "more") more(row.path.slice(0, -"//more".length))
    else if (row.kind !== "note" && !row.closed) open(row.path)
  }
  const key = (event: React.KeyboardEvent, row: Row) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      return act(row)
    }
    const step = pressed(event.key, rows, row.path)
    if (step) {
      event.preventDefault()
      letters.current.until = 0
      if (step.toggle) toggle(step.toggle)
      if (step.focus) go(step.focus)
    } else if (event.key.length === 1) {
      const now = event.timeStamp
      const before = now < letters.current.until ? letters.current.typed : ""
      letters.current = { typed: before + event.key, until: now + TYPED_MS }
      go(typed(letters.current.typed, rows, row.path))
    }
  }
  return (
    <ul ref={list} role="tree" aria-label={label} className="py-1">
      {rows.map((row) => {
        const isFile = row.kind !== "folder"
        const words = [
          row.kind === "more" ? say("filesMore", { n: row.name }) : row.name,
          row.mark && say(`filesMark_${row.mark}`),
          row.holds && say("filesHolds"),
          row.ignored && say("filesIgnored"),
          row.closed && say(row.closed === "secret" ? "filesClosedSecret" : "filesClosedDenied"),
          unsaved(row.path) && say("filesUnsaved"),
        ].filter(Boolean)
        return (
          <li
            key={row.path}
            role="treeitem"
            data-path={row.path}
            aria-label={words.join(", ")}
            aria-level={row.depth + 1}
            aria-setsize={row.of}
            aria-posinset={row.place}
            aria-selected={row.path === chosen}
            {...(isFile ? {} : { "aria-expanded": row.expanded })}
            {...(row.closed ? { "aria-disabled": true } : {})}
            tabIndex={row.path === here ? 0 : -1}
            title={words.join(", ")}
            onFocus={() => {
              setAt(row.path)
              focused(row)
            }}
            onClick={() => act(row)}
            onKeyDown={(event) => key(event, row)}
            style={{ paddingLeft: `${row.depth * 0.9 + 0.5}rem` }}
            className={`flex min-h-7 cursor-pointer items-center gap-1.5 pr-3 text-sm outline-offset-[-2px] hover:bg-panel pointer-coarse:min-h-11 ${row.path === chosen ? "bg-panel" : ""}`}
          >
            <Icon row={row} />
            <span className={`min-w-0 flex-1 truncate ${tone(row)}`}>{words[0]}</span>
            {unsaved(row.path) && <span aria-hidden className="size-2 shrink-0 rounded-full bg-warn" />}
            {row.holds && !row.expanded && <span aria-hidden className="size-1.5 shrink-0 rounded-full bg-warn" />}
            {row.mark && (
              <span aria-hidden className={`w-3 shrink-0 text-center font-mono font-semibold ${TONES[row.mark]}`}>
                {SIGNS[row.mark]}
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
}

function tone(row: Row): string {
  if (row.kind === "note") return "text-bad"
  if (row.kind === "more") return "text-accent"
  if (row.mark) return `${TONES[row.mark]} ${row.mark === "deleted" ? "line-through" : ""}`
  return row.ignored || row.closed ? "text-soft" : ""
}

function Icon({ row }: { row: Row }) {
  const soft = "shrink-0 text-soft"
  if (row.kind === "folder") {
    const Shape = row.expanded ? FolderOpen : Folder
    return (
      <>
        <ChevronRight size={14} aria-hidden className={`${soft} transition-transform ${row.expanded ? "rotate-90" : ""}`} />
        <Shape size={15} aria-hidden className={soft} />
      </>
    )
  }
  const Shape = row.closed ? FileLock : row.kind === "link" ? FileSymlink : File
  return (
    <>
      <span className="w-3.5 shrink-0" />
      {row.kind !== "more" && row.kind !== "note" && <Shape size={15} aria-hidden className={soft} />}
    </>
  )
}
