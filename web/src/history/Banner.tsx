import { GitBranch, History } from "lucide-react"
import { useLanguage } from "../i18n/language"
import type { Session, Shown } from "../run/session"
import { Button } from "../ui/Button"
import { clock } from "./clock"

interface Props {
  shown: Shown
  session: Session
  /** In the newest state a question waits. */
  asked: boolean
}

/** Says that the state on screen is not the newest one, and leads back. */
export function Banner({ shown, session, asked }: Props) {
  const { say, language } = useLanguage()
  const past = shown.kind === "past"
  const Icon = past ? History : GitBranch
  const time = clock(shown.at, language)
  return (
    <div
      role="status"
      aria-label={say("historyBanner")}
      className={`mb-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl border border-line px-4 py-2 text-sm ${past ? "bg-warn-bg text-warn" : "bg-panel text-soft"}`}
    >
      <Icon size={16} className="shrink-0" aria-hidden />
      <div className="min-w-0 flex-1 basis-56">
        <p className={past ? "font-medium" : "font-medium text-ink"}>{say(past ? "historyPast" : "historyBranch", { time })}</p>
        {!past && <p>{say(shown.next.length ? "historyGoesOn" : "historyGoesOnEnd")}</p>}
        {asked && <p>{say("historyAskedThere")}</p>}
      </div>
      <div className="flex flex-wrap gap-2 text-ink">
        {past && <Button onClick={() => void session.show(shown.checkpoint, "branch")}>{say("historyFork")}</Button>}
        <Button onClick={() => session.back()}>{say("historyNow")}</Button>
      </div>
    </div>
  )
}
