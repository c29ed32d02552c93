import { ChevronRight, CircleHelp, ListChecks, Plug, ShieldQuestion, X } from "lucide-react"
import { useState } from "react"
import type { Approval } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { agentOf, type Row } from "./order"
import { Ago, Left } from "./When"
import { type Card, Whole } from "./Whole"

const SIGNS: Record<Approval["kind"], typeof CircleHelp> = {
  tool_call: ShieldQuestion,
  question: CircleHelp,
  plan: ListChecks,
  foreign: Plug,
}

interface Props {
  row: Row
  card: Card
  unfolded: (row: Row) => void
  answered: (row: Row) => void
  dismiss: (row: Row) => void
}

/** One question: a line, which unfolds to the whole. */
export function Item({ row, card, unfolded, answered, dismiss }: Props) {
  const { say } = useLanguage()
  const [open, setOpen] = useState(false)
  const [was, setWas] = useState(false) // what is written in it stays when it is folded
  const [late, setLate] = useState(false)
  const Sign = SIGNS[row.kind]
  const gone = row.gone || late

  function toggle() {
    if (!was) unfolded(row)
    setWas(true)
    setOpen(!open)
  }

  return (
    <li className="border-t border-line first:border-t-0" data-testid="waiting">
      <button
        type="button"
        data-row={row.key}
        aria-expanded={open}
        onClick={toggle}
        className="flex min-h-11 w-full items-center gap-2.5 px-3 py-2 text-left text-sm hover:bg-panel"
      >
        <ChevronRight size={15} className={`shrink-0 text-soft transition-transform ${open ? "rotate-90" : ""}`} aria-hidden />
        <Sign size={16} className={`shrink-0 ${gone ? "text-soft" : "text-warn"}`} aria-hidden />
        <span className="min-w-0 flex-1">
          <span className="flex min-w-0 flex-wrap items-baseline gap-x-2">
            <span className="font-medium">{row.tool ?? say(`inboxKind_${row.kind}`)}</span>
            <span
              className={`line-clamp-2 min-w-0 max-w-full [overflow-wrap:anywhere] sm:line-clamp-1 ${row.kind === "tool_call" ? "font-mono text-[13px]" : ""} ${gone ? "text-soft line-through" : ""}`}
            >
              {row.about}
            </span>
          </span>
          <span className="flex flex-wrap gap-x-3 text-xs text-soft sm:hidden">
            <Figures row={row} />
          </span>
        </span>
        <span className="hidden shrink-0 gap-3 text-xs text-soft sm:flex">
          <Figures row={row} />
        </span>
      </button>
      {was && (
        <div hidden={!open} className="space-y-3 px-3 pb-3">
          {gone && (
            <div className="flex flex-wrap items-center gap-2 text-sm text-warn">
              <p role="status">{say("inboxElsewhere")}</p>
              <Button className="ml-auto" onClick={() => dismiss(row)}>
                <X size={14} aria-hidden /> {say("inboxDismiss")}
              </Button>
            </div>
          )}
          {!late && <Whole row={row} card={card} answered={() => answered(row)} late={() => setLate(true)} />}
        </div>
      )}
    </li>
  )
}

function Figures({ row }: { row: Row }) {
  return (
    <>
      <span>{agentOf(row)}</span>
      <Ago at={row.asked_at} />
      {row.expires_at && <Left until={row.expires_at} />}
    </>
  )
}
