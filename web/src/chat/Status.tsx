import type { Route } from "../api/types"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import type { Phase } from "../run/session"

const WORDS: Record<Phase, Key> = {
  loading: "loading",
  idle: "idle",
  queued: "queued",
  processing: "processing",
  executing: "executing",
  stopping: "stopping",
  waiting: "waiting",
  error: "runFailed",
  lost: "lost",
  offline: "lost",
  refused: "refused",
}
const DOTS: Partial<Record<Phase, string>> = {
  processing: "bg-accent beats",
  executing: "bg-accent beats",
  stopping: "bg-bad beats",
  queued: "bg-accent",
  waiting: "bg-warn",
  error: "bg-bad",
  lost: "bg-bad",
  offline: "bg-bad",
  refused: "bg-bad",
}

interface Props {
  phase: Phase
  /** Its place in the queue; 0: none, or not known. */
  position: number
  reconnecting: boolean
  attempt: number
  route: Route | null
}

/** One line that says what goes on; changes of it are read aloud. */
export function Status({ phase, position, reconnecting, attempt, route }: Props) {
  const { say } = useLanguage()
  return (
    <p
      aria-live="polite"
      data-testid="status"
      data-phase={phase}
      className="flex min-w-0 items-center gap-2 px-1 py-1 text-xs text-soft"
    >
      <span className={`size-2 shrink-0 rounded-full ${DOTS[phase] ?? "border border-soft/50"}`} aria-hidden />
      <span className="shrink-0">{say(WORDS[phase])}</span>
      {phase === "queued" && position > 0 && <span className="shrink-0">· {say("chatPlace", { n: position })}</span>}
      {reconnecting && <span className="shrink-0 text-warn">· {say("reconnecting")}</span>}
      {attempt > 1 && <span className="shrink-0">· {say("attempt", { n: attempt })}</span>}
      {route?.agent && <span className="truncate">· {say("chosen", { agent: route.agent, reason: route.reason })}</span>}
    </p>
  )
}
