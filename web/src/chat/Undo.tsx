import { Undo2 } from "lucide-react"
import { createContext, use, useEffect, useState } from "react"
import { changes } from "../api/client"
import type { Change, Restored } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

/** The thread on screen. */
export const ThreadId = createContext("")

interface Props {
  callId: string
}

/** Takes back what a tool call did to the files, if it did anything that was kept. */
export function Undo({ callId }: Props) {
  const { say } = useLanguage()
  const thread = use(ThreadId)
  const [change, setChange] = useState<Change | null>(null)
  const [done, setDone] = useState<Restored | null>(null)
  const [problem, setProblem] = useState("")
  const [busy, setBusy] = useState(false)

  useEffect(() => {
    let gone = false
    changes
      .of(thread, callId)
      .then(([found]) => !gone && setChange(found ?? null))
      .catch(() => undefined) // no word of a change: nothing to take back
    return () => {
      gone = true
    }
  }, [thread, callId])

  async function takeBack(force: boolean) {
    if (!change) return
    setBusy(true)
    setProblem("")
    try {
      setDone(await changes.undo(thread, change.change_id, force))
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    } finally {
      setBusy(false)
    }
  }

  if (!change || change.problem) return change && <p className="text-sm text-soft">{say("notKept")}</p>
  const back = done?.changed.map((one) => one.path).join(", ")
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm" role="status">
      {change.undone || (done && back && !done.conflicts.length) ? (
        <span className="text-soft">{back ? say("takenBack", { files: back }) : say("undone")}</span>
      ) : (
        <Button disabled={busy} onClick={() => void takeBack(done !== null)}>
          <Undo2 size={14} aria-hidden /> {say(done ? "undoForced" : "undo")}
        </Button>
      )}
      {done?.conflicts.map((one) => (
        <span key={one.path} className="text-warn">
          {one.path}: {one.reason}
        </span>
      ))}
      {problem && (
        <span role="alert" className="text-bad">
          {problem}
        </span>
      )}
    </div>
  )
}
