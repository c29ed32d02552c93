import { Ban, Check, Circle, LoaderCircle, X } from "lucide-react"
import type { Todo } from "../api/types"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"

const SIGNS: Record<Todo["status"], { icon: typeof Check; look: string; word: Key }> = {
  pending: { icon: Circle, look: "text-soft", word: "todo_pending" },
  in_progress: { icon: LoaderCircle, look: "text-accent", word: "todo_in_progress" },
  completed: { icon: Check, look: "text-good", word: "todo_completed" },
  failed: { icon: X, look: "text-bad", word: "todo_failed" },
  cancelled: { icon: Ban, look: "text-soft", word: "todo_cancelled" },
}
const OPEN = new Set<Todo["status"]>(["pending", "in_progress"])

/** The steps of the work: one line, which unfolds to all of them. */
export function Todos({ todos }: { todos: Todo[] }) {
  const { say } = useLanguage()
  if (!todos.length) return null
  const finished = todos.filter((one) => !OPEN.has(one.status)).length
  const now = todos.find((one) => one.status === "in_progress")
  return (
    <details data-testid="todos" className="mb-2 rounded-lg border border-line bg-panel text-sm">
      <summary className="flex min-h-9 cursor-pointer items-center gap-2 px-3 py-1 pointer-coarse:min-h-11">
        <span className="shrink-0 text-xs text-soft tabular-nums">{say("todos", { done: finished, all: todos.length })}</span>
        <span className="min-w-0 truncate">{now ? now.activeForm || now.content : ""}</span>
      </summary>
      <ul className="max-h-60 space-y-1 overflow-y-auto border-t border-line px-3 py-2" tabIndex={0} aria-label={say("todoList")}>
        {todos.map((one) => {
          const { icon: Icon, look, word } = SIGNS[one.status]
          return (
            <li key={one.id} data-status={one.status} className="flex items-start gap-2">
              <Icon size={14} className={`mt-1 shrink-0 ${look}`} aria-hidden />
              <span className="sr-only">{say(word)}: </span>
              <span className={`min-w-0 [overflow-wrap:anywhere] ${OPEN.has(one.status) ? "" : "text-soft"}`}>{one.content}</span>
            </li>
          )
        })}
      </ul>
    </details>
  )
}
