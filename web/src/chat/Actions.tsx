import { Check, Copy as CopyIcon, Info } from "lucide-react"
import { useId, useState } from "react"
import type { Feedback } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Said } from "../run/events"
import { Copy } from "../ui/Copy"
import { Details } from "./Details"
import { Thumbs } from "./Thumbs"
import { When } from "./When"

export const ICON =
  "inline-flex size-8 shrink-0 items-center justify-center rounded-lg text-soft transition hover:bg-panel hover:text-ink pointer-coarse:size-11"

interface Props {
  one: Said
  /** They are there without being asked for; else when the message is pointed at or has the focus. */
  shown: boolean
  /** They lie over the corner of what is folded, and take no room. */
  floats: boolean
  word: Feedback | undefined
  judged: ((message: string, word: Feedback | undefined) => void) | undefined
}

/** What one can do with a message of an agent, and when it was said. */
export function Actions({ one, shown, floats, word, judged }: Props) {
  const { say } = useLanguage()
  const id = useId()
  const [open, setOpen] = useState(false)
  const hidden =
    shown || open || word
      ? ""
      : "opacity-0 group-hover/message:opacity-100 group-focus-within/message:opacity-100 pointer-coarse:opacity-100"
  const place = floats && !open
    ? "absolute right-1 -bottom-5 z-1 rounded-lg border border-line bg-raised shadow-sm pointer-coarse:hidden"
    : "-ml-2"
  const rest = (
    <>
      {one.text && <CopyMessage text={one.text} />}
      <button
        type="button"
        className={ICON}
        aria-label={say("chatDetails")}
        title={say("chatDetails")}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Info size={14} aria-hidden />
      </button>
    </>
  )
  return (
    <>
      <div className={`flex items-center transition-opacity ${hidden} ${place}`} data-testid="actions">
        {judged ? (
          <Thumbs message={one.id} word={word} changed={judged} before={rest} after={<When time={one.time} />} />
        ) : (
          <>
            {rest}
            <When time={one.time} />
          </>
        )}
      </div>
      {open && <Details one={one} id={id} />}
    </>
  )
}

/** A button that takes a whole message to the clipboard. */
export function CopyMessage({ text }: { text: string }) {
  const { say } = useLanguage()
  return (
    <Copy text={text} className={ICON} label={say("chatCopyMessage")}>
      {(done) => (done ? <Check size={14} className="text-good" aria-hidden /> : <CopyIcon size={14} aria-hidden />)}
    </Copy>
  )
}
