import { Search, Workflow } from "lucide-react"
import { useState } from "react"
import type { Configured } from "../api/graph"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"

const MOST = 200 // on screen; words to find narrow it down

/** All assistants whose graph can be looked at. */
export function Choice({ assistants }: { assistants: Configured[] }) {
  const { say } = useLanguage()
  const [sought, setSought] = useState("")
  const words = sought.trim().toLowerCase()
  const found = assistants.filter((one) => `${one.name} ${one.graph_id} ${one.description ?? ""}`.toLowerCase().includes(words)).slice(0, MOST)
  const groups = GROUPS.map((word) => [word, found.filter((one) => groupOf(one) === word)] as const).filter(([, list]) => list.length)
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto max-w-4xl space-y-5 px-4 py-6 sm:px-6">
        <label className="flex items-center gap-2 rounded-lg border border-line bg-raised px-2.5 text-sm focus-within:border-accent">
          <Search size={15} className="shrink-0 text-soft" aria-hidden />
          <input
            type="search"
            aria-label={say("graphFind")}
            placeholder={say("graphFind")}
            value={sought}
            onChange={(event) => setSought(event.target.value)}
            className="quiet min-h-9 min-w-0 flex-1 bg-transparent pointer-coarse:min-h-11"
          />
        </label>
        {!found.length && <p className="text-sm text-soft">{say(words ? "notFound" : "graphEmpty")}</p>}
        {groups.map(([word, list]) => (
          <section key={word} aria-label={say(word)} className="space-y-2">
            <h2 className="text-xs font-medium text-soft">{say(word)}</h2>
            <ul className="grid gap-2 sm:grid-cols-2">
              {list.map((one) => (
                <li key={one.assistant_id}>
                  <a
                    href={`/graph/${groupOf(one) === "graphAssistants" ? one.assistant_id : encodeURIComponent(one.graph_id)}`}
                    className="flex h-full gap-3 rounded-xl border border-line bg-raised px-4 py-3 text-sm transition-colors hover:border-accent"
                  >
                    <Workflow size={16} className="mt-0.5 shrink-0 text-soft" aria-hidden />
                    <span className="min-w-0">
                      <span className="block font-medium [overflow-wrap:anywhere]">{one.name}</span>
                      <span className="block text-soft [overflow-wrap:anywhere]">{one.description || one.graph_id}</span>
                    </span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  )
}

const GROUPS = ["graphOfServer", "graphWorkflows", "graphAssistants"] as const satisfies Key[]

function groupOf({ metadata }: Configured): (typeof GROUPS)[number] {
  if (metadata?.created_by !== "system") return "graphAssistants"
  return metadata.kind === "workflow" ? "graphWorkflows" : "graphOfServer"
}
