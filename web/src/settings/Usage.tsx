import { useState } from "react"
import { type Sum, usage } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { Empty, Part, Shown } from "./Parts"
import { useLoaded } from "./useLoaded"

const ASKS = {
  day: { word: "setByDay", ask: () => usage("day") },
  agent: { word: "setByAgent", ask: () => usage("agent") },
  model: { word: "setByModel", ask: () => usage("model") },
} as const

/** What calls of models used and cost. */
export function Usage() {
  const { say } = useLanguage()
  const [by, setBy] = useState<keyof typeof ASKS>("day")
  const told = useLoaded(ASKS[by].ask)
  return (
    <Part alone title={say("setUsage")} about={say("setUsageAbout")}>
      <select
        aria-label={say("setBy")}
        value={by}
        onChange={(event) => setBy(event.target.value as keyof typeof ASKS)}
        className="min-h-9 rounded-lg border border-line bg-raised px-2 text-sm pointer-coarse:min-h-11"
      >
        {Object.entries(ASKS).map(([name, { word }]) => (
          <option key={name} value={name}>
            {say(word)}
          </option>
        ))}
      </select>
      <Shown loaded={told}>
        {({ total, groups }) => (groups.length ? <Table total={total} groups={groups} heading={say(ASKS[by].word)} /> : <Empty words={say("setUsageNone")} />)}
      </Shown>
    </Part>
  )
}

function Table({ total, groups, heading }: { total: Sum; groups: Sum[]; heading: string }) {
  const { language, say } = useLanguage()
  const tag = language === "ru" ? "ru" : "en"
  const number = (n: number) => n.toLocaleString(tag)
  const money = (n: number | null) => (n === null ? "—" : n.toLocaleString(tag, { style: "currency", currency: "USD", maximumFractionDigits: 4 }))
  const tokens = (one: Sum) => one.input_tokens + one.output_tokens
  const most = Math.max(1, ...groups.map(tokens))
  const cells = (one: Sum) => (
    <>
      <td className="px-2 py-2 text-right tabular-nums">{number(one.calls)}</td>
      <td className="px-2 py-2 text-right tabular-nums">{number(one.input_tokens)}</td>
      <td className="px-2 py-2 text-right tabular-nums">{number(one.output_tokens)}</td>
      <td className="py-2 pr-4 pl-2 text-right tabular-nums">{money(one.usd)}</td>
    </>
  )
  return (
    <div className="overflow-x-auto rounded-xl border border-line bg-raised" tabIndex={0} role="region" aria-label={`${say("setUsage")}: ${heading}`}>
      <table className="w-full text-sm">
        <thead className="text-xs text-soft">
          <tr className="border-b border-line">
            <th scope="col" className="py-2 pr-2 pl-4 text-left font-medium">
              {heading}
            </th>
            {(["setCalls", "setInput", "setOutput", "setCost"] as const).map((word) => (
              <th key={word} scope="col" className="px-2 py-2 text-right font-medium last:pr-4">
                {say(word)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((one) => (
            <tr key={one.key} className="border-b border-line">
              <th scope="row" className="py-2 pr-2 pl-4 text-left font-normal">
                <span className="[overflow-wrap:anywhere]">{one.key}</span>
                <svg viewBox="0 0 100 4" preserveAspectRatio="none" className="mt-1 block h-1 w-full max-w-48" aria-hidden="true">
                  <rect width={100} height={4} rx={2} className="fill-panel" />
                  <rect width={(tokens(one) / most) * 100} height={4} rx={2} className="fill-accent" />
                </svg>
              </th>
              {cells(one)}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="font-medium">
            <th scope="row" className="py-2 pr-2 pl-4 text-left font-medium">
              {say("setTotal")}
            </th>
            {cells(total)}
          </tr>
        </tfoot>
      </table>
      {total.unpriced > 0 && <p className="border-t border-line px-4 py-2 text-xs text-soft">{say("setUnpriced", { n: total.unpriced })}</p>}
    </div>
  )
}
