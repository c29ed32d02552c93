import { useEffect, useState } from "react"
import { chains, type Configured, roles } from "../api/graph"
import { useLanguage } from "../i18n/language"
import type { Model } from "./model"

interface Known {
  model: string[]
  role: string
  tools: string[]
}

/** What the server says of an assistant. */
export function Facts({ assistant, model }: { assistant: Configured; model: Model | null }) {
  const { say } = useLanguage()
  const [known, setKnown] = useState<Known | null>(null)
  useEffect(() => {
    let gone = false
    void ask(assistant).then((told) => gone || setKnown(told))
    return () => void (gone = true)
  }, [assistant])
  const tools = [...new Set([...(known?.tools ?? []), ...(model?.nodes.flatMap((one) => one.tools) ?? [])])]
  const facts = [
    ["graphVersion", String(assistant.version)],
    ["graphModel", known?.model.join(" → ")],
    ["graphRole", known?.role],
  ] as const
  return (
    <section aria-label={say("graphFacts")} className="space-y-2 text-sm">
      {assistant.description && <p className="text-soft">{assistant.description}</p>}
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1">
        {facts.map(
          ([word, value]) =>
            value && (
              <div key={word} className="contents">
                <dt className="text-soft">{say(word)}</dt>
                <dd className="[overflow-wrap:anywhere]">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {tools.length > 0 && (
        <details>
          <summary className="min-h-6 text-soft hover:text-ink">
            {say("graphTools")} · {tools.length}
          </summary>
          <p className="pt-1 font-mono text-[13px] leading-6 [overflow-wrap:anywhere]">{tools.join(", ")}</p>
        </details>
      )}
    </section>
  )
}

/** A server of foreign graphs knows neither roles nor models: then nothing is said of them. */
async function ask({ graph_id: graph, context = {} }: Configured): Promise<Known> {
  const [told, all] = await Promise.all([chains().catch(() => null), roles().catch(() => [])])
  const named = typeof context["role"] === "string" ? context["role"] : graph
  const role = all.find((one) => one.name === named)
  const wished = typeof context["model"] === "string" ? [context["model"]] : null
  const chain = told?.agents[named] ?? told?.agents[graph] ?? []
  return { model: wished ?? chain, role: role?.title ?? "", tools: role?.tools ?? [] }
}
