import { X } from "lucide-react"
import { useLayoutEffect, useRef, useState } from "react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { type Box, place } from "./place"

interface Step {
  /** What it tells of; the last one there is, where several match. */
  at: string
  title: Key
  words: Key
  /** The real thing it does. */
  try?: { word: Key; says: Key }
}

const WRITE = "form textarea.quiet"
const STEPS: readonly Step[] = [
  { at: WRITE, title: "tourWrite", words: "tourWriteWords", try: { word: "tourTryAsk", says: "try1" } },
  { at: 'form [aria-haspopup="dialog"]:first-of-type', title: "tourAgent", words: "tourAgentWords" },
  { at: `[data-testid="approval"], ${WRITE}`, title: "tourAsks", words: "tourAsksWords", try: { word: "tourTryEdit", says: "try3" } },
  { at: '[aria-controls="panel"]', title: "tourPanel", words: "tourPanelWords" },
]
const MEASURE_MS = 200

interface Props {
  /** Start a conversation with these words. */
  ask: (words: string) => Promise<void>
  close: () => void
}

/** A few words at the elements they tell of. Nothing waits for it: one may write, or look elsewhere, meanwhile. */
export default function Tour({ ask, close }: Props) {
  const { say } = useLanguage()
  const [number, setNumber] = useState(0)
  const [tried, setTried] = useState<number[]>([])
  const [problem, setProblem] = useState("")
  const step = STEPS[number]
  const card = useRef<HTMLDivElement>(null)
  const { target, left, top } = useTarget(step?.at ?? WRITE, card)
  const last = number === STEPS.length - 1
  if (!step) return null

  const doing = step.try
  function attempt() {
    if (!doing) return
    setProblem("")
    ask(say(doing.says)).then(
      () => setTried([...tried, number]),
      (failure: unknown) => setProblem(failure instanceof Error ? failure.message : String(failure)),
    )
  }
  return (
    <>
      {target && (
        <div
          aria-hidden
          className="pointer-events-none fixed z-40 rounded-2xl ring-2 ring-accent"
          style={{ left: target.left - 4, top: target.top - 4, width: target.width + 8, height: target.height + 8 }}
        />
      )}
      <div
        ref={card}
        role="dialog"
        aria-label={say("tour")}
        onKeyDown={(event) => event.key === "Escape" && close()}
        style={{ left, top }}
        className="fixed z-40 w-80 max-w-[calc(100vw-1rem)] space-y-2.5 rounded-xl border border-line bg-raised p-4 text-sm shadow-xl"
      >
        <div className="flex items-start gap-2">
          <div className="min-w-0 flex-1" aria-live="polite">
            <p className="text-xs text-soft">{say("tourStep", { n: number + 1, all: STEPS.length })}</p>
            <h2 className="font-semibold">{say(step.title)}</h2>
            <p className="pt-1 text-soft">{say(step.words)}</p>
          </div>
          <Button look="bare" className="-mt-2 -mr-2 !px-2" aria-label={say("tourSkip")} title={say("tourSkip")} onClick={close}>
            <X size={16} aria-hidden />
          </Button>
        </div>
        {problem && (
          <p role="alert" className="text-bad">
            {problem}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {number > 0 && <Button onClick={() => setNumber(number - 1)}>{say("back")}</Button>}
          {doing && !tried.includes(number) && <Button onClick={attempt}>{say(doing.word)}</Button>}
          <Button look="main" onClick={() => (last ? close() : setNumber(number + 1))}>
            {say(last ? "tourDone" : "tourNext")}
          </Button>
        </div>
      </div>
    </>
  )
}

/** Where the element is that is told of, and where the card goes; looked at now and then, for the page moves. */
function useTarget(at: string, card: React.RefObject<HTMLDivElement | null>) {
  const [found, setFound] = useState<{ target: Box | null; left: number; top: number }>({ target: null, left: 8, top: 8 })
  useLayoutEffect(() => { // before the first paint: the card is not seen to jump
    const measure = () => {
      const shown = [...document.querySelectorAll<HTMLElement>(at)].filter((one) => one.offsetParent !== null)
      const told = shown.find((one) => one.dataset["testid"]) ?? shown.at(-1)
      const rect = (told?.matches("textarea") ? told.parentElement : told)?.getBoundingClientRect()
      const size = { width: card.current?.offsetWidth ?? 0, height: card.current?.offsetHeight ?? 0 }
      const seen = { width: window.innerWidth, height: window.innerHeight }
      const target = rect ? { left: rect.left, top: rect.top, width: rect.width, height: rect.height } : null
      const next = { target, ...place(target ?? { left: 8, top: seen.height, width: 0, height: 0 }, size, seen) }
      setFound((now) => (JSON.stringify(now) === JSON.stringify(next) ? now : next))
    }
    measure()
    const timer = setInterval(measure, MEASURE_MS)
    window.addEventListener("resize", measure)
    return () => {
      clearInterval(timer)
      window.removeEventListener("resize", measure)
    }
  }, [at, card])
  return found
}
