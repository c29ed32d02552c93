import { ChevronDown, ChevronLeft, ChevronRight, ChevronUp, LocateFixed, ShieldQuestion } from "lucide-react"
import { type KeyboardEvent, useState } from "react"
import type { Decision, Json, Question } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Call } from "./Call"
import { Countdown } from "./Countdown"
import { Choice } from "./Choice"
import { Free } from "./Free"
import { EditPlan, Steps } from "./Plan"
import { Questions } from "./Questions"
import { SchemaForm } from "./SchemaForm"
import { shapeOf } from "./schema"
import { pathOf, type Stop } from "./stops"
import { type Mode, Verbs, Words } from "./Verbs"

const KEYS: Record<string, string> = { KeyA: "approve", KeyE: "edit", KeyR: "reject" }

interface Props {
  stop: Stop
  /** Who asks. */
  asker: string
  /** Where it stands among those that wait. */
  place: { at: number; all: number }
  turn: (by: 1 | -1) => void
  shown: boolean
  folded: boolean
  fold: () => void
  decide: (decision: Decision) => Promise<void>
  reply: (value: Json) => Promise<void>
  /** How many questions one press may approve, and what does it. */
  all: { n: number; approve: () => void } | undefined
  decided: Decision | undefined
  /** What stands below all: how far a question of several calls is. */
  foot: React.ReactNode
}

/** A question to the person. Nothing here has the focus by itself, so no stray key approves anything. */
export function ApprovalCard({ stop, asker, place, turn, shown, folded, fold, decide, reply, all, decided, foot }: Props) {
  const { say } = useLanguage()
  const [mode, setMode] = useState<Mode>("asked")
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState("")
  const { asked, form, action } = stop
  const value = (asked.value && typeof asked.value === "object" && !Array.isArray(asked.value) ? asked.value : {}) as Question
  const ours = action?.shown ?? value.artel ?? {}
  const heading = headingOf(stop, value) || say("askFor")
  const path = pathOf(asked, asker)

  async function send(act: () => Promise<void>) {
    setSending(true)
    setProblem("")
    try {
      await act()
      setMode("asked")
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    } finally {
      setSending(false)
    }
  }
  const settle = (decision: Decision) => void send(() => decide(decision))
  const answer = (said: Json) => void send(() => reply(said))

  /** Letters answer only while the card itself has the focus. */
  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : null
    const verb = KEYS[event.code]
    if (by) turn(by)
    else if (verb && mode === "asked" && !folded) {
      const button = event.currentTarget.querySelector<HTMLButtonElement>(`[data-verb="${verb}"]`)
      if (!button) return
      button.click()
    } else return
    event.preventDefault()
  }

  return (
    <section
      hidden={!shown}
      aria-label={`${asker} ${say("asksYou")}: ${heading}`}
      aria-describedby={`keys-${stop.key}`}
      data-testid="approval"
      tabIndex={0}
      onKeyDown={onKeyDown}
      className="max-h-[min(38rem,58dvh)] flex-col overflow-hidden rounded-xl border border-warn/40 bg-raised shadow-[0_6px_20px_-8px_rgb(0_0_0/0.15)] not-[[hidden]]:flex"
    >
      <header className="bg-warn-bg py-1.5 pr-1.5 pl-3 text-sm">
        <div className="flex items-start gap-2.5">
          <ShieldQuestion size={18} className="mt-1.5 shrink-0 text-warn" aria-hidden />
          <h2 className={`min-w-0 flex-1 py-1 font-semibold [overflow-wrap:anywhere] ${folded ? "truncate" : "line-clamp-3"}`}>{heading}</h2>
          <div className="flex shrink-0 items-center">
            {place.all > 1 && (
              <>
                <span className="px-1 text-xs whitespace-nowrap text-soft tabular-nums">{say("askPlace", place)}</span>
                <Icon name={say("askPrevious")} act={() => turn(-1)}>
                  <ChevronLeft size={16} aria-hidden />
                </Icon>
                <Icon name={say("askNext")} act={() => turn(1)}>
                  <ChevronRight size={16} aria-hidden />
                </Icon>
              </>
            )}
            {action?.callId && !folded && (
              <Icon name={say("askGo")} act={() => showCall(action.callId)} className="max-sm:hidden">
                <LocateFixed size={15} aria-hidden />
              </Icon>
            )}
            <Icon name={say(folded ? "askUnfold" : "askFold")} act={fold}>
              {folded ? <ChevronUp size={16} aria-hidden /> : <ChevronDown size={16} aria-hidden />}
            </Icon>
          </div>
        </div>
        {!folded && (
          <div className="flex flex-wrap items-center gap-x-3 pr-1.5 pb-0.5 pl-7 text-xs text-soft">
            <span>
              <b className="font-medium text-ink">{asker}</b> {say("asksYou")}
            </span>
            {path.length > 0 && <span>{say("askAgentPath", { path: path.join(" › ") })}</span>}
            {ours.risk && <span>{say(riskKey(ours.risk))}</span>}
            <Countdown until={asked.expires_at} />
            {all && (
              <button
                type="button"
                disabled={sending}
                onClick={all.approve}
                className="ml-auto min-h-6 rounded-md px-2 font-medium text-accent hover:bg-raised pointer-coarse:min-h-11"
              >
                {say("askAll", { n: all.n })}
              </button>
            )}
          </div>
        )}
      </header>
      <div hidden={folded} className="min-h-0 space-y-3 overflow-y-auto p-3 sm:p-4">
        {action && <Call action={action} sending={sending} mode={mode} choose={setMode} decide={settle} decided={decided} />}
        {form.kind === "plan" && <PlanForm value={value} sending={sending} mode={mode} choose={setMode} decide={settle} />}
        {form.kind === "questions" && <Questions questions={form.questions} sending={sending} decide={settle} />}
        {form.kind === "choice" && <Choice options={form.options} sending={sending} decide={settle} />}
        {(form.kind === "schema" || form.kind === "free") && form.rest !== null && <Said value={form.rest} />}
        {form.kind === "schema" && (
          <SchemaForm shape={shapeOf(form.schema)} label={say("answer")} submit={say("send")} sending={sending} send={answer} />
        )}
        {form.kind === "free" && <Free inWords={form.text !== ""} sending={sending} send={answer} />}
        {problem && (
          <p role="alert" className="text-sm text-bad">
            {problem}
          </p>
        )}
      </div>
      {!folded && foot}
      <span id={`keys-${stop.key}`} className="sr-only">
        {say("askJumpKeys")}
      </span>
    </section>
  )
}

