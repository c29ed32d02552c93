import { useEffect, useState, useSyncExternalStore } from "react"
import type { Approval, Decision, Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Session, type Snapshot } from "../run/session"
import { Button } from "../ui/Button"
import { Composer } from "./Composer"
import { Messages } from "./Messages"

const BUSY = new Set<Snapshot["phase"]>(["queued", "processing", "executing"])

interface Props {
  thread: string
  assistant: string
  workspace: string
  firstWords: string
  started: () => void
  changed: () => void
  card: (
    asked: Approval,
    place: string,
    answer: (asked: Approval, decision: Decision) => Promise<boolean>,
    resume: (answer: Json) => Promise<void>,
  ) => React.ReactNode
}

/** One conversation. */
export function Chat({ thread, assistant, workspace, firstWords, started, changed, card }: Props) {
  const { say } = useLanguage()
  const [session] = useState(() => new Session(thread, changed))
  const now = useSyncExternalStore(session.subscribe, session.snapshot)
  const [notice, setNotice] = useState("")
  const busy = BUSY.has(now.phase)
  const start = { assistant_id: assistant, ...(workspace ? { context: { workspace } } : {}) }

  useEffect(() => {
    void (async () => {
      await session.load()
      if (!firstWords) return
      started()
      await session.send(firstWords, start).catch((failure: unknown) => setNotice(String(failure)))
    })()
    return () => session.close()
    // A session lives as long as its chat: what it starts with is what it was made with.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [session])

  async function answer(asked: Approval, decision: Decision) {
    setNotice("")
    const first = await session.answer(asked, decision)
    if (!first) setNotice(say("answeredElsewhere"))
    return first
  }

  const many = now.approvals.length
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Messages view={now.view} busy={busy}>
        {now.view.attempt > 1 && <p className="text-sm text-soft">{say("attempt", { n: now.view.attempt })}</p>}
        {now.view.route?.agent && busy && (
          <p className="text-sm text-soft">
            {say("chosen", { agent: now.view.route.agent, reason: now.view.route.reason })}
          </p>
        )}
        {now.approvals.map((asked, index) => (
          <div key={asked.approval_id}>
            {card(asked, many > 1 ? `${index + 1} / ${many}` : "", answer, (said) => session.resume(assistant, said))}
          </div>
        ))}
        {now.view.error && (
          <p role="alert" className="rounded-lg bg-bad-bg px-3 py-2 text-sm text-bad">
            {say("runFailed")}: {now.view.error.message || now.view.error.error}
          </p>
        )}
        {now.phase === "lost" && (
          <p role="alert" className="space-y-2 text-sm text-bad">
            <span className="block">
              {say("lost")}: {now.notice}
            </span>
            <Button onClick={() => void session.load()}>{say("retry")}</Button>
          </p>
        )}
      </Messages>
      {notice && (
        <p role="status" className="mx-auto w-full max-w-3xl px-4 pb-2 text-sm text-warn">
          {notice}
        </p>
      )}
      <Status phase={now.phase} reconnecting={now.reconnecting} />
      <Composer thread={thread} busy={busy} send={(words) => session.send(words, start)} stop={() => void session.stop()} />
    </div>
  )
}

const WORDS = {
  loading: "loading",
  idle: "idle",
  queued: "queued",
  processing: "processing",
  executing: "executing",
  waiting: "waiting",
  error: "runFailed",
  lost: "lost",
} as const
const DOTS: Partial<Record<Snapshot["phase"], string>> = {
  processing: "bg-accent beats",
  executing: "bg-accent beats",
  queued: "bg-accent",
  waiting: "bg-warn",
  error: "bg-bad",
  lost: "bg-bad",
}

function Status({ phase, reconnecting }: { phase: Snapshot["phase"]; reconnecting: boolean }) {
  const { say } = useLanguage()
  return (
    <p
      aria-live="polite"
      data-testid="status"
      data-phase={phase}
      className="mx-auto flex w-full max-w-3xl items-center gap-2 px-5 pb-1.5 text-xs text-soft"
    >
      <span className={`size-2 rounded-full ${DOTS[phase] ?? "bg-line"}`} aria-hidden />
      {say(WORDS[phase])}
      {reconnecting && <span className="text-warn">· {say("reconnecting")}</span>}
    </p>
  )
}
