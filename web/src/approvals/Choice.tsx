import { useState } from "react"
import type { Decision } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  options: { id: string; label: string }[]
  sending: boolean
  decide: (decision: Decision) => void
}

/** One of some offers, or words. */
export function Choice({ options, sending, decide }: Props) {
  const { say } = useLanguage()
  const [words, setWords] = useState("")
  return (
    <div className="flex flex-wrap gap-2">
      {options.map((option) => (
        <Button key={option.id} disabled={sending} onClick={() => decide({ type: "respond", message: option.id })}>
          {option.label}
        </Button>
      ))}
      <form
        className="flex min-w-0 flex-1 basis-60 gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (words.trim()) decide({ type: "respond", message: words.trim() })
        }}
      >
        <input
          aria-label={say("answer")}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="min-w-0 flex-1 rounded-lg border border-line bg-page px-3 py-1.5 text-sm pointer-coarse:min-h-11"
        />
        <Button type="submit" disabled={sending || !words.trim()}>
          {say("answer")}
        </Button>
      </form>
    </div>
  )
}
