import { ArrowUp, CornerDownRight, Square } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import type { Fill } from "../run/events"
import { Button } from "../ui/Button"
import { Gauge } from "./Gauge"

interface Props {
  thread: string
  busy: boolean
  /** Words that could not be sent, given back. */
  returned?: string
  send: (words: string) => Promise<void>
  /** Say it to the agent while it works, between two steps. */
  steer?: (words: string) => Promise<void>
  stop: () => void
  /** The Up key where nothing is written. */
  onUp?: () => void
  /** Take the focus: a person has just come to write. */
  ready: boolean
  tray: React.ReactNode
  /** How full the model's window is, where it is known. */
  fill?: Fill | null
}

const LONGEST_PX = 240

/** Where a person writes. The draft is kept per thread, and comes back when sending fails. */
export function Composer({ thread, busy, returned = "", send, steer = send, stop, onUp, ready, tray, fill = null }: Props) {
  const { say } = useLanguage()
  const kept = `artel.draft.${thread}`
  const [words, setWords] = useState(() => localStorage.getItem(kept) ?? "")
  const [problem, setProblem] = useState("")
  const field = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    if (words) localStorage.setItem(kept, words)
    else localStorage.removeItem(kept)
    const area = field.current
    if (!area) return
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight, LONGEST_PX)}px`
  }, [words, kept])

  useEffect(() => {
    if (ready && window.matchMedia("(hover: hover)").matches) field.current?.focus()
  }, [ready])

  const [given, setGiven] = useState("")
  if (returned !== given) {
    setGiven(returned)
    setWords((now) => now || returned)
  }

  async function submit(deliver = send) {
    const said = words.trim()
    if (!said) return
    setWords("")
    setProblem("")
    try {
      await deliver(said)
    } catch (failure) {
      setWords((now) => (now ? `${said}\n${now}` : said))
      setProblem(failure instanceof Error ? failure.message : String(failure))
    }
  }

  return (
    <form
      className="mx-auto w-full max-w-3xl px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4 sm:pb-4"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {problem && (
        <p role="alert" className="pb-2 text-sm text-bad">
          {say("notSent")} {problem}
        </p>
      )}
      <div className="rounded-2xl border border-line bg-raised shadow-[0_1px_2px_rgb(0_0_0/0.04),0_6px_20px_-8px_rgb(0_0_0/0.12)] transition-colors focus-within:border-accent">
        <textarea
          ref={field}
          rows={1}
          aria-label={say("placeholder")}
          placeholder={say(busy ? "placeholderBusy" : "placeholder")}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault()
              void submit(busy && (event.ctrlKey || event.metaKey) ? steer : send)
            }
            if (event.key === "Escape" && busy) stop()
            if (event.key === "ArrowUp" && !words && onUp) {
              event.preventDefault()
              onUp()
            }
          }}
          className="quiet block w-full resize-none bg-transparent px-4 pt-3 pb-1"
        />
        <div className="flex items-center gap-1 p-2">
          <div className="flex min-w-0 flex-1 items-center gap-1">{tray}</div>
          {fill && <Gauge fill={fill} />}
          {busy && (
            <Button look="bad" onClick={stop} aria-label={say("stop")}>
              <Square size={13} fill="currentColor" aria-hidden /> {say("stop")}
            </Button>
          )}
          {busy && (
            <Button disabled={!words.trim()} title={say("steerHint")} onClick={() => void submit(steer)}>
              <CornerDownRight size={14} aria-hidden /> {say("steer")}
            </Button>
          )}
          <Button
            type="submit"
            look="main"
            className="size-9 !p-0"
            disabled={!words.trim()}
            aria-label={say(busy ? "queue" : "send")}
            title={busy ? say("queue") : undefined}
          >
            <ArrowUp size={18} aria-hidden />
          </Button>
        </div>
      </div>
    </form>
  )
}
