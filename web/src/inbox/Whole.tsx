import { useEffect, useState } from "react"
import { decide, resume, whole } from "../api/inbox"
import { Refused } from "../api/client"
import type { Approval, Decision, Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import type { Row } from "./order"

export type Card = (
  asked: Approval,
  answer: (asked: Approval, decision: Decision) => Promise<boolean>,
  resume: (answer: Json) => Promise<void>,
) => React.ReactNode

interface Props {
  row: Row
  card: Card
  answered: () => void
  /** Nobody asks it any more. */
  late: () => void
}

/** A question with all that belongs to it, fetched when it is unfolded. */
export function Whole({ row, card, answered, late }: Props) {
  const { say } = useLanguage()
  const [asked, setAsked] = useState<Approval | null>(null)
  const [failed, setFailed] = useState("")

  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    whole(row).then(
      (found) => (found ? setAsked(found) : late()),
      (failure: unknown) => {
        if (isLate(failure)) late()
        else setFailed(failure instanceof Error ? failure.message : String(failure))
      },
    )
    // The question of a key never changes; what is passed down does, at each look.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [row.key, attempt])

  function again() {
    setFailed("")
    setAttempt(attempt + 1)
  }

  async function answer(one: Approval, decision: Decision): Promise<boolean> {
    try {
      await decide(one, decision)
    } catch (failure) {
      if (!isLate(failure)) throw failure
      late()
      return false
    }
    answered()
    return true
  }

  if (failed) {
    return (
      <div role="alert" className="flex flex-wrap items-center gap-3 text-sm text-bad">
        <p>{failed}</p>
        <Button onClick={again}>{say("retry")}</Button>
      </div>
    )
  }
  if (!asked) return <p className="beats text-sm text-soft">{say("loading")}</p>
  return card(asked, answer, async (said) => {
    await resume(row, said)
    answered()
  })
}

function isLate(failure: unknown): boolean {
  return failure instanceof Refused && [404, 409].includes(failure.status)
}
