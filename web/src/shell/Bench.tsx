import { lazy, Suspense, useCallback, useState, useSyncExternalStore } from "react"
import type { Thread } from "../api/types"
import { Answers, Decided, VerdictChanges, VerdictLine } from "../approvals/Answered"
import { useAnswered } from "../approvals/useAnswered"
import { Chat } from "../chat/Chat"
import { type Note, Notes } from "../chat/notes"
import { useLanguage } from "../i18n/language"
import type { Said } from "../run/events"
import { Session } from "../run/session"
import { Boundary } from "./Boundary"
import { Panel } from "./Panel"
import { TABS } from "./tabs"

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

/** One conversation, and beside it what it works on. */
export function Bench({ tab, show, ...chat }: Props) {
  const { say } = useLanguage()
  const [session] = useState(() => new Session(chat.id, chat.changed))
  const now = useSyncExternalStore(session.subscribe, session.snapshot)
  const [asked, setAsked] = useState(false)
  if (!asked && now.approvals.length) setAsked(true)
  const { byCall, byMessage, loose } = useAnswered(chat.id, now.approvals)
  const shown = TABS.find((one) => one.id === tab)
  const foot = useCallback((one: Said) => <Decided verdicts={byMessage.get(one.id) ?? []} />, [byMessage])
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
          now={now}
          foot={foot}
          showPlan={() => show("plan")}
          end={<Decided verdicts={loose} />}
          deck={
            asked && (
              <Suspense fallback={null}>
                <Deck session={session} open={now.approvals} assistant={chat.assistant} />
              </Suspense>
            )
          }
        />
      </Notes>
      {shown && (
        <Panel tabs={TABS} tab={shown.id} show={show}>
          <Boundary of={shown.id}>
            <Suspense fallback={<p className="p-4 text-sm text-soft">{say("loading")}</p>}>
              <shown.Body thread={chat.id} assistant={chat.assistant} workspace={chat.workspace} session={session} now={now} />
            </Suspense>
          </Boundary>
        </Panel>
      )}
    </div>
  )
}
