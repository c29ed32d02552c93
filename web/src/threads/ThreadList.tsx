import { lazy, Suspense, useDeferredValue, useEffect, useMemo, useRef, useState } from "react"
import type { Thread } from "../api/types"
import type { Key } from "../i18n/catalogue"
import { tag, useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"
import { Head } from "./Head"
import { Item, type Wish } from "./Item"
import { found, type Group, grouped, titleOf } from "./listing"
import { Loading, More } from "./More"
import type { Threads } from "./useThreads"

const Menu = lazy(() => import("./Menu"))

interface Props {
  threads: Threads
  open: string
  choose: (id: string) => void
  start: () => void
  remove: (id: string) => Promise<void>
  /** Open the list of everything that can be done. */
  palette: () => void
}

const WORDS: Record<Group, Key> = {
  pinned: "threadsPinned",
  today: "today",
  yesterday: "yesterday",
  week: "threadsWeek",
  month: "threadsMonth",
  earlier: "earlier",
}
const DRAWN = 100 // conversations that are drawn at first; more come as they are scrolled to

/** All conversations, the newest first. */
export function ThreadList({ threads, open, choose, start, remove, palette }: Props) {
  const { language, say } = useLanguage()
  const { all, failed, seen, whole, refresh, more, amend } = threads
  const [sought, setSought] = useState("")
  const [drawn, setDrawn] = useState(DRAWN)
  const [renaming, setRenaming] = useState("")
  const [going, setGoing] = useState<Thread | null>(null)
  const [menu, setMenu] = useState<{ thread: string; button: HTMLButtonElement } | null>(null)
  const [refusal, setRefusal] = useState("")
  const [stop, setStop] = useState("")
  const list = useRef<HTMLDivElement>(null)
  const wanted = useDeferredValue(sought.trim())
  const shown = useMemo(() => all && (wanted ? found(all, wanted) : all), [all, wanted])
  const groups = useMemo(() => shown && grouped(shown), [shown])

  useEffect(() => {
    if (wanted && !whole) void more() // a title may stand among those that were not fetched yet
  }, [wanted, whole, more, all])

  const focus = (id: string) => list.current?.querySelector<HTMLElement>(`[data-thread="${id}"]`)?.focus()
  const attempt = (act: Promise<void>) => {
    setRefusal("")
    act.catch((failure: unknown) => setRefusal(failure instanceof Error ? failure.message : String(failure)))
  }

  function rename(id: string, title: string | null) {
    if (title) attempt(amend(id, { title }))
    setRenaming("")
    requestAnimationFrame(() => focus(id))
  }

  function ask(one: Thread, what: Wish) {
    if (what === "rename") setRenaming(one.thread_id)
    else if (what === "delete") setGoing(one)
    else {
      attempt(amend(one.thread_id, { pinned: !one.metadata.pinned }))
      requestAnimationFrame(() => focus(one.thread_id)) // it stands elsewhere now
    }
  }

  function moved(event: React.KeyboardEvent) {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-thread]") ?? [])]
    const at = rows.indexOf(document.activeElement as HTMLElement)
    const id = rows[at]?.dataset["thread"]
    if (!id) return
    const to = { ArrowDown: rows[at + 1], ArrowUp: rows[at - 1], Home: rows[0], End: rows.at(-1) }[event.key]
    if (event.key === "F2") setRenaming(id)
    else if (event.key === "Delete") setGoing(all?.find((one) => one.thread_id === id) ?? null)
    else if (to) to.focus()
    else return
    event.preventDefault()
  }

  const asked = menu && all?.find((one) => one.thread_id === menu.thread)
  const visible = new Set(groups?.flatMap(([, of]) => of).slice(0, drawn).map((one) => one.thread_id))
  const first = visible.has(stop) ? stop : visible.has(open) ? open : (groups?.[0]?.[1][0]?.thread_id ?? "")
  return (
    <nav aria-label={say("menu")} className="flex min-h-0 flex-1 flex-col">
      <Head
        start={start}
        palette={palette}
        sought={sought}
        seek={setSought}
        down={() => focus(groups?.[0]?.[1][0]?.thread_id ?? "")}
      />
      {(refusal || (failed && !all)) && (
        <div className="space-y-2 p-3 text-sm text-bad" role="alert">
          <p className="[overflow-wrap:anywhere]">{refusal || failed}</p>
          <Button
            onClick={() => {
              setRefusal("")
              refresh()
            }}
          >
            {say(refusal ? "threadsUnderstood" : "retry")}
          </Button>
        </div>
      )}
      <p role="status" className={failed && all ? "px-5 pb-2 text-xs text-soft" : "sr-only"}>
        {failed && all && say("threadsOld", { time: new Date(seen).toLocaleTimeString(tag(language), { timeStyle: "short" }) })}
        {wanted && shown && say("threadsFound", { n: shown.length })}
      </p>
      {!groups ? (
        !failed && <Loading word={say("loading")} />
      ) : groups.length === 0 && (whole || !wanted) ? (
        <p className="flex-1 px-5 py-3 text-sm text-soft">{say(wanted ? "notFound" : "emptyThreads")}</p>
      ) : (
        <div
          ref={list}
          className="flex-1 overflow-y-auto px-2 pb-3"
          onKeyDown={moved}
          onFocus={(event) => setStop((event.target as HTMLElement).dataset["thread"] ?? stop)}
        >
          {groups.map(([group, of]) => {
            const here = of.filter((one) => visible.has(one.thread_id))
            return (
              here.length > 0 && (
                <section key={group} aria-label={say(WORDS[group])}>
                  <h2 className="px-2.5 pt-3 pb-1 text-xs font-medium text-soft">{say(WORDS[group])}</h2>
                  <ul className="space-y-0.5">
                    {here.map((one) => (
                      <Item
                        key={one.thread_id}
                        thread={one}
                        current={one.thread_id === open}
                        reached={one.thread_id === first}
                        renaming={one.thread_id === renaming}
                        choose={choose}
                        rename={rename}
                        ask={(what) => ask(one, what)}
                        menu={menu?.thread === one.thread_id}
                        more={(button) => setMenu({ thread: one.thread_id, button })}
                      />
                    ))}
                  </ul>
                </section>
              )
            )
          })}
          <More
            there={shown !== null && (shown.length > drawn || !whole)}
            go={() => {
              setDrawn((now) => now + DRAWN)
              if (!whole && drawn + DRAWN > (all?.length ?? 0)) void more()
            }}
          />
        </div>
      )}
      <Suspense>{menu && asked && <Menu thread={asked} button={menu.button} ask={(what) => ask(asked, what)} close={() => setMenu(null)} />}</Suspense>
      {going && (
        <Confirm
          question={say("deleteSure")}
          about={titleOf(going) || say("noThread")}
          yes={say("delete")}
          no={say("cancel")}
          act={() => attempt(remove(going.thread_id))}
          close={() => {
            setGoing(null)
            const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-thread]") ?? [])]
            const at = rows.findIndex((one) => one.dataset["thread"] === going.thread_id)
            requestAnimationFrame(() => (rows[at]?.isConnected ? rows[at] : (rows[at + 1] ?? rows[at - 1]))?.focus())
          }}
        />
      )}
    </nav>
  )
}
