import { useRef, useState } from "react"
import type { Asked, Decision } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { FOOT } from "./foot"
import { answersOf, missing, NOTHING, othered, type Said, toggled } from "./answers"

interface Props {
  questions: Asked[]
  sending: boolean
  decide: (decision: Decision) => void
}

/** What an agent asks at once, answered at once. */
export function Questions({ questions, sending, decide }: Props) {
  const { say } = useLanguage()
  const [said, setSaid] = useState<Record<string, Said>>({})
  const [tried, setTried] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const gaps = new Set(missing(questions, said).map((one) => one.id))
  return (
    <form
      ref={form}
      noValidate
      className="space-y-5"
      data-testid="questions"
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        const first = questions.findIndex((one) => gaps.has(one.id))
        if (first < 0) return decide({ type: "respond", answers: answersOf(questions, said) })
        const place = form.current?.querySelectorAll("fieldset")[first]
        place?.querySelector<HTMLElement>("input:checked ~ input, input, textarea")?.focus()
      }}
    >
      {questions.map((one) => (
        <One
          key={one.id}
          asked={one}
          said={said[one.id] ?? NOTHING}
          missing={tried && gaps.has(one.id)}
          set={(next) => setSaid((before) => ({ ...before, [one.id]: next }))}
        />
      ))}
      <div className={`flex flex-wrap items-center gap-2 ${FOOT}`}>
        <Button type="submit" look="main" disabled={sending}>
          {say("answer")}
        </Button>
        <Button look="bare" disabled={sending} onClick={() => decide({ type: "reject" })}>
          {say("noAnswer")}
        </Button>
        <span role="status" className={`text-sm ${tried ? "text-bad" : "text-soft"}`}>
          {gaps.size > 0 && say("formMissingMany", { n: gaps.size })}
        </span>
      </div>
    </form>
  )
}

interface OneProps {
  asked: Asked
  said: Said
  missing: boolean
  set: (said: Said) => void
}

const ROW = "flex min-h-8 items-start gap-2.5 rounded-lg px-2 py-1 text-sm hover:bg-panel has-checked:bg-accent/10 pointer-coarse:min-h-11"

function One({ asked, said, missing, set }: OneProps) {
  const { say } = useLanguage()
  const choice = asked.options.length > 0
  const kind = asked.multiple ? "checkbox" : "radio"
  const hints = [asked.multiple ? say("several") : "", asked.required ? "" : say("optional")].filter(Boolean)
  const box = (checked: boolean, label: React.ReactNode, act: () => void, type = kind) => (
    <label className={ROW}>
      <input type={type} name={asked.id} className="mt-0.5 size-4 shrink-0 accent-accent" checked={checked} onChange={act} />
      <span className="min-w-0 [overflow-wrap:anywhere]">{label}</span>
    </label>
  )
  return (
    <fieldset className="min-w-0 space-y-1">
      <legend className="mb-1 font-medium whitespace-pre-wrap [overflow-wrap:anywhere]">
        {asked.header && <span className="mr-2 text-sm font-normal text-soft">{asked.header}</span>}
        {asked.question}
        {hints.length > 0 && <span className="ml-2 text-xs font-normal text-soft">{hints.join(" · ")}</span>}
      </legend>
      {asked.options.map((label) => (
        <div key={label}>
          {box(
            !said.left && said.options.includes(label),
            <>
              {label}
              {asked.descriptions?.[label] && <span className="block text-xs text-soft">{asked.descriptions[label]}</span>}
            </>,
            () => set(toggled(asked, said, label)),
          )}
        </div>
      ))}
      {choice && box(!said.left && said.other, say("formOther"), () => set(othered(asked, said)))}
      {(!choice || (said.other && !said.left)) && (
        <input
          aria-label={choice ? `${asked.question} ${say("formOtherWords")}` : asked.question}
          placeholder={say(choice ? "formOtherWords" : "ownWords")}
          aria-invalid={missing || undefined}
          autoFocus={choice}
          value={said.words}
          onChange={(event) => set({ ...said, words: event.target.value, left: false })}
          className="block w-full min-w-0 rounded-lg border border-line bg-page px-3 py-1.5 text-sm aria-invalid:border-bad pointer-coarse:min-h-11"
        />
      )}
      {!asked.required &&
        box(said.left, say("formDecide"), () => set({ ...said, left: choice && !asked.multiple ? true : !said.left }), choice ? kind : "checkbox")}
      {missing && <p className="text-xs text-bad">{say("formMissing")}</p>}
    </fieldset>
  )
}
