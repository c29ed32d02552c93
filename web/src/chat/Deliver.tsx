import { ArrowUp, CornerDownRight, LoaderCircle, Square } from "lucide-react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  busy: boolean
  /** There is nothing that could be sent. */
  blocked: boolean
  sending: boolean
  stop: () => void
  steer: () => void
}

/** What sends a message, and what stops the agent that works. */
export function Deliver({ busy, blocked, sending, stop, steer }: Props) {
  const { say } = useLanguage()
  const Icon = sending ? LoaderCircle : ArrowUp
  return (
    <>
      {busy && (
        <Button look="bad" onClick={stop} aria-label={say("stop")} className="shrink-0">
          <Square size={13} fill="currentColor" aria-hidden /> <span className="max-sm:hidden">{say("stop")}</span>
        </Button>
      )}
      {busy && (
        <Button disabled={blocked} aria-label={say("steer")} title={say("steerHint")} onClick={steer} className="shrink-0">
          <CornerDownRight size={14} aria-hidden /> <span className="max-sm:hidden">{say("steer")}</span>
        </Button>
      )}
      <Button
        type="submit"
        look="main"
        className="size-9 shrink-0 !p-0 pointer-coarse:size-11"
        disabled={blocked}
        aria-label={say(busy ? "queue" : "send")}
        title={busy ? say("queue") : undefined}
      >
        <Icon size={18} className={sending ? "turns" : ""} aria-hidden />
      </Button>
    </>
  )
}