function Icon({ name, act, className = "", children }: { name: string; act: () => void; className?: string; children: React.ReactNode }) {
  return (
    <Button look="bare" className={`size-8 !min-h-8 !p-0 pointer-coarse:size-11 ${className}`} aria-label={name} title={name} onClick={act}>
      {children}
    </Button>
  )
}

interface PlanProps {
  value: Question
  sending: boolean
  mode: Mode
  choose: (mode: Mode) => void
  decide: (decision: Decision) => void
}

function PlanForm({ value, sending, mode, choose, decide }: PlanProps) {
  const back = () => choose("asked")
  if (mode === "edit") return <EditPlan args={value.args ?? {}} sending={sending} decide={decide} back={back} />
  return (
    <>
      <Steps steps={value.plan?.steps ?? []} />
      {mode === "asked" ? (
        <Verbs
          verbs={["approve", "edit", "reject", "respond"]}
          sending={sending}
          parts={null}
          grants={[]}
          approve={() => decide({ type: "approve" })}
          choose={choose}
        />
      ) : (
        <Words mode={mode} sending={sending} decide={decide} back={back} />
      )}
    </>
  )
}

/** What a foreign question says beside its words. */
function Said({ value }: { value: Json }) {
  const { say } = useLanguage()
  return (
    <pre
      className="max-h-60 overflow-auto rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
      tabIndex={0}
      role="group"
      aria-label={say("args")}
    >
      {JSON.stringify(value, null, 2)}
    </pre>
  )
}

function headingOf({ form, action }: Stop, value: Question): string {
  if (action) return (action.description || action.tool).split("\n")[0] ?? ""
  if (form.kind === "questions" && form.questions.length === 1) return form.questions[0]?.header ?? ""
  if (form.kind === "schema" || form.kind === "free") return form.text
  return value.question ?? value.description ?? ""
}

function riskKey(risk: string): "risk_read" | "risk_write" | "risk_execute" | "risk_network" {
  return risk === "write" || risk === "execute" || risk === "network" ? `risk_${risk}` : "risk_read"
}

/** Bring the call into view, and unfold it. */
function showCall(id: string): void {
  const line = document.querySelector<HTMLDetailsElement>(`[data-call="${CSS.escape(id)}"]`)
  if (!line) return
  line.open = true
  line.scrollIntoView({ block: "center" })
}
