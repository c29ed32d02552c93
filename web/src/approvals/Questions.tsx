import { useState } from "react"
import type { Asked, Decision } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { answersOf, isComplete, type Said, toggled } from "./answers"

interface Props {
  questions: Asked[]
  sending: boolean
  decide: (decision: Decision) => void
}

const NOTHING: Said = { options: [], words: "" }

/** The questions of an agent: each with its options, one or several, and room for words of one's own. */
export function Questions({ questions, sending, decide }: Props) {
  const { say } = useLanguage()
  const [said, setSaid] = useState<Record<string, Said>>({})
  const set = (id: string, change: Partial<Said>) =>
    setSaid((before) => ({ ...before, [id]: { ...(before[id] ?? NOTHING), ...change } }))
  return (
    <form
      className="space-y-4"
      data-testid="questions"
      onSubmit={(event) => {
        event.preventDefault()
        if (isComplete(questions, said)) decide({ type: "respond", answers: answersOf(questions, said) })
      }}
    >
      {questions.map((one) => (
        <One key={one.id} asked={one} said={said[one.id] ?? NOTHING} set={(change) => set(one.id, change)} />
      ))}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" disabled={sending || !isComplete(questions, said)}>
          {say("answer")}
        </Button>
        <Button look="bare" disabled={sending} onClick={() => decide({ type: "reject" })}>
          {say("noAnswer")}
        </Button>
      </div>
    </form>
  )
}

interface OneProps {
  asked: Asked
  said: Said
  set: (change: Partial<Said>) => void
}

function One({ asked, said, set }: OneProps) {
  const { say } = useLanguage()
  return (
    <fieldset className="min-w-0 space-y-2">
      <legend className="font-medium whitespace-pre-wrap [overflow-wrap:anywhere]">
        {asked.header && <span className="mr-2 text-sm font-normal text-soft">{asked.header}</span>}
        {asked.question}
      </legend>
      <p className="text-xs text-soft">
        {[asked.multiple ? say("several") : "", asked.required ? "" : say("optional")].filter(Boolean).join(" · ")}
      </p>
      {asked.options.map((label) => (
        <label key={label} className="flex min-h-9 items-center gap-2 text-sm pointer-coarse:min-h-11">
          <input
            type={asked.multiple ? "checkbox" : "radio"}
            name={asked.id}
            className="size-4 shrink-0 accent-accent"
            checked={said.options.includes(label)}
            onChange={() => set({ options: toggled(asked, said.options, label) })}
          />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            {label}
            {asked.descriptions?.[label] && <span className="text-soft"> · {asked.descriptions[label]}</span>}
          </span>
        </label>
      ))}
      <input
        aria-label={`${asked.question} ${say("ownWords")}`}
        placeholder={say("ownWords")}
        value={said.words}
        onChange={(event) => set({ words: event.target.value })}
        className="block w-full min-w-0 rounded-lg border border-line bg-page px-3 py-1.5 text-sm"
      />
    </fieldset>
  )
}

