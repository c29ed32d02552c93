import { SendHorizontal, Square } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  thread: string
  busy: boolean
  send: (words: string) => Promise<void>
  stop: () => void
}

const LONGEST_PX = 240

/** Where a person writes. The draft is kept per thread, and comes back when sending fails. */
export function Composer({ thread, busy, send, stop }: Props) {
  const { say } = useLanguage()
  const kept = `artel.draft.${thread}`
  const [words, setWords] = useState(() => sessionStorage.getItem(kept) ?? "")
  const [problem, setProblem] = useState("")
  const field = useRef<HTMLTextAreaElement>(null)

  useEffect(() => {
    sessionStorage.setItem(kept, words)
    const area = field.current
    if (!area) return
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight, LONGEST_PX)}px`
  }, [words, kept])

  async function submit() {
    const said = words.trim()
    if (!said) return
    setWords("")
    setProblem("")
    try {
      await send(said)
    } catch (failure) {
      setWords(said)
      setProblem(failure instanceof Error ? failure.message : String(failure))
    }
  }

  return (
    <form
      className="mx-auto w-full max-w-3xl px-4 pb-4"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {problem && (
        <p role="alert" className="pb-2 text-sm text-bad">
          {problem}
        </p>
      )}
      <div className="flex items-end gap-2 rounded-2xl border border-line bg-raised p-2 shadow-sm focus-within:border-accent">
        <textarea
          ref={field}
          rows={1}
          aria-label={say("placeholder")}
          placeholder={say("placeholder")}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault()
              void submit()
            }
            if (event.key === "Escape" && busy) stop()
          }}
          className="min-w-0 flex-1 resize-none bg-transparent px-2 py-1.5 outline-none"
        />
        {busy && (
          <Button look="bad" onClick={stop} aria-label={say("stop")}>
            <Square size={14} fill="currentColor" aria-hidden /> {say("stop")}
          </Button>
        )}
        <Button type="submit" look="main" disabled={!words.trim()} aria-label={say("send")}>
          <SendHorizontal size={16} aria-hidden />
        </Button>
      </div>
    </form>
  )
}
