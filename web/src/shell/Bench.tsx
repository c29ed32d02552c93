import { Suspense, useCallback, useState, useSyncExternalStore } from "react"
import type { Thread } from "../api/types"
import { ApprovalCard } from "../approvals/ApprovalCard"
import { Chat } from "../chat/Chat"
import { useLanguage } from "../i18n/language"
import { OpenFile } from "../run/opening"
import { Session } from "../run/session"
import { Panel } from "./Panel"
import { TABS, type Wanted } from "./tabs"

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
export function Bench({ tab, show, ...chat }: Props) {
  const { say } = useLanguage()
  const [session] = useState(() => new Session(chat.id, chat.changed))
  const now = useSyncExternalStore(session.subscribe, session.snapshot)
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const openFile = useCallback(
    (path: string, line = 0) => {
      wishes += 1
      setWanted({ path, line, wish: wishes })
      show("files")
    },
    [show],
  )
  const shown = TABS.find((one) => one.id === tab)
  return (
    <OpenFile value={openFile}>
      <div className="flex min-h-0 flex-1">
        <Chat
          {...chat}
          session={session}
          now={now}
          foot={noFoot}
          card={(asked, place, answer, resume) => (
            <ApprovalCard asked={asked} place={place} answer={answer} resume={resume} />
          )}
        />
        {shown && (
          <Panel tabs={TABS} tab={shown.id} show={show}>
            <Suspense fallback={<p className="p-4 text-sm text-soft">{say("loading")}</p>}>
              <shown.Body thread={chat.id} assistant={chat.assistant} workspace={chat.workspace} session={session} now={now} wanted={wanted} />
            </Suspense>
          </Panel>
        )}
      </div>
    </OpenFile>
  )
}

function noFoot(): React.ReactNode {
  return null
}
