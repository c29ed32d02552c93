import { use, useEffect, useState } from "react"
import { usedBy, type Used } from "../api/usage"
import { tag, useLanguage } from "../i18n/language"
import type { Said } from "../run/events"
import { speed } from "../run/facts"
import { ThreadId } from "./Undo"

/** What is known of the call of a model behind a message, and of what the conversation has used. */
export function Details({ one, id }: { one: Said; id: string }) {
  const { say, language } = useLanguage()
  const thread = use(ThreadId)
  const [whole, setWhole] = useState<Used | null>(null)
  useEffect(() => {
    let gone = false
    usedBy(thread)
      .then((found) => !gone && setWhole(found))
      .catch(() => undefined) // nobody counts here
    return () => {
      gone = true
    }
  }, [thread, one])

  const { facts, pace } = one
  const { wait, rate } = speed(pace, facts?.output ?? 0)
  const number = (n: number, digits = 0) => n.toLocaleString(tag(language), { maximumFractionDigits: digits })
  const price = (usd: number | null) =>
    usd === null
      ? say("chatUnpriced")
      : usd.toLocaleString(tag(language), { style: "currency", currency: "USD", maximumFractionDigits: 4 })
  const input = facts && number(facts.input) + (facts.cached ? ` (${say("chatCached", { n: number(facts.cached) })})` : "")
  const turn = facts?.turn
  const rows = [
    facts?.model && [say("chatModel"), facts.model],
    wait !== null && [say("chatFirst"), say("seconds", { n: number(wait, 2) })],
    rate !== null && [say("chatRate"), say("chatRateOf", { n: number(rate, 1) })],
    input && [say("chatInput"), input],
    facts && [say("chatOutput"), number(facts.output)],
    turn && [say("chatTurn"), `${say("chatTurnOf", { steps: turn.steps, tokens: turn.tokens })}, ${price(turn.usd)}`],
    whole?.calls && [
      say("chatWhole"),
      `${say("chatWholeOf", { n: whole.input_tokens + whole.output_tokens })}, ${price(whole.usd)}`,
    ],
  ].filter((row) => Array.isArray(row))
  return (
    <div id={id} role="group" aria-label={say("chatDetails")} className="w-full rounded-lg border border-line bg-panel px-3 py-2">
      {rows.length ? (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
          {rows.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-soft">{name}</dt>
              <dd className="tabular-nums [overflow-wrap:anywhere]">{value}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <p className="text-sm text-soft">{say("chatUnknown")}</p>
      )}
    </div>
  )
}
