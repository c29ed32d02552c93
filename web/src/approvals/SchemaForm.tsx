import { useRef, useState } from "react"
import type { Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Field, Group } from "./Field"
import { FOOT } from "./foot"
import { draftOf, type Problem, type Shape, valueOf } from "./schema"

interface Props {
  shape: Shape
  /** What is there already; a text that is emptied then stays an empty text. */
  given?: Json
  /** Of a form with one field. */
  label: string
  submit: string
  sending: boolean
  send: (value: Json) => void
  /** What else can be done. */
  children?: React.ReactNode
}

/** A form that a schema asks for: it sends only what fits, and each field says what is wrong with it. */
export function SchemaForm({ shape, given, label, submit, sending, send, children }: Props) {
  const { say } = useLanguage()
  const [draft, setDraft] = useState(() => draftOf(shape, given))
  const [problems, setProblems] = useState<Problem[]>([])
  const form = useRef<HTMLFormElement>(null)
  const editing = given !== undefined

  function fill(next: Json) {
    setDraft(next)
    if (problems.length) setProblems(valueOf(shape, next, { blank: editing }).problems)
  }

  const field = { draft, change: fill, path: "", label, required: true, problems }
  return (
    <form
      ref={form}
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const read = valueOf(shape, draft, { blank: editing })
        setProblems(read.problems)
        const [first] = read.problems
        if (!first) return send(read.value)
        const place = `[data-path="${CSS.escape(first.path)}"]`
        requestAnimationFrame(() => form.current?.querySelector<HTMLElement>(place)?.focus())
      }}
    >
      {shape.kind === "group" ? <Group {...field} shape={shape} /> : <Field {...field} shape={shape} />}
      <div className={`flex flex-wrap items-center gap-2 ${FOOT}`}>
        <Button type="submit" look="main" disabled={sending}>
          {submit}
        </Button>
        {children}
        <span role="status" className="text-sm text-bad">
          {problems.length > 0 && say("formProblems", { n: problems.length })}
        </span>
      </div>
    </form>
  )
}
