import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { agentOf, choices, ORDERS, type Order, type Row, type Wanted } from "./order"

interface Props {
  rows: Row[]
  wanted: Wanted
  want: (wanted: Wanted) => void
}

/** Which questions are shown, and in which order. */
export function Filters({ rows, wanted, want }: Props) {
  const { say } = useLanguage()
  const kinds = choices(rows, (row) => row.kind) as Row["kind"][]
  return (
    <div className="flex flex-wrap gap-2">
      <Choice
        label="inboxKinds"
        value={wanted.kind}
        options={[["", say("inboxAllKinds")], ...kinds.map((one): [string, string] => [one, say(`inboxKind_${one}`)])]}
        choose={(kind) => want({ ...wanted, kind })}
      />
      <Choice
        label="inboxAgents"
        value={wanted.agent}
        options={[["", say("inboxAllAgents")], ...choices(rows, agentOf).map((one): [string, string] => [one, one])]}
        choose={(agent) => want({ ...wanted, agent })}
      />
      <Choice
        label="inboxOrder"
        value={wanted.order}
        options={ORDERS.map((one): [string, string] => [one, say(`inboxOrder_${one}`)])}
        choose={(order) => want({ ...wanted, order: order as Order })}
      />
    </div>
  )
}

interface ChoiceProps {
  label: Key
  value: string
  options: [string, string][]
  choose: (value: string) => void
}

function Choice({ label, value, options, choose }: ChoiceProps) {
  const { say } = useLanguage()
  const known = options.some(([one]) => one === value)
  return (
    <select
      aria-label={say(label)}
      value={value}
      onChange={(event) => choose(event.target.value)}
      className="min-h-9 min-w-0 max-w-full rounded-lg border border-line bg-raised px-2 text-sm pointer-coarse:min-h-11"
    >
      {!known && <option value={value}>{value}</option>}
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  )
}
