import { useEffect, useMemo, useState } from "react"
import { type Asked, asked, beginnings } from "../api/approvals"
import type { Approval } from "../api/types"
import { type Verdict, verdictsOf } from "./verdicts"

const ALL = 100 // questions of a thread looked at when it is opened
const NEWEST = 20 // and when one of them is answered

/** What was answered on a thread, by the call it was about; the rest by the words of the person it came from. */
export interface Answered {
  byCall: ReadonlyMap<string, Verdict>
  byMessage: ReadonlyMap<string, Verdict[]>
  /** Of those that have no place. */
  loose: Verdict[]
}

export function useAnswered(thread: string, open: Approval[]): Answered {
  const [rows, setRows] = useState<ReadonlyMap<string, Asked>>(new Map())
  const [said, setSaid] = useState<ReadonlyMap<string, string>>(new Map())
  const waiting = open.map((one) => one.approval_id).join(" ")

  useEffect(() => {
    let gone = false
    asked(thread, rows.size ? NEWEST : ALL)
      .then((found) => {
        if (gone) return
        setRows((before) => new Map([...before, ...found.map((one) => [one.approval_id, one] as const)]))
      })
      .catch(() => undefined) // no word of them: the conversation is as if nothing was asked
    return () => {
      gone = true
    }
    // What is known already decides only how many are looked at.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [thread, waiting])

  const verdicts = useMemo(() => [...rows.values()].flatMap(verdictsOf), [rows])
  const placeless = verdicts.some((one) => !one.callId)
  useEffect(() => {
    let gone = false
    if (!placeless) return
    beginnings(thread)
      .then((found) => !gone && setSaid(found))
      .catch(() => undefined) // then they stand at the end
    return () => {
      gone = true
    }
  }, [thread, placeless])

  return useMemo(() => placed(verdicts, said, [...rows.values()]), [verdicts, said, rows])
}

/** Put each verdict where it belongs; a run that carried an answer goes back to the one that asked. */
export function placed(verdicts: Verdict[], said: ReadonlyMap<string, string>, rows: Pick<Asked, "run_id" | "answer_run_id">[]): Answered {
  const before = new Map(rows.flatMap((row) => (row.answer_run_id ? [[row.answer_run_id, row.run_id]] : [])))
  const byCall = new Map<string, Verdict>()
  const byMessage = new Map<string, Verdict[]>()
  const loose: Verdict[] = []
  for (const one of [...verdicts].sort((a, b) => a.at.localeCompare(b.at))) {
    let run: string | undefined = one.run
    for (const seen = new Set<string>(); run && !said.has(run) && !seen.has(run); run = before.get(run)) seen.add(run)
    const message = run && said.get(run)
    if (one.callId) byCall.set(one.callId, one)
    else if (message) byMessage.set(message, [...(byMessage.get(message) ?? []), one])
    else loose.push(one)
  }
  return { byCall, byMessage, loose }
}
