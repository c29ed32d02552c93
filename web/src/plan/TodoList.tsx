import type { Todo } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Part } from "../run/events"
import { Sign } from "../ui/Sign"

/** The todos of whoever answers, and under them those of agents that work for it. */
export function TodoList({ todos, parts, still }: { todos: Todo[]; parts: ReadonlyMap<string, Part>; still: boolean }) {
  const { say } = useLanguage()
  const under = [...parts].filter(([, part]) => part.todos.length)
  if (!todos.length && !under.length) return null
  return (
    <section aria-labelledby="plan-todos" className="space-y-2">
      <h2 id="plan-todos" className="text-sm font-medium">
        {say("todoList")}
      </h2>
      <Lines todos={todos} still={still} />
      {under.map(([where, part]) => (
        <div key={where} className="ml-5 space-y-1 border-l border-line pl-3">
          <p className="text-xs text-soft">{part.agent}</p>
          <Lines todos={part.todos} still={still} />
        </div>
      ))}
    </section>
  )
}

function Lines({ todos, still }: { todos: Todo[]; still: boolean }) {
  return (
    <ul className="space-y-1.5 text-sm">
      {todos.map((one) => (
        <li key={one.id} data-status={one.status} className="flex items-start gap-2">
          <Sign status={one.status} still={still} />
          <span className={`min-w-0 [overflow-wrap:anywhere] ${one.status === "cancelled" ? "text-soft line-through" : ""}`}>
            {one.status === "in_progress" ? one.activeForm || one.content : one.content}
          </span>
        </li>
      ))}
    </ul>
  )
}
