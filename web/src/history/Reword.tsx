import { useEffect, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { COMPOSER, rescue } from "./focus"

interface Props {
  words: string
  /** A question waits for an answer. */
  asked: boolean
  send: (words: string) => Promise<void>
  close: () => void
}

/** A message being said otherwise. Enter sends, Esc leaves it as it was. */
export function Reword({ words, asked, send, close }: Props) {
  const { say } = useLanguage()
  const [draft, setDraft] = useState(words)
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState("")
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    const area = field.current
    area?.focus()
    area?.setSelectionRange(area.value.length, area.value.length)
    return () => rescue(COMPOSER)
  }, [])
  async function submit() {
    const text = draft.trim()
    if (!text || sending) return
    setSending(true)
    setProblem("")
    try {
      await send(text)
    } catch (failure) {
      setProblem(sentence(failure))
      setSending(false)
    }
  }

  return (
    <div role="group" aria-label={say("historyEdit")} className="w-full max-w-[85%] space-y-2 text-sm">
      <textarea
        ref={field}
        rows={Math.min(10, draft.split("\n").length + 1)}
        aria-label={say("historyWords")}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault()
            void submit()
          }
          if (event.key === "Escape") {
            event.stopPropagation()
            close()
          }
        }}
        className="block w-full resize-y rounded-xl border border-line bg-raised px-3 py-2 text-[15px]"
      />
      {asked && <p className="text-warn">{say("historyAsked")}</p>}
      {problem && (
        <p role="alert" className="text-bad">
          {say("notSent")} {problem}
        </p>
      )}
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p className="min-w-0 flex-1 text-soft">{say("historyKept")}</p>
        <Button onClick={close}>{say("cancel")}</Button>
        <Button look="main" disabled={!draft.trim() || sending} onClick={() => void submit()}>
          {say("send")}
        </Button>
      </div>
    </div>
  )
}
