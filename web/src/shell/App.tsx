import { Suspense, useCallback, useEffect, useState } from "react"
import * as api from "../api/client"
import type { Assistant, Info, Thread } from "../api/types"
import { useLanguage } from "../i18n/language"
import { forget, keepList, keptList } from "../offline/kept"
import { refresh as lookAgain } from "../run/waiting"
import { ThreadList } from "../threads/ThreadList"
import { firstOf, talks } from "./assistants"
import { Boundary } from "./Boundary"
import { Bench } from "./Bench"
import { Header } from "./Header"
import { KeyNotice } from "./KeyNotice"
import { Navigation } from "./Navigation"
import { PAGES } from "./pages"
import { go, useRoute } from "./route"
import { Touring } from "./Touring"
import { Tray } from "./Tray"
import { useWatch } from "./watching"
import { Welcome } from "./Welcome"

const REFRESH_MS = 3_000
const TITLE_CHARS = 60
const PANEL = "artel.panel"

/** Conversations on the left; on the right one of them, or another page. The address says which. */
export function App() {
  const { say } = useLanguage()
  const route = useRoute()
  const open = route.page === "chat" ? route.thread : ""
  const [info, setInfo] = useState<Info | null>(null)
  const [assistants, setAssistants] = useState<Assistant[]>([])
  const [threads, setThreads] = useState<Thread[] | null>(null)
  const [failed, setFailed] = useState("")
  const [first, setFirst] = useState({ thread: "", words: "" })
  const [agent, setAgent] = useState({ thread: "", name: "" })
  const [workspace, setWorkspace] = useState<{ thread: string; folder: string } | null>(null)
  const [drawer, setDrawer] = useState(false)
  const [tab, setTab] = useState(() => localStorage.getItem(PANEL) ?? "")

  const { waiting: asked, more } = useWatch()

  const refresh = useCallback(() => {
    api.threads
      .search()
      .then((found) => {
        setThreads(found)
        setFailed("")
        void keepList(found).catch(() => undefined)
      })
      .catch(async (failure: unknown) => {
        setFailed(failure instanceof Error ? failure.message : String(failure))
        const known = await keptList().catch(() => undefined)
        if (known) setThreads((now) => now ?? known)
      })
  }, [])

  const changed = useCallback(() => {
    refresh()
    void lookAgain()
  }, [refresh])

  const refused = (failure: unknown) => setFailed(failure instanceof Error ? failure.message : String(failure))

  useEffect(() => {
    refresh()
    api.info().then(setInfo, () => undefined)
    api.assistants().then((found) => setAssistants(found.filter(talks)), () => undefined)
    const timer = setInterval(() => document.hidden || refresh(), REFRESH_MS)
    document.addEventListener("visibilitychange", refresh)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", refresh)
    }
  }, [refresh])

  const current = threads?.find((one) => one.thread_id === open)
  const picked = agent.thread === open ? agent.name : ""
  const chosen = picked || current?.metadata.graph_id || firstOf(assistants)
  const moved = workspace?.thread === open ? workspace.folder : null
  const folder = moved ?? current?.metadata.workspace ?? info?.default_workspace ?? ""
  const waiting = asked.length ? `${asked.length}${more ? "+" : ""}` : ""
  const page = route.page === "chat" ? null : PAGES[route.page]
  const title = page ? say(page.word) : current?.metadata.title
  useEffect(() => {
    document.title = `${waiting ? `(${waiting}) ` : ""}${title ? `${title} · ` : ""}Artel`
  }, [waiting, title])

  function visit(path: string) {
    go(path)
    setDrawer(false)
  }

  function show(next: string) {
    localStorage.setItem(PANEL, next)
    setTab(next)
  }

  async function begin(words: string) {
    const line = words.split("\n")[0] ?? ""
    const named = line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS)}…` : line
    const { thread_id: thread } = await api.threads.create({ title: named, workspace: folder, graph_id: chosen })
    setFirst({ thread, words })
    setAgent({ thread, name: chosen })
    go(`/t/${thread}`)
    refresh()
    return thread
  }

  const tray = (
    <Tray
      assistants={assistants}
      chosen={chosen}
      choose={(name) => setAgent({ thread: open, name })}
      folder={folder}
      move={(to) => setWorkspace({ thread: open, folder: to })}
      roots={info?.roots ?? []}
    />
  )

  return (
    <div className="flex h-dvh overflow-hidden">
      {drawer && <div className="fixed inset-0 z-10 bg-black/40 md:hidden" onClick={() => setDrawer(false)} aria-hidden />}
      <aside
        id="conversations"
        onKeyDown={(event) => event.key === "Escape" && setDrawer(false)}
        className={`${drawer ? "translate-x-0" : "invisible -translate-x-full md:visible md:translate-x-0"} fixed inset-y-0 z-20 flex w-72 shrink-0 flex-col border-r border-line bg-panel transition-transform md:static`}
      >
        <ThreadList
          threads={threads}
          failed={failed}
          open={open}
          choose={(id) => visit(`/t/${id}`)}
          start={() => visit("/")}
          rename={(id, title) => void api.threads.rename(id, title).then(refresh, refused)}
          remove={(id) =>
            void api.threads.remove(id).then(() => {
              void forget(id).catch(() => undefined)
              if (id === open) go("/")
              refresh()
            }, refused)
          }
          again={refresh}
        />
        <Navigation page={route.page} waiting={waiting} visited={() => setDrawer(false)} />
      </aside>
      <main className="flex min-w-0 flex-1 flex-col">
        <Header
          title={title || say("newThread")}
          info={info}
          drawer={drawer}
          openDrawer={() => setDrawer(true)}
          graph={open ? `/graph/${encodeURIComponent(chosen)}?thread=${open}` : undefined}
          panel={open ? { open: tab !== "", toggle: () => show(tab ? "" : "plan") } : undefined}
        />
        <KeyNotice />
        {page ? (
          <Boundary of={route.page}>
            <Suspense fallback={<p className="p-6 text-sm text-soft">{say("loading")}</p>}>
              <page.Body route={route} />
            </Suspense>
          </Boundary>
        ) : open ? (
          <Bench
            key={open}
            id={open}
            thread={current}
            assistant={chosen}
            workspace={folder}
            firstWords={first.thread === open ? first.words : ""}
            changed={changed}
            tray={tray}
            tab={tab}
            show={show}
          />
        ) : (
          <Welcome begin={(words) => begin(words).then(() => undefined)} tray={tray} />
        )}
      </main>
      {!page && <Touring open={open} fresh={threads?.length === 0} begin={begin} />}
    </div>
  )
}
