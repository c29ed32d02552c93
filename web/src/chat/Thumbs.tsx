import { ThumbsDown, ThumbsUp } from "lucide-react"
import { use, useId, useState } from "react"
import { feedback } from "../api/client"
import type { Feedback } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { ThreadId } from "./Undo"

const LONGEST = 4000 // characters the server takes

interface Props {
  message: string
  /** What was said of the message before. */
  word: Feedback | undefined
  changed: (message: string, word: Feedback | undefined) => void
  /** What stands in the same line. */
  before?: React.ReactNode
  after?: React.ReactNode
}

/** What a person thinks of a message: a thumb, and why if they like. The same thumb again takes it back. */
export function Thumbs({ message, word, changed, before, after }: Props) {
  const { say } = useLanguage()
  const thread = use(ThreadId)
  const field = useId()
  const [busy, setBusy] = useState(false)
  const [asking, setAsking] = useState(false)
  const [problem, setProblem] = useState("")

  async function attempt(act: () => Promise<Feedback | undefined>, open: boolean) {
    setBusy(true)
    setProblem("")
    try {
      changed(message, await act())
      setAsking(open)
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    } finally {
      setBusy(false)
    }
  }

  function press(score: 1 | -1) {
    if (word?.score !== score) return attempt(() => feedback.put(thread, message, score, word?.comment ?? ""), true)
    return attempt(() => feedback.remove(word.feedback_id).then(() => undefined), false)
  }

  const thumb = (score: 1 | -1, label: string, Icon: typeof ThumbsUp) => (
    <Button
      look="bare"
      className={`size-8 !min-h-0 !p-0 pointer-coarse:size-11 ${word?.score === score ? "text-accent" : ""}`}
      aria-label={label}
      aria-pressed={word?.score === score}
      title={label}
      disabled={busy}
      onClick={() => void press(score)}
    >
      <Icon size={14} aria-hidden />
    </Button>
  )

  return (
    <div className="space-y-2 text-sm" data-testid="thumbs">
      <div className="flex flex-wrap items-center">
        {before}
        {thumb(1, say("thumbUp"), ThumbsUp)}
        {thumb(-1, say("thumbDown"), ThumbsDown)}
        {word && !asking && (
          <Button look="bare" onClick={() => setAsking(true)}>
            {word.comment ? say("commentChange") : say("comment")}
          </Button>
        )}
        {after}
      </div>
      {word && asking && (
        <form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            const comment = String(new FormData(event.currentTarget).get("comment") ?? "").trim()
            void attempt(() => feedback.put(thread, message, word.score, comment), false)
          }}
          onKeyDown={(event) => event.key === "Escape" && setAsking(false)}
        >
          <label htmlFor={field} className="sr-only">
            {say("comment")}
          </label>
          <input
            id={field}
            name="comment"
            maxLength={LONGEST}
            defaultValue={word.comment ?? ""}
            placeholder={say("commentWhy")}
            className="min-h-9 min-w-0 flex-1 rounded-lg border border-line bg-raised px-3 py-1.5"
          />
          <Button type="submit" disabled={busy}>
            {say("commentSave")}
          </Button>
        </form>
      )}
      {problem && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
    </div>
  )
}
