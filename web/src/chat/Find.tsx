import { ChevronDown, ChevronUp, X } from "lucide-react"
import { useEffect, useRef } from "react"
import { useLanguage } from "../i18n/language"
import { ICON } from "./Actions"

interface Props {
  words: string
  look: (words: string) => void
  /** Which of those that were found is shown, from 0. */
  at: number
  all: number
  step: (by: 1 | -1) => void
  close: () => void
}

/** Looks for words in the conversation, also where it is not drawn. */
export function Find({ words, look, at, all, step, close }: Props) {
  const { say } = useLanguage()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <div role="search" className="absolute inset-x-2 top-2 z-2 mx-auto flex max-w-md items-center gap-1 rounded-xl border border-line bg-raised p-1.5 shadow-md sm:right-4 sm:left-auto">
      <input
        ref={field}
        type="search"
        aria-label={say("chatFind")}
        placeholder={say("chatFind")}
        value={words}
        onChange={(event) => look(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") close()
          if (event.key === "Enter" && !event.nativeEvent.isComposing) step(event.shiftKey ? -1 : 1)
        }}
        className="min-h-8 min-w-0 flex-1 rounded-lg bg-transparent px-2 text-sm pointer-coarse:min-h-11"
      />
      <span role="status" className="shrink-0 px-1 text-xs text-soft tabular-nums">
        {words.trim() && (all ? say("chatFindAt", { n: at + 1, all }) : say("chatFindNone"))}
      </span>
      <button
        type="button"
        className={ICON}
        aria-label={say("chatFindBefore")}
        title={say("chatFindBefore")}
        disabled={!all}
        onClick={() => step(-1)}
      >
        <ChevronUp size={16} aria-hidden />
      </button>
      <button
        type="button"
        className={ICON}
        aria-label={say("chatFindNext")}
        title={say("chatFindNext")}
        disabled={!all}
        onClick={() => step(1)}
      >
        <ChevronDown size={16} aria-hidden />
      </button>
      <button type="button" className={ICON} aria-label={say("chatFindClose")} title={say("chatFindClose")} onClick={close}>
        <X size={16} aria-hidden />
      </button>
    </div>
  )
}
