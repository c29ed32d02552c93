import { ArrowUpRight, Inbox as Tray } from "lucide-react"
import { type ComponentType, type KeyboardEvent, useEffect, useRef, useState } from "react"
import type { Waiting } from "../api/inbox"
import { useLanguage } from "../i18n/language"
import { keyOf, markSeen, refresh, settled, showMore, useWaiting } from "../run/waiting"
import { Button } from "../ui/Button"
import { Filters } from "./Filters"
import { Item } from "./Item"
import { Notify } from "./Notify"
import { arranged, type Row, rowsOf, type Wanted, worthALook } from "./order"
import { Over } from "./Over"
import type { Card } from "./Whole"

export type LinkTo = ComponentType<{
  href: string
  className?: string
  children?: React.ReactNode
}>

const STEPS: Record<string, number> = { KeyJ: 1, ArrowDown: 1, KeyK: -1, ArrowUp: -1 }

/** All that waits for the person, over all conversations, to be answered in place. */
export function InboxPage({ card, Link }: { card: Card; Link: LinkTo }) {
  const { say } = useLanguage()
  const { waiting, more, ended, known, failed } = useWaiting()
  const [wanted, setWanted] = useState<Wanted>({ kind: "", agent: "", order: "newest" })
  const [unfolded, setUnfolded] = useState<Waiting[]>([])
  const [told, setTold] = useState("")
  const list = useRef<HTMLDivElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const rows = rowsOf(waiting, unfolded)
  const shown = arranged(rows, wanted)

  useEffect(() => {
    void refresh()
    return markSeen
  }, [])

  useEffect(() => {
    const begin = (event: globalThis.KeyboardEvent) => {
      if (event.target !== document.body || !STEPS[event.code] || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      lines(list.current)[0]?.focus()
    }
    window.addEventListener("keydown", begin)
    return () => window.removeEventListener("keydown", begin)
  }, [])

  /** Letters walk from line to line; within an unfolded question they belong to it. */
  function walk(event: KeyboardEvent<HTMLElement>) {
    const step = STEPS[event.code]
    const all = lines(list.current)
    const at = all.findIndex((one) => one === event.target)
    if (!step || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    all[at + step]?.focus()
  }

  function forget(row: Row) {
    const all = lines(list.current)
    const at = all.findIndex((one) => one.dataset["row"] === row.key)
    const next = all[at + 1] ?? all[at - 1] ?? heading.current
    next?.focus()
    setUnfolded((before) => before.filter((one) => keyOf(one) !== row.key))
  }

  function answered(row: Row) {
    forget(row)
    settled(row)
    setTold(say("inboxAnswered", { n: Math.max(0, waiting.length - 1) }))
  }

  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto max-w-4xl space-y-6 px-4 py-6">
        <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
          <h2 ref={heading} tabIndex={-1} className="min-w-0 flex-1 basis-48 text-lg font-semibold tracking-tight">
            {waiting.length ? say("inboxWaiting", { n: waiting.length, more: more ? "+" : "" }) : say("inboxTitle")}
          </h2>
          <Notify />
        </div>
        {(rows.length > 1 || wanted.kind || wanted.agent) && <Filters rows={rows} wanted={wanted} want={setWanted} />}
        <p role="status" className={told ? "text-sm text-good" : "sr-only"}>
          {told}
        </p>
        {failed && (
          <div role="alert" className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-panel px-4 py-3 text-sm text-bad">
            <p>{failed}</p>
            <Button onClick={() => void refresh()}>{say("retry")}</Button>
          </div>
        )}
        <div ref={list} onKeyDown={walk} className="space-y-4">
          {shown.map(({ thread, title, rows: asked }) => (
            <div key={thread} role="group" aria-label={title || say("newThread")} className="overflow-hidden rounded-xl border border-line bg-raised">
              <h3 className="border-b border-line bg-panel text-sm">
                <Link
                  href={`/t/${thread}`}
                  className="group flex min-h-10 items-center gap-2 px-3 pointer-coarse:min-h-11"
                >
                  <span className="min-w-0 flex-1 truncate font-medium">{title || say("newThread")}</span>
                  <span className="flex shrink-0 items-center gap-1 text-xs text-soft group-hover:text-ink">
                    <span className="sr-only sm:not-sr-only">{say("inboxOpen")}</span> <ArrowUpRight size={14} aria-hidden />
                  </span>
                </Link>
              </h3>
              <ul>
                {asked.map((row) => (
                  <Item
                    key={row.key}
                    row={row}
                    card={card}
                    unfolded={(one) => setUnfolded((before) => [...before, one])}
                    answered={answered}
                    dismiss={forget}
                  />
                ))}
              </ul>
            </div>
          ))}
          {!known && !failed && <p className="beats text-sm text-soft">{say("loading")}</p>}
          {known && !shown.length && (
            <div className="grid place-items-center gap-3 rounded-xl border border-dashed border-line px-4 py-14 text-center">
              <Tray size={28} strokeWidth={1.5} className="text-soft" aria-hidden />
              <p className="max-w-sm text-sm text-soft">{say(rows.length ? "inboxNoneFits" : "inboxEmpty")}</p>
            </div>
          )}
          {more && <Button onClick={() => void showMore()}>{say("inboxMore")}</Button>}
        </div>
        {rows.length > 0 && <p className="hidden text-xs text-soft sm:block">{say("inboxKeys")}</p>}
        <Over ended={worthALook(ended)} Link={Link} />
      </div>
    </div>
  )
}

function lines(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])]
}
