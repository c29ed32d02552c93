import { Check, Clock3, MessageSquare, Pencil, X } from "lucide-react"
import type { Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { tag } from "../i18n/language"
import { type Verdict, whoKey } from "./verdicts"

const LOOKS: Record<Verdict["kind"], { Icon: typeof Check; look: string }> = {
  approved: { Icon: Check, look: "text-good" },
  changed: { Icon: Pencil, look: "text-good" },
  parts: { Icon: Check, look: "text-good" },
  rejected: { Icon: X, look: "text-bad" },
  replied: { Icon: MessageSquare, look: "text-soft" },
  answered: { Icon: MessageSquare, look: "text-accent" },
  late: { Icon: Clock3, look: "text-warn" },
  aside: { Icon: Clock3, look: "text-soft" },
}

/** One line: what was decided, by whom and when, and the words that went with it. */
export function VerdictLine({ one }: { one: Verdict }) {
  const { say, language } = useLanguage()
  const { Icon, look } = LOOKS[one.kind]
  const key = whoKey(one.by)
  const who = key ? say(key) : one.by
  const time = new Date(one.at).toLocaleTimeString(tag(language), { hour: "2-digit", minute: "2-digit" })
  return (
    <span className="flex min-w-0 items-start gap-1.5 text-xs text-soft" data-testid="verdict" data-kind={one.kind}>
      <Icon size={13} className={`mt-0.5 shrink-0 ${look}`} aria-hidden />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {words()}
        {one.grant && <span>, {say("askGrant", { what: say(`askScope_${one.grant === "thread" || one.grant === "project" ? one.grant : "always"}`) })}</span>}
        {one.words && <span className="text-ink">: {one.words}</span>} <time dateTime={one.at}>· {time}</time>
      </span>
    </span>
  )
  function words(): string {
    if (one.kind === "late") return say("askLate")
    if (one.kind === "aside") return say("askAside")
    if (one.kind === "changed") return say("askChanged", { who })
    if (one.kind === "parts") return say("askParts", { who, n: one.parts })
    return say(`askKind_${one.kind}`, { who })
  }
}

/** What a person changed in a call before it was made. */
export function VerdictChanges({ one }: { one: Verdict }) {
  const { say } = useLanguage()
  if (!one.changes.length) return null
  return (
    <dl className="space-y-2 font-mono text-[13px]">
      {one.changes.map(({ name, before, after }) => (
        <div key={name}>
          <dt className="text-soft">{name}</dt>
          <dd className="bg-bad-bg px-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
            <span className="sr-only">{say("askWas")}: </span>
            {shown(before)}
          </dd>
          <dd className="bg-good-bg px-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
            <span className="sr-only">{say("askBecame")}: </span>
            {shown(after)}
          </dd>
        </div>
      ))}
    </dl>
  )
}

const shown = (value: Json) => (typeof value === "string" ? value : JSON.stringify(value))

/** What was decided about a question that is no call: each answer as a chip. */
export function Decided({ verdicts }: { verdicts: Verdict[] }) {
  if (!verdicts.length) return null
  return (
    <div className="w-full space-y-1.5">
      {verdicts.map((one) => (
        <div key={one.key} className="space-y-1">
          {one.asked && !one.answers.length && <p className="text-sm [overflow-wrap:anywhere]">{one.asked}</p>}
          <Answers one={one} />
          <VerdictLine one={one} />
        </div>
      ))}
    </div>
  )
}

export function Answers({ one }: { one: Verdict }) {
  const { say } = useLanguage()
  return (
    <ul className="flex flex-wrap gap-1.5 empty:hidden">
      {one.answers.map(({ question, answer }) => (
        <li
          key={question}
          data-testid="decision"
          className="max-w-full rounded-lg border border-line bg-raised px-2.5 py-1 text-sm [overflow-wrap:anywhere]"
        >
          {question && <span className="text-soft">{question} </span>}
          <b className="font-medium">{answer ?? say("askLeftToAgent")}</b>
        </li>
      ))}
    </ul>
  )
}
