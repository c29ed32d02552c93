import { ListChecks } from "lucide-react"
import { tag, useLanguage } from "../i18n/language"
import type { TabProps } from "../shell/tabs"
import { Decisions } from "./Decisions"
import { cost, lasted, total } from "./figures"
import { Memories } from "./Memories"
import { Spoken } from "./Spoken"
import { Steps } from "./Steps"
import { TodoList } from "./TodoList"

/** What is to be done and how far that is, what was decided, and what is remembered. */
export default function PlanTab({ thread, assistant, workspace, session, now }: TabProps) {
  const { language, say } = useLanguage()
  const { plan, inner, todos, parts } = now.view
  const still = now.run === ""
  const spent = plan ? total(plan) : {}
  const done = plan?.steps.filter((step) => step.status === "completed").length ?? 0
  const start = { assistant_id: assistant, ...(workspace ? { context: { workspace } } : {}) }
  return (
    <div className="space-y-6 p-4">
      <Spoken plan={plan} />
      {plan ? (
        <section aria-labelledby="plan-goal" className="space-y-3">
          <div className="space-y-1">
            <h2 id="plan-goal" className="font-semibold [overflow-wrap:anywhere]">
              {plan.goal}
            </h2>
            <p className="flex flex-wrap gap-x-3 text-xs text-soft tabular-nums">
              <span>{say(`plan_${plan.status}`)}</span>
              <span>{say("todos", { done, all: plan.steps.length })}</span>
              {[lasted(spent.ms, say), cost(spent, tag(language), say)].filter(Boolean).map((figure) => (
                <span key={figure}>{figure}</span>
              ))}
              {plan.version > 1 && <span>{say("planVersion", { n: plan.version })}</span>}
            </p>
            <div className="flex h-1.5 gap-0.5" aria-hidden>
              {plan.steps.map((step) => (
                <span key={step.id} className={`flex-1 rounded-full ${BARS[step.status]}`} />
              ))}
            </div>
          </div>
          <Steps plan={plan} inner={inner} still={still} />
        </section>
      ) : (
        todos.length === 0 && (
          <div className="grid place-items-center gap-2 rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-soft">
            <ListChecks size={24} strokeWidth={1.5} aria-hidden />
            <p className="max-w-xs">{say("planEmpty")}</p>
          </div>
        )
      )}
      <TodoList todos={todos} parts={parts} still={still} />
      <Decisions
        thread={thread}
        phase={now.phase}
        goOn={(words) => session.send(words, start)}
      />
      <Memories workspace={workspace} />
    </div>
  )
}

const BARS = {
  pending: "bg-line",
  in_progress: "bg-accent",
  completed: "bg-good",
  failed: "bg-bad",
  cancelled: "bg-soft/40",
}
