import { ArrowLeft, RotateCcw } from "lucide-react"
import { useCallback, useEffect, useMemo, useRef, useState } from "react"
import { type Configured, configured } from "../api/graph"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import type { PageProps } from "../shell/pages"
import { Button } from "../ui/Button"
import { Canvas } from "./Canvas"
import { Choice } from "./Choice"
import { Facts } from "./Facts"
import { marks } from "./marks"
import { Nodes } from "./Nodes"
import { start } from "./path"
import { useDrawing, useWay } from "./useGraph"
import { Way } from "./Way"

/** The drawing of an assistant's graph; with `?thread=` also the way that its work takes. */
export default function GraphPage({ route }: PageProps<"graph">) {
  const { say } = useLanguage()
  const [assistants, setAssistants] = useState<Configured[] | null>(null)
  const [failed, setFailed] = useState("")
  const load = useCallback(() => {
    configured().then(
      (found) => (setAssistants(found.sort((a, b) => a.name.localeCompare(b.name))), setFailed("")),
      (failure: unknown) => setFailed(sentence(failure)),
    )
  }, [])
  useEffect(load, [load])
  if (failed) return <Trouble words={failed} retry={load} />
  if (!assistants) {
    return (
      <p role="status" className="p-6 text-sm text-soft">
        {say("loading")}
      </p>
    )
  }
  if (!route.assistant) return <Choice assistants={assistants} />
  const assistant = assistants.find((one) => one.assistant_id === route.assistant) ?? assistants.find((one) => one.graph_id === route.assistant)
  if (!assistant) return <Trouble words={say("graphGone", { name: route.assistant })} retry={load} />
  return <Graph key={assistant.assistant_id} assistant={assistant} thread={new URLSearchParams(location.search).get("thread") ?? ""} />
}

function Graph({ assistant, thread }: { assistant: Configured; thread: string }) {
  const { say } = useLanguage()
  const [inside, setInside] = useState(false)
  const [chosen, setChosen] = useState("")
  const [sought, setSought] = useState("")
  const view = useRef<HTMLDivElement>(null)
  const ratio = useCallback(() => (view.current ? view.current.clientWidth / Math.max(1, view.current.clientHeight) : 1), [])
  const { drawn, failed, retry } = useDrawing(assistant.assistant_id, inside, ratio)
  const { way, failed: lost } = useWay(thread)
  const model = drawn?.model
  const path = way?.path ?? start
  const marked = useMemo(() => (model ? marks(model, path) : new Map<string, never>()), [model, path])
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-y-auto lg:flex-row lg:overflow-hidden">
      <div className="flex h-[62dvh] min-w-0 shrink-0 flex-col lg:h-auto lg:flex-1">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5 text-sm">
          <a href="/graph" className="inline-flex min-h-9 items-center gap-1.5 text-soft hover:text-ink pointer-coarse:min-h-11">
            <ArrowLeft size={15} aria-hidden /> {say("graphAll")}
          </a>
          <h2 className="mr-auto font-semibold [overflow-wrap:anywhere]">{assistant.name}</h2>
          <label className="inline-flex min-h-9 items-center gap-2 pointer-coarse:min-h-11">
            <input type="checkbox" checked={inside} onChange={(event) => setInside(event.target.checked)} className="size-4 accent-accent" />
            {say("graphInside")}
          </label>
        </div>
        <div ref={view} className="relative min-h-0 flex-1 border-b border-line lg:border-b-0">
          {failed ? (
            <Trouble words={failed} retry={retry} />
          ) : drawn ? (
            <Canvas name={assistant.name} model={drawn.model} placed={drawn.placed} marks={marked} chosen={chosen} choose={setChosen} sought={sought} />
          ) : (
            <p role="status" className="p-6 text-sm text-soft">
              {say("graphDraws")}
            </p>
          )}
        </div>
      </div>
      <div className="shrink-0 space-y-5 p-4 lg:w-80 lg:overflow-y-auto lg:border-l lg:border-line">
        {thread && <Way thread={thread} way={way} failed={lost} />}
        <Facts assistant={assistant} model={model ?? null} />
        {model && <Nodes model={model} marks={marked} chosen={chosen} seek={(id) => (setChosen(id), setSought(id))} />}
      </div>
    </div>
  )
}

function Trouble({ words, retry }: { words: string; retry: () => void }) {
  const { say } = useLanguage()
  return (
    <div role="alert" className="m-4 flex flex-wrap items-center gap-3 rounded-xl border border-line bg-panel px-4 py-3 text-sm">
      <p className="min-w-0 flex-1 text-bad [overflow-wrap:anywhere]">{words}</p>
      <Button onClick={retry}>
        <RotateCcw size={14} aria-hidden /> {say("retry")}
      </Button>
    </div>
  )
}
