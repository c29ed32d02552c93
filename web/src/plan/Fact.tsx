import { Pencil, Trash2 } from "lucide-react"
import { useState } from "react"
import { memories, type Memory } from "../api/plan"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"

/** A fact that is remembered: said better, allowed, or forgotten. */
export function Fact({ one, workspace, changed }: { one: Memory; workspace: string; changed: () => void }) {
  const { say } = useLanguage()
  const [draft, setDraft] = useState<string | null>(null)
  const [sure, setSure] = useState(false)
  const [problem, setProblem] = useState("")

  async function attempt(act: () => Promise<unknown>) {
    setProblem("")
    try {
      await act()
      setDraft(null)
      changed()
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    }
  }

  return (
    <li className="space-y-1 py-2 first:pt-0 last:pb-0">
      {draft === null ? (
        <div className="flex items-start gap-1">
          <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">{one.fact}</p>
          <Button look="bare" className="px-2" aria-label={`${say("edit")}: ${one.fact}`} title={say("edit")} onClick={() => setDraft(one.fact)}>
            <Pencil size={14} aria-hidden />
          </Button>
          <Button look="bare" className="px-2" aria-label={`${say("planForget")}: ${one.fact}`} title={say("planForget")} onClick={() => setSure(true)}>
            <Trash2 size={14} aria-hidden />
          </Button>
        </div>
      ) : (
        <form
          className="flex flex-wrap gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            if (draft.trim()) void attempt(() => memories.change(one, workspace, { fact: draft.trim() }))
          }}
        >
          <textarea
            autoFocus
            rows={2}
            maxLength={500}
            aria-label={say("planFact")}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            className="block w-full resize-y rounded-lg border border-line bg-page px-2 py-1.5"
          />
          <Button type="submit" look="main" disabled={!draft.trim()}>
            {say("save")}
          </Button>
          <Button onClick={() => setDraft(null)}>{say("cancel")}</Button>
        </form>
      )}
      <p className="flex flex-wrap items-center gap-x-2 text-xs text-soft">
        <span>{say(`planScope_${one.scope}`)}</span>
        {one.why && <span className="min-w-0 [overflow-wrap:anywhere]">{one.why}</span>}
      </p>
      {!one.approved && (
        <p className="flex flex-wrap items-center gap-2 text-xs text-warn">
          <span className="min-w-0 flex-1 basis-48">{say("planTainted")}</span>
          <Button onClick={() => void attempt(() => memories.change(one, workspace, { approved: true }))}>{say("planAllow")}</Button>
        </p>
      )}
      {problem && (
        <p role="alert" className="text-xs text-bad">
          {problem}
        </p>
      )}
      {sure && (
        <Confirm
          question={say("planForgetSure")}
          about={one.fact}
          yes={say("planForget")}
          no={say("cancel")}
          act={() => void attempt(() => memories.forget(one, workspace))}
          close={() => setSure(false)}
        />
      )}
    </li>
  )
}
