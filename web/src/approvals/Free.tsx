import { useState } from "react"
import type { Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  /** It is asked in words, so words are the likely answer. */
  inWords: boolean
  sending: boolean
  send: (answer: Json) => void
}

/** An answer to a question that says nothing of its form: words, or any JSON. */
export function Free({ inWords, sending, send }: Props) {
  const { say } = useLanguage()
  const [text, setText] = useState("")
  const [form, setForm] = useState<"text" | "json">(inWords ? "text" : "json")
  const [wrong, setWrong] = useState(false)
  const said = form === "text" ? text.trim() : text
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault()
        if (form === "text") return void (said && send(said))
        try {
          const value = JSON.parse(said) as Json
          setWrong(false)
          send(value)
        } catch {
          setWrong(true)
        }
      }}
    >
      <div role="radiogroup" aria-label={say("askForm")} className="flex flex-wrap items-center gap-x-4 text-sm">
        {(["text", "json"] as const).map((one) => (
          <label key={one} className="flex min-h-8 items-center gap-1.5 pointer-coarse:min-h-11">
            <input
              type="radio"
              className="size-4 accent-accent"
              checked={form === one}
              onChange={() => {
                setForm(one)
                setWrong(false)
              }}
            />
            {say(one === "text" ? "askText" : "askJson")}
          </label>
        ))}
      </div>
      <textarea
        aria-label={say("answer")}
        aria-invalid={wrong || undefined}
        rows={Math.min(10, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={`block w-full resize-y rounded-lg border border-line bg-page p-2 ${form === "json" ? "font-mono text-[13px]" : "text-sm"}`}
      />
      {wrong && (
        <p role="alert" className="text-sm text-bad">
          {say("notJson")}
        </p>
      )}
      <Button type="submit" look="main" disabled={sending || !said.trim()}>
        {say("answer")}
      </Button>
    </form>
  )
}
