import { Bot, FolderOpen, Languages, Menu, Monitor, Moon, Sun, TriangleAlert } from "lucide-react"
import { useCallback, useEffect, useState } from "react"
import * as api from "./api/client"
import type { Assistant, Info, Thread } from "./api/types"
import { ApprovalCard } from "./approvals/ApprovalCard"
import { Chat } from "./chat/Chat"
import { Composer } from "./chat/Composer"
import { speak, useLanguage } from "./i18n/language"
import { asks } from "./run/session"
import { colour, type Theme, theme } from "./theme"
import { ThreadList } from "./threads/ThreadList"
import { Button } from "./ui/Button"

const REFRESH_MS = 3_000
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

  const refused = (failure: unknown) => setFailed(failure instanceof Error ? failure.message : String(failure))

  useEffect(() => {
    refresh()
    api.info().then(setInfo, () => undefined)
    api.assistants().then((found) => setAssistants(found.filter(talks)), () => undefined)
    const timer = setInterval(() => document.hidden || refresh(), REFRESH_MS)
    document.addEventListener("visibilitychange", refresh)
    const back = () => setOpen(named())
    window.addEventListener("popstate", back)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", refresh)
      window.removeEventListener("popstate", back)
    }
  }, [refresh])

  const current = threads?.find((one) => one.thread_id === open)
  const chosen = agent || current?.metadata.graph_id || firstOf(assistants)
  const folder = workspace ?? current?.metadata.workspace ?? info?.default_workspace ?? ""
  const waiting = threads?.filter(asks).length ?? 0
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
    const thread = await api.threads.create({ title: named, workspace: folder, graph_id: chosen })
    history.pushState(null, "", `/t/${thread.thread_id}`)
    setFirst(words)
    setAgent(chosen)
    setOpen(thread.thread_id)
    refresh()
  }

  const tray = (
    <Tray
      assistants={assistants}
      chosen={chosen}
      choose={setAgent}
      folder={folder}
      move={setWorkspace}
      roots={info?.roots ?? []}
    />
  )

  return (
    <div className="flex h-dvh overflow-hidden">
      {drawer && <div className="fixed inset-0 z-10 bg-black/40 md:hidden" onClick={() => setDrawer(false)} aria-hidden />}
      <aside
        id="conversations"
        onKeyDown={(event) => event.key === "Escape" && setDrawer(false)}
        className={`${drawer ? "translate-x-0" : "invisible -translate-x-full md:visible md:translate-x-0"} fixed inset-y-0 z-20 w-72 shrink-0 border-r border-line bg-panel transition-transform md:static`}
      >
        <ThreadList
          threads={threads}
          failed={failed}
          open={open}
          choose={go}
          start={() => go("")}
          rename={(id, title) => void api.threads.rename(id, title).then(refresh, refused)}
          remove={(id) =>
            void api.threads.remove(id).then(() => {
              if (id === open) go("")
              refresh()
            }, refused)
          }
          again={refresh}
        />
      </aside>
      <main className="flex min-w-0 flex-1 flex-col">
        <header className="flex min-h-13 items-center gap-1 border-b border-line px-2 sm:px-3">
          <Button
            look="bare"
            className="md:hidden"
            aria-label={say("menu")}
            aria-expanded={drawer}
            aria-controls="conversations"
            onClick={() => setDrawer(true)}
          >
            <Menu size={18} aria-hidden />
          </Button>
          <h1 className="mr-auto min-w-0 truncate px-1 font-semibold">{title ?? say("newThread")}</h1>
          {info?.model && <Model model={info.model} off={info.off} />}
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
        {open ? (
          <Chat
            key={open}
            id={open}
            thread={current}
            assistant={chosen}
            workspace={folder}
            firstWords={first}
            changed={refresh}
            tray={tray}
            card={(asked, place, answer, resume) => (
              <ApprovalCard asked={asked} place={place} answer={answer} resume={resume} />
            )}
          />
        ) : (
          <Welcome begin={begin} tray={tray} />
        )}
      </main>
    </div>
  )
}

