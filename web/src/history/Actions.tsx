import { GitBranch, Pencil } from "lucide-react"
import { useState } from "react"
import type { Checkpoint } from "../api/history"
import { useLanguage } from "../i18n/language"
import { follows, grow } from "../run/branches"
import { sentence, type Session } from "../run/session"
import { Button } from "../ui/Button"
import { clock } from "./clock"
import { Compared } from "./Compared"
import { EditState } from "./EditState"
import { FilesBack } from "./FilesBack"
import { title } from "./Moment"

interface Props {
  one: Checkpoint
  past: readonly Checkpoint[]
  session: Session
  busy: boolean
  head: boolean
}

/** What can be done from a state of the past. */
export function Actions({ one, past, session, busy, head }: Props) {
  const { say, language } = useLanguage()
  const [editing, setEditing] = useState(false)
  const [other, setOther] = useState("")
  const [problem, setProblem] = useState("")
  const id = one.checkpoint_id
  const { nodes } = grow(past)
  const others = past.filter((each) => each.source !== "input" && each.checkpoint_id !== id)
  const reason = busy ? say("historyBusy") : undefined

  function fork() {
    setProblem("")
    session.show(id, "branch").catch((failure: unknown) => setProblem(sentence(failure)))
  }
  return (
    <div className="space-y-3 px-2 pt-1 pb-3 text-sm">
      {one.next.length > 0 && <p className="text-xs text-soft">{say("historyNext", { nodes: one.next.join(", ") })}</p>}
      <div className="flex flex-wrap gap-2">
        {!head && (
          <Button onClick={fork} disabled={busy} title={reason ?? say("historyWarn")}>
            <GitBranch size={14} aria-hidden /> {say("historyFork")}
          </Button>
        )}
        <Button onClick={() => setEditing(true)} disabled={busy} title={reason}>
          <Pencil size={14} aria-hidden /> {say("historyEditFork")}
        </Button>
        {!head && <FilesBack thread={session.thread} checkpoint={id} busy={busy} />}
      </div>
      {!head && <p className="text-xs text-soft">{say("historyWarn")}</p>}
      {others.length > 0 && (
        <label className="flex flex-wrap items-center gap-2 text-soft">
          {say("historyCompare")}
          <select
            value={other}
            onChange={(event) => setOther(event.target.value)}
            className="min-h-9 max-w-full min-w-0 flex-1 rounded-lg border border-line bg-raised px-2 text-ink pointer-coarse:min-h-11"
          >
            <option value="">{say("historyCompareNone")}</option>
            {others.map((each) => (
              <option key={each.checkpoint_id} value={each.checkpoint_id}>
                {clock(each.created_at, language)} · {title(each, nodes.get(follows(nodes, each)), say)}
              </option>
            ))}
          </select>
        </label>
      )}
      {other && <Compared key={other} thread={session.thread} one={id} other={other} />}
      {problem && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      {editing && <EditState session={session} one={one} close={() => setEditing(false)} />}
    </div>
  )
}
