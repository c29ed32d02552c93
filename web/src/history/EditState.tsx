import { useEffect, useId, useRef, useState } from "react"
import { type Checkpoint, checkpoints } from "../api/history"
import type { Values } from "../api/types"
import { useLanguage } from "../i18n/language"
import { sentence, type Session } from "../run/session"
import { Button } from "../ui/Button"
import { afterDrawn } from "./focus"
import { draft, type Part, parsed, PARTS } from "./parts"

interface Props {
  session: Session
  one: Checkpoint
  close: () => void
}

const WORDS = { last: "historyEditLast", todos: "historyEditTodos", whole: "historyEditWhole" } as const

/** The values of a state as JSON; what is saved follows that state. */
export function EditState({ session, one, close }: Props) {
  const { say } = useLanguage()
  const [values, setValues] = useState<Values | null>(null)
  const [part, setPart] = useState<Part>("last")
  const [text, setText] = useState("")
  const [problem, setProblem] = useState("")
  const [saving, setSaving] = useState(false)
  const dialog = useRef<HTMLDialogElement>(null)
  const field = useId()
  const { thread } = session
  const id = one.checkpoint_id
  useEffect(() => dialog.current?.showModal(), [])
  useEffect(() => {
    checkpoints
      .state(thread, id)
      .then((state) => {
        const first = PARTS.find((each) => draft(state.values, each) !== null) ?? "whole"
        setValues(state.values)
        setPart(first)
        setText(draft(state.values, first) ?? "")
      })
      .catch((failure: unknown) => setProblem(sentence(failure)))
  }, [thread, id])

  const read = values ? parsed(values, part, text) : { wrong: "" }
  const wrong = "wrong" in read ? read.wrong : ""

  async function save() {
    if ("wrong" in read) return
    setSaving(true)
    setProblem("")
    try {
      await checkpoints.write(thread, id, read.values, one.nodes.length === 1 ? one.nodes[0] : undefined)
      session.back()
      await session.load()
      dialog.current?.close()
      afterDrawn(() => document.querySelector<HTMLElement>("[data-moment][aria-current]")?.focus())
    } catch (failure) {
      setProblem(sentence(failure))
      setSaving(false)
    }
  }

  return (
    <dialog
      ref={dialog}
      onClose={close}
      onKeyDown={(event) => event.stopPropagation()}
      aria-label={say("historyEditFork")}
      className="m-auto w-[min(44rem,calc(100vw-2rem))] rounded-2xl border border-line bg-raised p-5 text-ink shadow-xl backdrop:bg-black/40"
    >
      <div className="space-y-3 text-sm">
        <p className="text-base font-medium">{say("historyEditFork")}</p>
        <p className="text-soft">
          {say("historyEditHint")} {say("historyWarn")}
        </p>
        <label className="flex flex-wrap items-center gap-2 text-soft">
          {say("historyEditWhat")}
          <select
            value={part}
            disabled={!values}
            onChange={(event) => {
              const chosen = event.target.value as Part
              setPart(chosen)
              setText(values ? (draft(values, chosen) ?? "") : "")
            }}
            className="min-h-9 rounded-lg border border-line bg-page px-2 text-ink pointer-coarse:min-h-11"
          >
            {PARTS.filter((each) => !values || draft(values, each) !== null).map((each) => (
              <option key={each} value={each}>
                {say(WORDS[each])}
              </option>
            ))}
          </select>
        </label>
        <textarea
          id={field}
          aria-label={say(WORDS[part])}
          aria-invalid={wrong !== ""}
          aria-describedby={`${field}-wrong`}
          spellCheck={false}
          value={values ? text : say("loading")}
          readOnly={!values}
          onChange={(event) => setText(event.target.value)}
          className="block h-[min(24rem,50dvh)] w-full resize-y rounded-lg border border-line bg-page px-3 py-2 font-mono text-[13px] leading-5"
        />
        <p id={`${field}-wrong`} role="status" className="min-h-5 text-bad">
          {wrong && say("historyDamaged", { problem: wrong })}
        </p>
        {problem && (
          <p role="alert" className="text-bad">
            {say("notSent")} {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => dialog.current?.close()}>{say("cancel")}</Button>
          <Button look="main" disabled={!values || "wrong" in read || saving} onClick={() => void save()}>
            {say("historySaveFork")}
          </Button>
        </div>
      </div>
    </dialog>
  )
}
