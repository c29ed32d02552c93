import { CircleAlert, Play, RotateCcw, Search } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import { upload } from "../api/attachments"
import type { Thread } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Away } from "../offline/Away"
import { parted, withFiles } from "../run/attached"
import type { Said } from "../run/events"
import { sentence, type Session, type Snapshot } from "../run/session"
import type { OpenFile } from "../ui/Markdown"
import { Button } from "../ui/Button"
import { ICON } from "./Actions"
import { Composer } from "./Composer"
import { Messages } from "./Messages"
import { Pending } from "./Pending"
import { ThreadId } from "./Undo"
import { Status } from "./Status"
import { Todos } from "./Todos"

const BUSY = new Set<Snapshot["phase"]>(["queued", "processing", "executing", "stopping"])

interface Props {
  session: Session
  now: Snapshot
  id: string
  /** The thread as the list last saw it. */
  thread: Thread | undefined
  assistant: string
  workspace: string
  firstWords: string
  tray: React.ReactNode
  foot: (one: Said) => React.ReactNode
  /** Show the whole plan beside the conversation. */
  showPlan?: () => void
  /** Shows a file beside the conversation; without it a press on one copies its path. */
  openFile?: OpenFile
  /** What is said of the state on screen, if it is not the newest. */
  banner: React.ReactNode
  /** What waits for the person, above where they write. */
  deck: React.ReactNode
  /** What stands at the end of the conversation. */
  end: React.ReactNode
}

/** One conversation. */
export function Chat(props: Props) {
  const { session, now, id, thread, assistant, workspace, firstWords, tray, foot, showPlan, banner, deck, end } = props
  const { openFile = copied } = props
  const { say } = useLanguage()
  const [notice, setNotice] = useState("")
  const [returned, setReturned] = useState("")
  const [finding, setFinding] = useState(false)
  const finder = useRef<HTMLButtonElement>(null)
  const busy = BUSY.has(now.phase)
  const start = { assistant_id: assistant, ...(workspace ? { context: { workspace } } : {}) }

  useEffect(() => {
    const begun = firstWords ? session.greet(firstWords, start) : session.load()
    begun.catch((failure: unknown) => {
      setReturned(firstWords)
      setNotice(sentence(failure))
      void session.load()
    })
    return () => session.close()
    // A session lives as long as its chat: what it starts with is what it was made with.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [session])

  useEffect(() => {
    if (thread) session.noticed(thread)
  }, [session, thread])

  const attempt = (act: Promise<void>) => void act.catch((failure: unknown) => setNotice(sentence(failure)))

  return (
    <div className={`flex min-h-0 min-w-0 flex-1 flex-col ${now.shown?.kind === "past" ? "[&>:last-child]:hidden" : ""}`}>
      <Away at={now.keptAt} />
      <ThreadId value={id}>
        <Messages
          view={now.view}
          busy={busy}
          loading={now.phase === "loading"}
          asked={asking(now)}
          sending={now.sending}
          foot={foot}
          openFile={openFile}
          finding={finding}
          find={(wanted) => {
            setFinding(wanted)
            if (!wanted) finder.current?.focus()
          }}
        >
          {end}
          {now.paused.length > 0 && (
            <div className="flex flex-wrap items-center gap-3 rounded-xl border border-line bg-panel px-4 py-3 text-sm">
              <span>{say("paused", { step: now.paused.join(", ") })}</span>
              <Button onClick={() => attempt(session.goOn(start))}>
                <Play size={14} aria-hidden /> {say("goOn")}
              </Button>
            </div>
          )}
          {now.view.error && (
            <div role="alert" className="flex gap-3 rounded-xl border border-bad/30 bg-bad-bg px-4 py-3 text-sm text-bad">
              <CircleAlert size={18} className="mt-0.5 shrink-0" aria-hidden />
              <div className="min-w-0 flex-1 space-y-2">
                <p className="font-medium">{say("runFailed")}</p>
                <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{now.view.error.message || now.view.error.error}</p>
                {!busy && (
                  <Button onClick={() => attempt(session.goOn(start))}>
                    <RotateCcw size={14} aria-hidden /> {say("retry")}
                  </Button>
                )}
              </div>
            </div>
          )}
          {(now.phase === "lost" || now.phase === "refused") && (
            <div role="alert" className="space-y-2 rounded-xl border border-line bg-panel px-4 py-3 text-sm">
              <p className="text-bad">
                {say(now.phase)}: {now.notice}
              </p>
              <Button onClick={() => void session.load()}>
                <RotateCcw size={14} aria-hidden /> {say("retry")}
              </Button>
            </div>
          )}
        </Messages>
      </ThreadId>
      <div className="mx-auto w-full max-w-3xl px-4">
        <p role="status" className={notice ? "pb-2 text-sm text-warn" : "sr-only"}>
          {notice}
        </p>
        {now.steered.map((one) => (
          <Pending
            key={one.steering_id}
            words={parted(one.text).text}
            steers
            remove={() => attempt(session.unsteer(one))}
            change={(words) => attempt(session.resteer(one, withFiles(words, parted(one.text).files)))}
          />
        ))}
        {now.queued.map((one) => (
          <Pending key={one.run} words={one.words} steers={false} remove={() => attempt(session.unqueue(one))} />
        ))}
        {banner}
        <Todos view={now.view} still={!busy} open={showPlan} />
        <div className="flex items-center justify-between gap-2 pb-1">
          <Status
            phase={now.phase}
            position={now.position}
            reconnecting={now.reconnecting}
            attempt={busy ? now.view.attempt : 1}
            route={busy ? now.view.route : null}
          />
          {(now.view.root.length > 0 || now.view.live.length > 0) && (
            <button
              ref={finder}
              type="button"
              className={ICON}
              aria-label={say("chatFind")}
              title={say("chatFind")}
              aria-expanded={finding}
              onClick={() => setFinding(!finding)}
            >
              <Search size={14} aria-hidden />
            </button>
          )}
        </div>
      </div>
      {deck}
      <Composer
        thread={id}
        busy={busy}
        returned={returned}
        ready={firstWords !== ""}
        send={(words) => session.send(words, start)}
        steer={(words) => session.steer(words, start)}
        stop={() => attempt(session.stop())}
        onUp={() => session.editLast()}
        tray={tray}
        fill={now.view.fill}
        attach={(file, told, signal) => upload(id, workspace, file, told, signal)}
        early
      />
    </div>
  )
}

function copied(path: string, line: number) {
  void navigator.clipboard.writeText(line ? `${path}:${line}` : path)
}

/** Ids of the tool calls that wait for an answer. */
function asking(now: Snapshot): ReadonlySet<string> {
  const ids = now.approvals.map((one) => (one.value as { tool_call_id?: string } | null)?.tool_call_id ?? "")
  return new Set(ids.filter(Boolean))
}
