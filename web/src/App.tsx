import { Languages, Menu, MoonStar } from "lucide-react"
import { useCallback, useEffect, useState } from "react"
import * as api from "./api/client"
import type { Assistant, Info, Thread } from "./api/types"
import { ApprovalCard } from "./approvals/ApprovalCard"
import { Chat } from "./chat/Chat"
import { Composer } from "./chat/Composer"
import { speak, useLanguage } from "./i18n/language"
import { colour, type Theme, theme } from "./theme"
import { ThreadList } from "./threads/ThreadList"
import { Button } from "./ui/Button"

const REFRESH_MS = 5_000
const TITLE_CHARS = 60
const FIRST_AGENT = "orchestrator"

/** Conversations on the left, one of them on the right. The address names which: /t/<thread>. */
export function App() {
  const { language, say } = useLanguage()
  const [info, setInfo] = useState<Info | null>(null)
  const [assistants, setAssistants] = useState<Assistant[]>([])
  const [threads, setThreads] = useState<Thread[] | null>(null)
  const [failed, setFailed] = useState("")
  const [open, setOpen] = useState(named)
  const [first, setFirst] = useState("")
  const [agent, setAgent] = useState("")
  const [workspace, setWorkspace] = useState<string | null>(null)
  const [drawer, setDrawer] = useState(false)

  const refresh = useCallback(() => {
    api.threads
      .search()
      .then((found) => {
        setThreads(found)
        setFailed("")
      })
      .catch((failure: unknown) => setFailed(failure instanceof Error ? failure.message : String(failure)))
  }, [])

  useEffect(() => {
    refresh()
    api.info().then(setInfo, () => undefined)
    api.assistants().then(setAssistants, () => undefined)
    const timer = setInterval(() => document.hidden || refresh(), REFRESH_MS)
    const back = () => setOpen(named())
    window.addEventListener("popstate", back)
    return () => {
      clearInterval(timer)
      window.removeEventListener("popstate", back)
    }
  }, [refresh])

  const current = threads?.find((one) => one.thread_id === open)
  const chosen = agent || current?.metadata.graph_id || firstOf(assistants)
  const folder = workspace ?? current?.metadata.workspace ?? info?.default_workspace ?? ""
  const waiting = threads?.filter((one) => one.status === "interrupted").length ?? 0
  const title = current?.metadata.title
  useEffect(() => {
    document.title = `${waiting ? `(${waiting}) ` : ""}${title ? `${title} · ` : ""}Artel`
  }, [waiting, title])

  function go(thread: string) {
    history.pushState(null, "", thread ? `/t/${thread}` : "/")
    setOpen(thread)
    setFirst("")
    setAgent("")
    setWorkspace(null)
    setDrawer(false)
  }

  async function begin(words: string) {
    const line = words.split("\n")[0] ?? ""
    const named = line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS)}…` : line
    const thread = await api.threads.create({ title: named, workspace: folder })
    history.pushState(null, "", `/t/${thread.thread_id}`)
    setFirst(words)
    setAgent(chosen)
    setOpen(thread.thread_id)
    refresh()
  }

  return (
    <div className="flex h-dvh overflow-hidden">
      {drawer && <div className="fixed inset-0 z-10 bg-black/40 md:hidden" onClick={() => setDrawer(false)} aria-hidden />}
      <aside
        className={`${drawer ? "translate-x-0" : "invisible -translate-x-full md:visible md:translate-x-0"} fixed inset-y-0 z-20 w-72 border-r border-line bg-panel transition-transform md:static`}
      >
        <ThreadList
          threads={threads}
          failed={failed}
          open={open}
          choose={go}
          start={() => go("")}
          rename={(id, title) => void api.threads.rename(id, title).then(refresh)}
          remove={(id) =>
            void api.threads.remove(id).then(() => {
              if (id === open) go("")
              refresh()
            })
          }
          again={refresh}
        />
      </aside>
      <main className="flex min-w-0 flex-1 flex-col">
        <header className="flex min-h-13 items-center gap-2 border-b border-line px-3">
          <Button look="bare" className="md:hidden" aria-label={say("menu")} onClick={() => setDrawer(true)}>
            <Menu size={18} aria-hidden />
          </Button>
          <h1 className="mr-auto truncate font-semibold">{title ?? "Artel"}</h1>
          <label className="flex min-w-0 items-center gap-2 text-sm">
            <span className="sr-only">{say("agent")}</span>
            <select
              value={chosen}
              onChange={(event) => setAgent(event.target.value)}
              className="min-w-0 rounded-lg border border-line bg-raised px-2 py-1.5"
            >
              {assistants.map((one) => (
                <option key={one.assistant_id} value={one.graph_id} title={one.description ?? ""}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
          <ThemeButton />
          <Button
            look="bare"
            aria-label={say("language")}
            title={say("language")}
            lang={language === "ru" ? "en" : "ru"}
            onClick={() => speak(language === "ru" ? "en" : "ru")}
          >
            <Languages size={18} aria-hidden />
          </Button>
        </header>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line bg-panel px-4 py-1.5 text-xs text-soft">
          <label className="flex min-w-0 flex-1 basis-56 items-center gap-2">
            {say("workspace")}
            <input
              list="roots"
              value={folder}
              spellCheck={false}
              onChange={(event) => setWorkspace(event.target.value)}
              className="min-w-0 flex-1 rounded border border-transparent bg-transparent px-1.5 py-0.5 font-mono text-ink hover:border-line focus:border-accent"
            />
            <datalist id="roots">{info?.roots.map((root) => <option key={root} value={root} />)}</datalist>
          </label>
          {info?.model && (
            <span className={info.model.offline ? "text-warn" : ""} data-testid="model">
              {info.model.offline ? say("offline") : info.model.label}
            </span>
          )}
        </div>
        {open ? (
          <Chat
            key={open}
            thread={open}
            assistant={chosen}
            workspace={folder}
            firstWords={first}
            started={() => setFirst("")}
            changed={refresh}
            card={(asked, place, answer, resume) => (
              <ApprovalCard asked={asked} place={place} answer={answer} resume={resume} />
            )}
          />
        ) : (
          <Welcome begin={begin} />
        )}
      </main>
    </div>
  )
}

function Welcome({ begin }: { begin: (words: string) => Promise<void> }) {
  const { say } = useLanguage()
  const tries = [say("try1"), say("try2"), say("try3")]
  return (
    <>
      <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-6 overflow-y-auto p-6 text-center">
        <img src="/icon.svg" alt="" className="size-14" />
        <p className="max-w-md text-soft">{say("emptyChat")}</p>
        <div className="flex max-w-2xl flex-wrap justify-center gap-2">
          {tries.map((words) => (
            <Button key={words} onClick={() => void begin(words)}>
              {words}
            </Button>
          ))}
        </div>
      </div>
      <Composer thread="new" busy={false} send={begin} stop={() => undefined} />
    </>
  )
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" }

function ThemeButton() {
  const { say } = useLanguage()
  const [now, setNow] = useState(theme)
  const label = `${say("theme")}: ${say(now)}`
  return (
    <Button
      look="bare"
      aria-label={label}
      title={label}
      onClick={() => {
        colour(NEXT[now])
        setNow(NEXT[now])
      }}
    >
      <MoonStar size={18} aria-hidden />
    </Button>
  )
}

function firstOf(assistants: Assistant[]): string {
  const ours = assistants.find((one) => one.graph_id === FIRST_AGENT) ?? assistants[0]
  return ours?.graph_id ?? ""
}

function named(): string {
  return /^\/t\/([0-9a-f-]{36})/.exec(location.pathname)?.[1] ?? ""
}
