import { FolderSync } from "lucide-react"
import { useState } from "react"
import { changes } from "../api/client"
import { checkpoints, type PutBack } from "../api/history"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"

interface Props {
  thread: string
  checkpoint: string
  busy: boolean
}

/** Makes the files of the workspace what they were at a state of the past, and takes that back. */
export function FilesBack({ thread, checkpoint, busy }: Props) {
  const { say } = useLanguage()
  const [done, setDone] = useState<PutBack | null>(null)
  const [undone, setUndone] = useState(false)
  const [problem, setProblem] = useState("")
  const [working, setWorking] = useState(false)

  async function attempt(act: () => Promise<void>) {
    setWorking(true)
    setProblem("")
    await act().catch((failure: unknown) => setProblem(sentence(failure)))
    setWorking(false)
  }
  const put = (force: boolean) =>
    attempt(async () => {
      setDone(await checkpoints.files(thread, checkpoint, force))
      setUndone(false)
    })
  const takeBack = (change: string) =>
    attempt(async () => {
      await changes.undo(thread, change, false)
      setUndone(true)
    })

  const files = done?.changed.map((one) => one.path).join(", ")
  const change = done?.change_id
  return (
    <>
      <Button disabled={busy || working} title={busy ? say("historyBusy") : undefined} onClick={() => void put(false)}>
        <FolderSync size={14} aria-hidden /> {say("historyFiles")}
      </Button>
      <div className="w-full space-y-1 empty:hidden" role="status">
        {done && (
          <p className="[overflow-wrap:anywhere] text-soft">
            {undone ? say("historyFilesUndone") : files ? say("historyFilesDone", { files }) : say("historyFilesNone")}
          </p>
        )}
        {[...(done?.conflicts ?? [])].map((one) => (
          <p key={one.path} className="text-warn">
            {one.path}: {one.reason}
          </p>
        ))}
        {done?.problems.map((one) => (
          <p key={one} className="text-warn">
            {one}
          </p>
        ))}
        {problem && <p className="text-bad">{problem}</p>}
      </div>
      {done && done.conflicts.length > 0 && (
        <Button look="bad" disabled={busy || working} onClick={() => void put(true)}>
          {say("historyFilesForce")}
        </Button>
      )}
      {change && !undone && (
        <Button disabled={busy || working} onClick={() => void takeBack(change)}>
          {say("historyFilesBack")}
        </Button>
      )}
    </>
  )
}
