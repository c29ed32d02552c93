import { Undo2 } from "lucide-react"
import { lazy, Suspense, useEffect, useState } from "react"
import { type Earlier, files, type Step } from "../api/files"
import type { Restored } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { plain } from "./drafts"
import { sentence } from "./useTree"

const Compare = lazy(() => import("./Compare"))

interface Props {
  thread: string
  path: string
  /** The file as it is now; empty when it is gone. */
  text: string
  split: boolean
  turn: string
  undone: () => void
}

/** What became of a file since a moment that is chosen from the changes of the conversation. */
export function Since({ thread, path, text, split, turn, undone }: Props) {
  const { say, language } = useLanguage()
  const [steps, setSteps] = useState<Step[]>([])
  const [base, setBase] = useState("")
  const [earlier, setEarlier] = useState<Earlier | null>(null)
  const [problem, setProblem] = useState("")
  const [done, setDone] = useState<Restored | null>(null)

  useEffect(() => {
    files.steps(thread).then(setSteps, (failure: unknown) => setProblem(sentence(failure)))
  }, [thread, turn])
  useEffect(() => {
    let wanted = true
    files.earlier(thread, path, base).then(
      (found) => {
        if (!wanted) return
        setEarlier(found)
        setProblem("")
      },
      (failure: unknown) => wanted && setProblem(sentence(failure)),
    )
    return () => void (wanted = false)
  }, [thread, path, base, turn])

  const touching = steps.filter((one) => one.paths.some((each) => each.path === path))
  const others = steps.filter((one) => !touching.includes(one))
  const time = new Intl.DateTimeFormat(language === "ru" ? "ru" : "en", { dateStyle: "short", timeStyle: "medium" })
  const option = (one: Step) => (
    <option key={one.change_id} value={one.change_id}>
      {say("filesBefore", { tool: one.tool === "edit" ? say("filesYou") : one.tool, time: time.format(new Date(one.begun_at)) })}
    </option>
  )
  const to = base || touching.at(-1)?.change_id

  async function giveBack(force: boolean) {
    if (!to) return
    setProblem("")
    try {
      setDone(await files.undo(thread, to, path, force))
      undone()
    } catch (failure) {
      setProblem(sentence(failure))
    }
  }

  const before = earlier?.there && earlier.text !== null ? plain(earlier.text) : ""
  const hidden = earlier?.there && earlier.text === null
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-2 py-1.5">
        <label className="flex min-w-60 flex-1 items-center gap-2 text-sm text-soft">
          <span className="shrink-0">{say("filesBase")}</span>
          <select
            value={base}
            onChange={(event) => {
              setDone(null)
              setBase(event.target.value)
            }}
            className="min-h-8 min-w-0 flex-1 rounded-lg border border-line bg-raised px-2 text-ink pointer-coarse:min-h-11"
          >
            <option value="">{say("filesStart")}</option>
            {touching.length > 0 && <optgroup label={path}>{touching.map(option)}</optgroup>}
            {others.length > 0 && <optgroup label="…">{others.map(option)}</optgroup>}
          </select>
        </label>
        {to && before !== text && (
          <Button onClick={() => void giveBack(Boolean(done?.conflicts.length))}>
            <Undo2 size={14} aria-hidden /> {say(done?.conflicts.length ? "filesUndoForced" : "filesUndo")}
          </Button>
        )}
      </div>
      <div role="status" className="px-3 text-sm empty:hidden">
        {done && !done.conflicts.length && <p className="py-1.5 text-good">{say("filesUndone")}</p>}
        {done?.conflicts.map((one) => (
          <p key={one.path} className="py-1.5 text-warn">
            {one.path}: {one.reason}
          </p>
        ))}
        {earlier && !earlier.there && <p className="py-1.5 text-soft">{say("filesNoEarlier")}</p>}
        {hidden && <p className="py-1.5 text-soft">{say("filesNoLongerText")}</p>}
      </div>
      {problem && (
        <p role="alert" className="px-3 py-1.5 text-sm text-bad">
          {problem}
        </p>
      )}
      <div className="min-h-0 flex-1">
        {earlier && !hidden && (
          <Suspense fallback={<p className="p-4 text-sm text-soft">{say("loading")}</p>}>
            <Compare
              path={path}
              before={before}
              after={text}
              split={split}
              labels={{ before: say("filesThen", { path }), after: say("filesNow", { path }) }}
            />
          </Suspense>
        )}
      </div>
    </div>
  )
}
