import { useEffect, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import { parted, withFiles } from "../run/attached"
import type { Fill } from "../run/events"
import { sized } from "../ui/sized"
import { AttachButton } from "./AttachButton"
import { Deliver } from "./Deliver"
import { Gauge } from "./Gauge"
import { Length, LONGEST } from "./Length"
import { Pieces } from "./Pieces"
import { type Attach, MOST, useAttachments } from "./useAttachments"
import { useDropped } from "./useDropped"

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
  /** Missing: no files can be attached. */
  attach?: Attach
  /** Send files as soon as they are chosen, not only with the message. */
  early?: boolean
}

const LONGEST_PX = 240
const GROWS = CSS.supports("field-sizing: content") // then the browser does it, without a layout for each key
const MUCH = 20_000 // characters of a paste that might rather be a file

/** Where a person writes. The draft is kept per thread, and comes back when sending fails. */
export function Composer(props: Props) {
  const { thread, busy, returned = "", send, steer = send, stop, ready, tray, fill = null, attach, early = false, onUp } = props
  const { language, say } = useLanguage()
  const kept = `artel.draft.${thread}`
  const [words, setWords] = useState(() => localStorage.getItem(kept) ?? "")
  const [problem, setProblem] = useState("")
  const [pasted, setPasted] = useState("")
  const [sending, setSending] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  const files = useAttachments(thread, attach, early)
  const over = useDropped(files.limit ? take : undefined)

  useEffect(() => {
    if (words) localStorage.setItem(kept, words)
    else localStorage.removeItem(kept)
    const area = field.current
    if (!area || GROWS) return
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight, LONGEST_PX)}px`
  }, [words, kept])

  useEffect(() => {
    if (ready && window.matchMedia("(hover: hover)").matches) field.current?.focus()
  }, [ready])

  const [given, setGiven] = useState("")
  if (returned !== given) {
    setGiven(returned)
    setWords((now) => now || parted(returned).text)
  }
  const giveBack = files.giveBack
  useEffect(() => {
    const back = parted(returned).files
    if (back.length) giveBack(back)
    // Only what was given back matters; the function is a new one each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [returned])

  function take(chosen: File[]) {
    const { large, many } = files.add(chosen)
    const first = large[0]
    setProblem(
      first
        ? say("composerTooLarge", { name: first.name, size: sized(first.size, language), most: sized(files.limit, language) })
        : many
          ? say("composerTooMany", { n: MOST })
          : "",
    )
    field.current?.focus()
  }

  const empty = !words.trim() && !files.pieces.length
  const broken = files.pieces.some((one) => one.state === "failed" || one.state === "lost")
  const blocked = empty || broken || sending || words.length > LONGEST

  async function submit(deliver = send) {
    const text = words.trim()
    if (blocked) return
    setProblem("")
    setPasted("")
    setSending(files.pieces.some((one) => one.state !== "there"))
    const attached = await files.arrived()
    setSending(false)
    if (!attached) return
    setWords("")
    files.clear()
    try {
      await deliver(withFiles(text, attached))
    } catch (failure) {
      setWords((now) => (now ? `${text}\n${now}` : text))
      files.giveBack(attached)
      setProblem(`${say("notSent")} ${failure instanceof Error ? failure.message : String(failure)}`)
    }
  }

  function asFile() {
    take([new File([pasted], "pasted.txt", { type: "text/plain" })])
    setWords((now) => now.replace(pasted, ""))
    setPasted("")
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
        <p role="alert" className="pb-2 text-sm text-bad [overflow-wrap:anywhere]">
          {problem}
        </p>
      )}
      <div
        className={`relative rounded-2xl border bg-raised shadow-[0_1px_2px_rgb(0_0_0/0.04),0_6px_20px_-8px_rgb(0_0_0/0.12)] transition-colors focus-within:border-accent ${over ? "border-accent" : "border-line"}`}
      >
        {over && (
          <p className="absolute inset-0 z-10 grid place-items-center rounded-2xl bg-raised/95 text-sm text-accent">{say("composerDrop")}</p>
        )}
        <Pieces pieces={files.pieces} remove={files.remove} retry={files.retry} />
        <textarea
          ref={field}
          rows={1}
          aria-label={say("placeholder")}
          placeholder={say(busy ? "placeholderBusy" : "placeholder")}
          value={words}
          readOnly={sending}
          onChange={(event) => setWords(event.target.value)}
          onPaste={(event) => {
            const found = [...event.clipboardData.files]
            const text = event.clipboardData.getData("text/plain")
            if (found.length && !text && files.limit) {
              event.preventDefault()
              take(found)
            }
            setPasted(text.length > MUCH && files.limit ? text.replace(/\r\n?/g, "\n") : "")
          }}
          onKeyDown={(event) => {
            const composing = event.nativeEvent.isComposing || event.keyCode === 229 // what Safari says after the word
            if (event.key === "Enter" && !event.shiftKey && !composing) {
              event.preventDefault()
              void submit(busy && (event.ctrlKey || event.metaKey) ? steer : send)
            }
            if (event.key === "Escape" && busy && !composing) stop()
            if (event.key === "ArrowUp" && !words && onUp) {
              event.preventDefault()
              onUp()
            }
          }}
          className="quiet block max-h-60 w-full resize-none field-sizing-content bg-transparent px-4 pt-3 pb-1"
        />
        <Length words={words} pasted={words.includes(pasted) ? pasted : ""} asFile={asFile} />
        <div className="flex items-center gap-1 p-2">
          {files.limit > 0 && <AttachButton take={take} />}
          <div className="flex min-w-0 flex-1 items-center gap-1">{tray}</div>
          {fill && <Gauge fill={fill} />}
          <Deliver busy={busy} blocked={blocked} sending={sending} stop={stop} steer={() => void submit(steer)} />
        </div>
      </div>
    </form>
  )
}
