import { Suspense, useCallback, useEffect, useRef, useState } from "react"
import { upload } from "../api/attachments"
import * as api from "../api/client"
import type { Assistant, Info } from "../api/types"
import { useLanguage } from "../i18n/language"
import { forget } from "../offline/kept"
import { inShort } from "../run/attached"
import { refresh as lookAgain } from "../run/waiting"
import { ThreadList } from "../threads/ThreadList"
import { useThreads } from "../threads/useThreads"
import { chosenIn, firstOf, idOf, talks } from "./assistants"
import { Boundary } from "./Boundary"
import { Bench } from "./conversation"
import { Commands, type Overlay } from "./Commands"
import { remember } from "./folders"
import { Header } from "./Header"
import { KeyNotice } from "./KeyNotice"
import { Navigation } from "./Navigation"
import { PAGES } from "./pages"
import { go, useRoute } from "./route"
import { Touring } from "./Touring"
import { Tray } from "./Tray"
import { useWatch } from "./watching"
import { Welcome } from "./Welcome"

const TITLE_CHARS = 60
const PANEL = "artel.panel"

/** Conversations on the left; on the right one of them, or another page. The address says which. */
export function App() {
  const { say } = useLanguage()
  const route = useRoute()
  const open = route.page === "chat" ? route.thread : ""
  const [info, setInfo] = useState<Info | null>(null)
  const [assistants, setAssistants] = useState<Assistant[]>([])
  const listed = useThreads()
  const { all: threads, refresh } = listed
  const [first, setFirst] = useState({ thread: "", words: "" })
  const [agent, setAgent] = useState({ thread: "", name: "" })
  const [workspace, setWorkspace] = useState<{ thread: string; folder: string } | null>(null)
  const [drawer, setDrawer] = useState(false)
  const [overlay, setOverlay] = useState<Overlay>("")
  const [tab, setTab] = useState(() => localStorage.getItem(PANEL) ?? "")

  const { waiting: asked, more } = useWatch()

  const changed = useCallback(() => {
    refresh()
    void lookAgain()
  }, [refresh])

  useEffect(() => {
    api.info().then(setInfo, () => undefined)
    api.assistants().then((found) => setAssistants(found.filter(talks)), () => undefined)
  }, [])

  const current = threads?.find((one) => one.thread_id === open)
  const picked = agent.thread === open ? agent.name : ""
  const unseen = open !== "" && !current // who answers there is not known yet: the conversation itself knows
  const chosen = picked || chosenIn(current, assistants) || (unseen ? "" : firstOf(assistants))
  const moved = workspace?.thread === open ? workspace.folder : null
  const folder = moved ?? current?.metadata.workspace ?? info?.default_workspace ?? ""
  const waiting = asked.length ? `${asked.length}${more ? "+" : ""}` : ""
  const page = route.page === "chat" ? null : PAGES[route.page]
  const title = page ? say(page.word) : current?.metadata.title
  useEffect(() => {
    document.title = `${waiting ? `(${waiting}) ` : ""}${title ? `${title} · ` : ""}Artel`
  }, [waiting, title])

  const { look } = listed
  const unknown = open && threads && !current ? open : ""
  useEffect(() => {
    if (unknown) look(unknown)
  }, [unknown, look])

  function visit(path: string) {
    go(path)
    setDrawer(false)
  }

  const show = useCallback((next: string) => {
    localStorage.setItem(PANEL, next)
    setTab(next)
  }, [])

  /** The conversation that is about to begin; made once, also when its files come before its words. */
  const made = useRef("")
  async function home(said: string): Promise<string> {
    const line = inShort(said).split("\n")[0] ?? ""
    const title = line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS)}…` : line
    const known = assistants.length ? assistants : (await api.assistants()).filter(talks)
    const wanted = chosen || firstOf(known)
    const assistant = known.find((one) => idOf(one) === wanted)
    const asked = assistant ? { assistant_id: assistant.assistant_id } : {}
    const metadata = { title, workspace: folder, graph_id: assistant?.graph_id ?? wanted, ...asked }
    if (made.current) await listed.amend(made.current, metadata)
    else made.current = (await api.threads.create(metadata)).thread_id
    return made.current
  }

  async function begin(words: string) {
    const thread = await home(words)
    made.current = ""
    setFirst({ thread, words })
    if (chosen) setAgent({ thread, name: chosen })
    setWorkspace({ thread, folder })
    remember(folder)
    go(`/t/${thread}`)
    refresh()
    return thread
  }

  function move(to: string) {
    setWorkspace({ thread: open, folder: to })
    if (open) listed.amend(open, { workspace: to }).catch(() => undefined) // the next run says it all the same
  }

  const tray = (
    <Tray
      assistants={assistants}
      chosen={chosen}
      choose={(name) => setAgent({ thread: open, name })}
      folder={folder}
      move={move}
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
          threads={listed}
          open={open}
          choose={(id) => visit(`/t/${id}`)}
          start={() => visit("/")}
          remove={async (id) => {
            await api.threads.remove(id)
            void forget(id).catch(() => undefined)
            if (id === open) go("/")
            refresh()
          }}
          palette={() => setOverlay("palette")}
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
          <Boundary of={open}>
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
          </Boundary>
        ) : (
          <Welcome
            begin={(words) => begin(words).then(() => undefined)}
            attach={async (file, told, signal) => upload(await home(file.name), folder, file, told, signal)}
            tray={tray}
          />
        )}
      </main>
      {!page && <Touring open={open} fresh={threads?.length === 0} begin={begin} />}
      <Commands
        overlay={overlay}
        put={setOverlay}
        threads={threads ?? []}
        assistants={assistants}
        open={open}
        visit={visit}
        talkTo={(name) => {
          visit("/")
          setAgent({ thread: "", name })
        }}
        show={show}
      />
    </div>
  )
}