/** Which model answers; one of fixed rules is plainly called that. */
function Model({ model, off }: { model: NonNullable<Info["model"]>; off: string[] }) {
  const { say } = useLanguage()
  const words = model.offline ? say("offline") : model.label
  return (
    <span
      data-testid="model"
      title={[words, ...off].join("\n")}
      className={`flex shrink-0 items-center gap-1.5 rounded-full px-2.5 py-1 text-xs ${model.offline ? "bg-warn-bg text-warn" : "bg-panel text-soft"}`}
    >
      {model.offline && <TriangleAlert size={13} className="shrink-0" aria-hidden />}
      <span className="hidden max-w-96 truncate lg:inline">{words}</span>
      <span className="max-w-32 truncate lg:hidden">{model.offline ? say("offlineShort") : model.label}</span>
    </span>
  )
}

interface TrayProps {
  assistants: Assistant[]
  chosen: string
  choose: (agent: string) => void
  folder: string
  move: (folder: string) => void
  roots: string[]
}

/** Who works, and where. */
function Tray({ assistants, chosen, choose, folder, move, roots }: TrayProps) {
  const { say } = useLanguage()
  return (
    <>
      <label className="flex min-w-0 shrink-0 items-center gap-1 rounded-lg px-1.5 text-sm text-soft hover:bg-panel" title={say("agent")}>
        <Bot size={15} aria-hidden />
        <span className="sr-only">{say("agent")}</span>
        <select
          value={chosen}
          onChange={(event) => choose(event.target.value)}
          className="quiet min-h-8 max-w-32 min-w-0 cursor-pointer bg-transparent text-ink"
        >
          {assistants.map((one) => (
            <option key={one.assistant_id} value={one.graph_id} title={one.description ?? ""} className="bg-raised">
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <label
        className="flex min-w-0 flex-1 items-center gap-1.5 rounded-lg px-1.5 text-sm text-soft hover:bg-panel sm:max-w-80"
        title={`${say("workspace")}: ${folder}`}
      >
        <FolderOpen size={15} className="shrink-0" aria-hidden />
        <span className="sr-only">{say("workspace")}</span>
        <input
          list="roots"
          value={folder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => move(event.target.value)}
          className="quiet min-h-8 w-full min-w-0 bg-transparent font-mono text-[13px] text-ellipsis text-ink"
        />
        <datalist id="roots">
          {roots.map((root) => (
            <option key={root} value={root} />
          ))}
        </datalist>
      </label>
    </>
  )
}

function Welcome({ begin, tray }: { begin: (words: string) => Promise<void>; tray: React.ReactNode }) {
  const { say } = useLanguage()
  const [problem, setProblem] = useState("")
  const tries = [say("try1"), say("try2"), say("try3")]
  const start = (words: string) =>
    begin(words).catch((failure: unknown) => setProblem(failure instanceof Error ? failure.message : String(failure)))
  return (
    <>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex min-h-full max-w-3xl flex-col justify-center gap-6 px-5 py-8">
          <div className="space-y-2">
            <img src="/icon.svg" alt="" className="mb-4 size-12" />
            <h2 className="text-2xl font-semibold tracking-tight">{say("welcome")}</h2>
            <p className="max-w-lg text-soft">{say("emptyChat")}</p>
          </div>
          <ul className="grid gap-2 sm:grid-cols-3" aria-label={say("tried")}>
            {tries.map((words) => (
              <li key={words}>
                <button
                  type="button"
                  onClick={() => void start(words)}
                  className="h-full w-full rounded-xl border border-line bg-raised px-4 py-3 text-left text-sm transition-colors hover:border-accent"
                >
                  {words}
                </button>
              </li>
            ))}
          </ul>
          {problem && (
            <p role="alert" className="text-sm text-bad">
              {problem}
            </p>
          )}
        </div>
      </div>
      <Composer thread="new" busy={false} send={begin} stop={() => undefined} ready tray={tray} />
    </>
  )
}

const FACES: Record<Theme, typeof Sun> = { system: Monitor, light: Sun, dark: Moon }
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" }

function ThemeButton() {
  const { say } = useLanguage()
  const [now, setNow] = useState(theme)
  const Face = FACES[now]
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
      <Face size={18} aria-hidden />
    </Button>
  )
}

/** Whether it is somebody to talk to: a workflow is started by what needs it. */
function talks(assistant: Assistant): boolean {
  return assistant.metadata?.kind !== "workflow"
}

function firstOf(assistants: Assistant[]): string {
  const ours = assistants.find((one) => one.graph_id === FIRST_AGENT) ?? assistants[0]
  return ours?.graph_id ?? ""
}

function named(): string {
  return /^\/t\/([0-9a-f-]{36})/.exec(location.pathname)?.[1] ?? ""
}
