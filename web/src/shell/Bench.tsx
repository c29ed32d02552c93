import { Suspense, useState, useSyncExternalStore } from "react"
import type { Thread } from "../api/types"
import { ApprovalCard } from "../approvals/ApprovalCard"
import { Chat } from "../chat/Chat"
import { useLanguage } from "../i18n/language"
import { Session } from "../run/session"
import { Boundary } from "./Boundary"
import { Panel } from "./Panel"
import { TABS } from "./tabs"

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
  const shown = TABS.find((one) => one.id === tab)
  return (
    <div className="flex min-h-0 flex-1">
      <Chat
        {...chat}
        session={session}
        now={now}
        foot={noFoot}
        showPlan={() => show("plan")}
        card={(asked, place, answer, resume) => (
          <ApprovalCard asked={asked} place={place} answer={answer} resume={resume} />
        )}
      />
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

function noFoot(): React.ReactNode {
  return null
}
