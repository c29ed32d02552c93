import { ChevronRight } from "lucide-react"
import type { Plan, PlanStep } from "../api/types"
import { tag, useLanguage } from "../i18n/language"
import { Sign } from "../ui/Sign"
import { cost, lasted } from "./figures"

interface Props {
  plan: Plan
  /** Plans that steps have of their own. */
  inner: ReadonlyMap<string, Plan>
  /** Nothing runs now. */
  still: boolean
}

/** The steps of a plan: a line each, which unfolds to all that is known of it. */
export function Steps({ plan, inner, still }: Props) {
  const { language, say } = useLanguage()
  const place = new Map(plan.steps.map((step, index) => [step.id, index + 1]))
  const together = plan.steps.filter((step) => step.status === "in_progress").length > 1
  return (
    <ol aria-label={say("steps")} className="overflow-hidden rounded-xl border border-line bg-raised">
      {plan.steps.map((step) => {
        const after = (step.depends_on ?? []).map((id) => place.get(id)).filter(Boolean)
        const own = inner.get(step.id)
        return (
          <li
            key={step.id}
            data-testid="step"
            data-status={step.status}
            aria-current={step.status === "in_progress" ? "step" : undefined}
            className={`border-t border-line first:border-t-0 ${step.status === "in_progress" ? "bg-accent/5" : ""}`}
          >
            <details className="group">
              <summary className="flex min-h-11 items-start gap-2.5 px-3 py-2.5 text-sm">
                <Sign status={step.status} still={still} />
                <span className="min-w-0 flex-1 space-y-0.5 [overflow-wrap:anywhere]">
                  <span className={step.status === "cancelled" ? "text-soft line-through" : ""}>
                    <span className="text-soft tabular-nums">{place.get(step.id)}.</span> {step.title}
                  </span>
                  <Facts
                    facts={[
                      step.agent,
                      after.length ? say("afterSteps", { n: after.join(", ") }) : "",
                      together && step.status === "in_progress" ? say("planTogether") : "",
                      (step.attempts ?? 0) > 1 ? say("planAttempt", { n: step.attempts ?? 0 }) : "",
                      lasted(step.spent?.ms, say),
                      cost(step.spent ?? {}, tag(language), say),
                    ]}
                  />
                </span>
                <ChevronRight size={15} className="mt-0.5 shrink-0 text-soft transition-transform group-open:rotate-90" aria-hidden />
              </summary>
              <Detail step={step} />
            </details>
            {own && (
              <div className="px-3 pb-3 pl-8">
                <Steps plan={own} inner={new Map()} still={still} />
              </div>
            )}
          </li>
        )
      })}
    </ol>
  )
}

function Facts({ facts }: { facts: string[] }) {
  return (
    <span className="flex flex-wrap gap-x-1.5 text-xs text-soft">
      {facts.filter(Boolean).map((fact, index) => (
        <span key={fact} className={index ? "before:mr-1.5 before:content-['·']" : "font-medium"}>
          {fact}
        </span>
      ))}
    </span>
  )
}

function Detail({ step }: { step: PlanStep }) {
  const { say } = useLanguage()
  const { result } = step
  const known: [string, string[], boolean?][] = [
    [say("planAcceptance"), step.acceptance ? [step.acceptance] : []],
    [say("planPaths"), step.paths ?? [], true],
    [say("planInputs"), step.inputs ?? [], true],
    [say("planChecks"), step.checks ?? [], true],
    [say("planResult"), result?.summary ? [result.summary] : []],
    [say("planFiles"), (result?.files ?? []).map(sized), true],
    [say("planEvidence"), result?.evidence ?? []],
    [say("planOpen"), result?.open_questions ?? []],
    [say("planNotes"), result?.notes ?? []],
  ]
  const told = known.filter(([, lines]) => lines.length)
  return (
    <dl className="space-y-2 px-3 pb-3 pl-9 text-sm">
      {told.length === 0 && <dd className="text-soft">{say("planNothing")}</dd>}
      {told.map(([name, lines, code]) => (
        <div key={name}>
          <dt className="text-xs text-soft">{name}</dt>
          {lines.map((line) => (
            <dd key={line} className={`[overflow-wrap:anywhere] ${code ? "font-mono text-[13px]" : "whitespace-pre-wrap"}`}>
              {line}
            </dd>
          ))}
        </div>
      ))}
    </dl>
  )
}

function sized({ path, added, removed }: { path: string; added?: number; removed?: number }): string {
  return added === undefined && removed === undefined ? path : `${path}  +${added ?? 0} −${removed ?? 0}`
}
