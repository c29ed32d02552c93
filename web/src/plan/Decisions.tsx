import { useEffect, useState } from "react"
import { type Decided, decisions } from "../api/plan"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Decision } from "./Decision"

interface Props {
  thread: string
  /** What the conversation does: what was decided is read anew when that changes. */
  phase: string
  /** Have the agent go on, with these words. */
  goOn: (words: string) => Promise<void>
}

/** What the person has decided in this conversation, to be changed or taken back. */
export function Decisions({ thread, phase, goOn }: Props) {
  const { say } = useLanguage()
  const [found, setFound] = useState<Decided[] | null>(null)
  const [failed, setFailed] = useState("")
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    let left = false
    decisions.of(thread).then(
      (known) => {
        if (left) return
        setFound(known)
        setFailed("")
      },
      (failure: unknown) => left || setFailed(failure instanceof Error ? failure.message : String(failure)),
    )
    return () => {
      left = true
    }
  }, [thread, phase, attempt])

  const replace = (one: Decided) => setFound((before) => before?.map((old) => (old.id === one.id ? one : old)) ?? null)
  return (
    <section aria-labelledby="plan-decisions" className="space-y-2">
      <h2 id="plan-decisions" className="text-sm font-medium">
        {say("planDecisions")}
      </h2>
      {failed && (
        <div role="alert" className="flex flex-wrap items-center gap-3 text-sm text-bad">
          <p>{failed}</p>
          <Button onClick={() => setAttempt(attempt + 1)}>{say("retry")}</Button>
        </div>
      )}
      {!found && !failed && <p className="beats text-sm text-soft">{say("loading")}</p>}
      {found?.length === 0 && <p className="text-sm text-soft">{say("planNoDecisions")}</p>}
      {found && found.length > 0 && (
        <ul className="space-y-2">
          {found.map((one) => (
            <Decision key={one.id} thread={thread} one={one} changed={replace} goOn={goOn} />
          ))}
        </ul>
      )}
    </section>
  )
}
