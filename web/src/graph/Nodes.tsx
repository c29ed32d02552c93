import { useLanguage, type Say } from "../i18n/language"
import type { Look, Mark } from "./marks"
import type { Edge, Model, Node } from "./model"

interface Props {
  model: Model
  marks: ReadonlyMap<string, Mark>
  chosen: string
  seek: (id: string) => void
}

const TELLS: Record<Exclude<Look, "passed">, "graphRunning" | "graphWaiting" | "graphFailed"> = {
  running: "graphRunning",
  waiting: "graphWaiting",
  failed: "graphFailed",
}
const COLOURS: Record<Look, string> = { running: "text-accent", waiting: "text-warn", failed: "text-bad", passed: "text-good" }

/** The graph in words: every node, where it leads to, and what the run did there. */
export function Nodes({ model, marks, chosen, seek }: Props) {
  const { say } = useLanguage()
  const named = new Map(model.nodes.map((one) => [one.id, nameOf(one, say)]))
  const from = leaving(model.edges)
  return (
    <section aria-labelledby="graph-nodes">
      <h2 id="graph-nodes" className="text-sm font-semibold">
        {say("graphNodes")}
      </h2>
      <p className="pb-2 text-xs text-soft">{say("graphCount", { n: model.nodes.length, edges: model.edges.length })}</p>
      <ul className="space-y-0.5">
        {model.nodes.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              aria-pressed={one.id === chosen}
              onClick={() => seek(one.id)}
              className={`min-h-9 w-full rounded-lg px-2.5 py-1.5 text-left text-sm pointer-coarse:min-h-11 ${one.id === chosen ? "bg-accent/12" : "hover:bg-panel"}`}
            >
              <span className="font-mono text-[13px] font-medium [overflow-wrap:anywhere]">{named.get(one.id)}</span>
              <Marked mark={marks.get(one.id)} />
              <span className="block text-xs text-soft [overflow-wrap:anywhere]">{leads(from.get(one.id) ?? [], named, say)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Marked({ mark }: { mark: Mark | undefined }) {
  const { say } = useLanguage()
  if (!mark) return null
  const passed = mark.pass ? say(mark.pass.count > 1 ? "graphOften" : "graphPassed", { order: mark.pass.order, n: mark.pass.count }) : ""
  const now = mark.look === "passed" ? "" : say(TELLS[mark.look])
  return <span className={`block text-xs ${COLOURS[mark.look]}`}>{[now, passed].filter(Boolean).join("; ")}</span>
}

function leads(edges: Edge[], named: Map<string, string>, say: Say): string {
  const to = (one: Edge) => {
    const name = named.get(one.to) ?? one.to
    return one.when ? say("graphWhen", { to: name, when: one.when }) : name
  }
  const always = edges.filter((one) => !one.conditional).map(to)
  const maybe = edges.filter((one) => one.conditional).map(to)
  return [
    always.length ? say("graphAlways", { to: always.join(", ") }) : "",
    maybe.length ? say("graphMaybe", { to: maybe.join(", ") }) : "",
  ]
    .filter(Boolean)
    .join("; ")
}

function nameOf(node: Node, say: Say): string {
  const label = node.kind === "start" ? say("graphStart") : node.kind === "end" ? say("graphEnd") : node.label
  return node.box ? `${node.box.replaceAll(":", " › ")} › ${label}` : label
}

function leaving(edges: Edge[]): Map<string, Edge[]> {
  const found = new Map<string, Edge[]>()
  for (const one of edges) found.set(one.from, [...(found.get(one.from) ?? []), one])
  return found
}
