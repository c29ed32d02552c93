import { lazy, Suspense, useCallback, useMemo, useState, useSyncExternalStore } from "react"
import type { Thread } from "../api/types"
import { Answers, Decided, VerdictChanges, VerdictLine } from "../approvals/Answered"
import { useAnswered } from "../approvals/useAnswered"
import { Chat } from "../chat/Chat"
import { type Note, Notes } from "../chat/notes"
import { Banner } from "../history/Banner"
import { Foot } from "../history/Foot"
import { useLanguage } from "../i18n/language"
import type { Said } from "../run/events"
import { Session, type Snapshot } from "../run/session"
import { Boundary } from "./Boundary"
import { Panel } from "./Panel"
import { TABS, type Wanted } from "./tabs"

const Deck = lazy(() => import("../approvals/Deck"))

interface Props {
  id: string
  thread: Thread | undefined
  assistant: string
  workspace: string
  firstWords: string
  changed: () => void
  tray: React.ReactNode
  /** Which tab stands beside the conversation; none: "". */
  tab: string
  show: (tab: string) => void
}

let wishes = 0

/** One conversation, and beside it what it works on. */
export default function Bench({ tab, show, ...chat }: Props) {
  const { say } = useLanguage()
  const [session] = useState(() => new Session(chat.id, chat.changed))
  const now = useSyncExternalStore(session.subscribe, session.snapshot)
  const { assistant, workspace } = chat
  const start = useMemo(
    () => ({ assistant_id: assistant, ...(workspace ? { context: { workspace } } : {}) }),
    [assistant, workspace],
  )
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const openFile = useCallback(
    (path: string, line = 0) => {
      wishes += 1
      setWanted({ path, line, wish: wishes })
      show("files")
    },
    [show],
  )
  const [asked, setAsked] = useState(false)
  if (!asked && now.approvals.length) setAsked(true)
  const { byCall, byMessage, loose } = useAnswered(chat.id, now.approvals)
  const shown = TABS.find((one) => one.id === tab)
  const onScreen = seen(now)
  const foot = useCallback(
    (one: Said) => (
      <>
        <Foot one={one} session={session} start={start} />
        <Decided verdicts={byMessage.get(one.id) ?? []} />
      </>
    ),
    [session, start, byMessage],
  )
  const note = useCallback(
    (callId: string): Note | null => {
      const one = byCall.get(callId)
      if (!one) return null
      return {
        line: (
          <>
            <Answers one={one} />
            <VerdictLine one={one} />
          </>
        ),
        more: <VerdictChanges one={one} />,
      }
    },
    [byCall],
  )
  return (
    <div className="flex min-h-0 flex-1">
      <Notes value={note}>
        <Chat
          {...chat}
          session={session}
          now={onScreen}
          foot={foot}
          openFile={openFile}
          showPlan={() => show("plan")}
          banner={now.shown && <Banner shown={now.shown} session={session} asked={now.approvals.length > 0} />}
          end={<Decided verdicts={loose} />}
          deck={
            asked && (
              <Suspense fallback={null}>
                <Deck session={session} open={onScreen.approvals} assistant={assistant} />
              </Suspense>
            )
          }
        />
      </Notes>
      {shown && (
        <Panel tabs={TABS} tab={shown.id} show={show}>
          <Boundary of={shown.id}>
            <Suspense fallback={<p className="p-4 text-sm text-soft">{say("loading")}</p>}>
              <shown.Body
                thread={chat.id}
                assistant={assistant}
                workspace={workspace}
                session={session}
                now={now}
                wanted={wanted}
              />
            </Suspense>
          </Boundary>
        </Panel>
      )}
    </div>
  )
}

/** What is on screen: the newest state, or one of the past in its place. */
function seen(now: Snapshot): Snapshot {
  const { shown } = now
  if (!shown) return now
  return { ...now, view: shown.view, approvals: [], paused: shown.kind === "branch" ? shown.next : [] }
}
