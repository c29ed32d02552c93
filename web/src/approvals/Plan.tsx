import { useState } from "react"
import type { Args, Decision, Json, PlanStep } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

/** The steps of a plan: what, who, after which, and how to tell that it is done. */
export function Steps({ steps }: { steps: PlanStep[] }) {
  const { say } = useLanguage()
  const place = new Map(steps.map((step, index) => [step.id, index + 1]))
  return (
    <ol className="max-h-96 space-y-2 overflow-auto" tabIndex={0} aria-label={say("steps")}>
      {steps.map((step, index) => (
        <li key={step.id} className="flex gap-3 rounded-lg border border-line bg-page p-2 text-sm">
          <span className="w-5 shrink-0 text-right text-soft tabular-nums">{index + 1}</span>
          <span className="min-w-0 space-y-1 [overflow-wrap:anywhere]">
            <span className={step.status === "completed" ? "line-through" : ""}>{step.title}</span>
            <span className="block text-xs text-soft">
              <b className="font-medium">{step.agent}</b>
              {step.depends_on?.length ? ` · ${say("afterSteps", { n: step.depends_on.map((id) => place.get(id)).join(", ") })}` : ""}
              {step.paths?.length ? ` · ${step.paths.join(", ")}` : ""}
            </span>
            {step.acceptance && <span className="block text-xs text-soft">{step.acceptance}</span>}
            {step.checks?.map((check) => (
              <code key={check} className="block font-mono text-xs">
                {check}
              </code>
            ))}
          </span>
        </li>
      ))}
    </ol>
  )
}

interface Edit {
  args: Args
  sending: boolean
  decide: (decision: Decision) => void
  back: () => void
}

/** Goal and steps as JSON: what the server refuses stays here, with its reason. */
export function EditPlan({ args, sending, decide, back }: Edit) {
  const { say } = useLanguage()
  const [text, setText] = useState(() => JSON.stringify(args, null, 2))
  const [wrong, setWrong] = useState(false)
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault()
        try {
          const edited = JSON.parse(text) as Json
          if (!edited || typeof edited !== "object" || Array.isArray(edited)) throw new SyntaxError()
          setWrong(false)
          decide({ type: "edit", edited_action: { name: "plan", args: edited } })
        } catch {
          setWrong(true)
        }
      }}
    >
      <p className="text-sm text-soft">{say("editing")}</p>
      <textarea
        aria-label={say("steps")}
        rows={Math.min(24, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="block w-full resize-y rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
      />
      {wrong && <p className="text-sm text-bad">{say("notJson")}</p>}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" disabled={sending}>
          {say("sendEdited")}
        </Button>
        <Button onClick={back}>{say("back")}</Button>
      </div>
    </form>
  )
}
