import { Pencil, Play, Undo2 } from "lucide-react"
import { useRef, useState } from "react"
import { type Decided, decisions } from "../api/plan"
import { tag, useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"
import { EditAnswer } from "./EditAnswer"

interface Props {
  thread: string
  one: Decided
  changed: (one: Decided) => void
  goOn: (words: string) => Promise<void>
}

/** A question that was answered: by whom, when, for which agent, and what has become of it. */
export function Decision({ thread, one, changed, goOn }: Props) {
  const { language, say } = useLanguage()
  const [editing, setEditing] = useState(false)
  const [sure, setSure] = useState(false)
  const [offered, setOffered] = useState(false)
  const [problem, setProblem] = useState("")
  const pencil = useRef<HTMLButtonElement>(null)
  const revoked = one.status === "revoked"
  const last = one.edits.at(-1)
  const answer = one.answer.join("; ") || say("planLeft")

  async function attempt(act: () => Promise<unknown>): Promise<boolean> {
    setProblem("")
    try {
      await act()
      return true
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
      return false
    }
  }

  function close() {
    setEditing(false)
    requestAnimationFrame(() => pencil.current?.focus())
  }

  async function save(words: string[]) {
    const done = await attempt(async () => changed(await decisions.change(thread, one.id, words)))
    if (!done) return
    setOffered(true)
    close()
  }

  return (
    <li data-testid="decision" data-status={one.status} className="space-y-1.5 rounded-xl border border-line bg-raised px-3 py-2.5 text-sm">
      <div className="flex items-start gap-1">
        <div className={`min-w-0 flex-1 [overflow-wrap:anywhere] ${revoked ? "text-soft line-through" : ""}`}>
          <p className="text-soft">{one.question}</p>
          {!editing && <p className="font-medium">{answer}</p>}
        </div>
        {!revoked && !editing && (
          <>
            <Button
              look="bare"
              className="px-2"
              ref={pencil}
              aria-label={`${say("edit")}: ${one.question}`}
              title={say("edit")}
              onClick={() => setEditing(true)}
            >
              <Pencil size={14} aria-hidden />
            </Button>
            <Button
              look="bare"
              className="px-2"
              aria-label={`${say("planRevoke")}: ${one.question}`}
              title={say("planRevoke")}
              onClick={() => setSure(true)}
            >
              <Undo2 size={14} aria-hidden />
            </Button>
          </>
        )}
      </div>
      {editing && <EditAnswer one={one} save={save} close={close} />}
      <p className="text-xs text-soft">
        {say(revoked ? "planRevokedBy" : last ? "planEditedBy" : "planDecidedBy", {
          who: last?.by ?? one.by,
          when: new Date(last?.at ?? one.at).toLocaleString(tag(language), { dateStyle: "medium", timeStyle: "short" }),
          agent: one.agent,
        })}
      </p>
      {offered && !revoked && (
        <p role="status" className="flex flex-wrap items-center gap-2 text-xs text-soft">
          <span className="min-w-0 flex-1 basis-48">{say("planFromNow")}</span>
          <Button onClick={() => void attempt(() => goOn(say("planGoOn", { question: one.question, answer }))).then((done) => setOffered(!done))}>
            <Play size={14} aria-hidden /> {say("planGoOnNow")}
          </Button>
        </p>
      )}
      {problem && (
        <p role="alert" className="text-xs text-bad">
          {problem}
        </p>
      )}
      {sure && (
        <Confirm
          question={say("planRevokeSure")}
          about={one.question}
          yes={say("planRevoke")}
          no={say("cancel")}
          act={() => void attempt(async () => changed(await decisions.revoke(thread, one.id)))}
          close={() => setSure(false)}
        />
      )}
    </li>
  )
}
