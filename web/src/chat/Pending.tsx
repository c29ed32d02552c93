import { Check, Clock3, CornerDownRight, Pencil, X } from "lucide-react"
import { useState } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  words: string
  /** Whether the agent hears it between two steps; else it waits for the end of the run. */
  steers: boolean
  remove: () => void
  /** What says it otherwise; without it, it can only be taken back. */
  change?: (words: string) => void
}

/** Words that the agent has not heard yet. */
export function Pending({ words, steers, remove, change }: Props) {
  const { say } = useLanguage()
  const [draft, setDraft] = useState<string | null>(null)
  const Icon = steers ? CornerDownRight : Clock3

  function save() {
    const text = draft?.trim()
    if (text && text !== words) change?.(text)
    setDraft(null)
  }

  return (
    <div className="mb-2 flex items-center gap-2 rounded-lg border border-line bg-panel px-3 py-1 text-sm">
      <Icon size={14} className="shrink-0 text-soft" aria-hidden />
      <span className="shrink-0 text-xs text-soft">{say(steers ? "steered" : "queued")}</span>
      {draft === null ? (
        <span className="min-w-0 flex-1 truncate">{words}</span>
      ) : (
        <input
          autoFocus
          aria-label={say("edit")}
          className="min-w-0 flex-1 rounded border border-line bg-raised px-2 py-1"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) save()
            if (event.key === "Escape") setDraft(null)
          }}
        />
      )}
      {change &&
        (draft === null ? (
          <Button look="bare" aria-label={say("edit")} title={say("edit")} onClick={() => setDraft(words)}>
            <Pencil size={14} aria-hidden />
          </Button>
        ) : (
          <Button look="bare" aria-label={say("save")} title={say("save")} onClick={save}>
            <Check size={14} aria-hidden />
          </Button>
        ))}
      <Button look="bare" aria-label={say("unqueue")} title={say("unqueue")} onClick={remove}>
        <X size={14} aria-hidden />
      </Button>
    </div>
  )
}
