import { PanelRight } from "lucide-react"
import type { Plan, Todo } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Part, View } from "../run/events"
import { Sign } from "../ui/Sign"

const OPEN = new Set<Todo["status"]>(["pending", "in_progress"])

interface Props {
  view: Pick<View, "todos" | "parts" | "plan">
  /** Nothing runs now. */
  still: boolean
  /** Open the tab that tells all of it. */
  open?: (() => void) | undefined
}

interface Line extends Pick<Todo, "id" | "content" | "status"> {
  now?: string | undefined
}

/** The steps of the work: one line, which unfolds to all of them, those of agents inside indented. */
export function Todos({ view, still, open }: Props) {
  const { say } = useLanguage()
  const plan = underWay(view.plan) ? view.plan.steps.map((step): Line => ({ ...step, content: step.title })) : []
  const todos = view.todos.map((one): Line => ({ ...one, now: one.activeForm }))
  const lines = plan.length ? plan : todos
  const inside: Part[] = [...(plan.length ? [{ agent: "", todos: view.todos }] : []), ...view.parts.values()]
  const under = inside.filter((part) => part.todos.length)
  if (!lines.length) return null
  const finished = lines.filter((one) => !OPEN.has(one.status)).length
  const now = lines.find((one) => one.status === "in_progress")
  return (
    <details data-testid="todos" className="mb-2 rounded-lg border border-line bg-panel text-sm">
      <summary className="flex min-h-9 cursor-pointer items-center gap-2 px-3 py-1 pointer-coarse:min-h-11">
        <span className={`size-2 shrink-0 rounded-full ${now ? `bg-accent ${still ? "" : "beats"}` : "bg-soft/50"}`} aria-hidden />
        <span className="shrink-0 text-xs text-soft tabular-nums">{say("todos", { done: finished, all: lines.length })}</span>
        <span className="min-w-0 truncate">{now ? now.now || now.content : ""}</span>
      </summary>
      <div className="border-t border-line px-3 py-2">
        <ul className="max-h-60 space-y-1 overflow-y-auto" tabIndex={0} aria-label={say("todoList")}>
          {lines.map((one) => (
            <Row key={one.id} one={one} still={still} />
          ))}
          {under.map((part, index) => (
            <li key={index} className="ml-5 space-y-1 border-l border-line pl-3">
              {part.agent && <p className="text-xs text-soft">{part.agent}</p>}
              <ul className="space-y-1">
                {part.todos.map((one) => (
                  <Row key={one.id} one={one} still={still} />
                ))}
              </ul>
            </li>
          ))}
        </ul>
        {open && (
          <button
            type="button"
            onClick={open}
            className="mt-2 flex min-h-8 items-center gap-1.5 rounded-md text-xs text-accent hover:underline pointer-coarse:min-h-11"
          >
            <PanelRight size={14} aria-hidden /> {say("planOpenTab")}
          </button>
        )}
      </div>
    </details>
  )
}

function Row({ one, still }: { one: Line; still: boolean }) {
  return (
    <li data-status={one.status} className="flex items-start gap-2">
      <Sign status={one.status} still={still} />
      <span className={`min-w-0 [overflow-wrap:anywhere] ${OPEN.has(one.status) ? "" : "text-soft"}`}>{one.content}</span>
    </li>
  )
}

function underWay(plan: Plan | null): plan is Plan {
  return plan?.status === "proposed" || plan?.status === "running"
}
