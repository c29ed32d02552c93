import { ShieldQuestion } from "lucide-react"
import { type KeyboardEvent, useEffect, useMemo, useState } from "react"
import type { Approval, Args, Decision, Json, Question } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { count, Diff } from "../ui/Diff"
import { questionsOf } from "./answers"
import { Parts, partsOf } from "./Parts"
import { EditPlan, Steps } from "./Plan"
import { Questions } from "./Questions"

interface Props {
  asked: Approval
  place: string
  answer: (asked: Approval, decision: Decision) => Promise<boolean>
  resume: (answer: Json) => Promise<void>
}

type Mode = "asked" | "edit" | "reject" | "respond"

const KEYS: Record<string, "approve" | "edit" | "reject"> = { KeyA: "approve", KeyE: "edit", KeyR: "reject" }

/** A question to the person. Nothing here has the focus by itself, so no stray Enter approves anything. */
export function ApprovalCard({ asked, place, answer, resume }: Props) {
  const { say } = useLanguage()
  const [mode, setMode] = useState<Mode>("asked")
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState("")
  const told = Array.isArray(asked.value) ? asked.value[0] : asked.value // a list of one: Agent Inbox's form
  const value = (told && typeof told === "object" ? told : {}) as Question

  async function send(act: () => Promise<unknown>) {
    setSending(true)
    setProblem("")
    try {
      await act()
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    } finally {
      setSending(false)
    }
  }
  const decide = (decision: Decision) => void send(() => answer(asked, decision))
  const questions = asked.kind === "question" ? questionsOf(asked.value as Json) : []
  const files = value.artel?.files ?? []
  const parts = partsOf(files)
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const taken = parts.filter((id) => !left.has(id))
  const offers = (value.artel?.grants ?? []).flatMap((offer) =>
    offer.scopes.map((scope) => ({ key: `${offer.id} ${scope}`, label: offer.label, grant: { scope, covers: offer.id } })),
  )
  const [kept, setKept] = useState("")
  const grant = left.size ? undefined : offers.find((offer) => offer.key === kept)?.grant
  const approve = () =>
    decide({ type: "approve", ...(left.size ? { hunks: taken } : {}), ...(grant ? { grant } : {}) })
  const mayApprove = parts.length === 0 || taken.length > 0
  function choose(ids: string[], wanted: boolean) {
    setLeft((before) => {
      const after = new Set(before)
      for (const id of ids) {
        if (wanted) after.delete(id)
        else after.add(id)
      }
      return after
    })
  }
  const diff = value.artel?.diff
  const heading = questions.length > 1 ? say("questions", { n: questions.length }) : (questions[0]?.question ?? title(asked, value))
  const size = useMemo(() => (diff ? count(diff) : null), [diff])
  const decided = asked.kind === "tool_call" || asked.kind === "plan"
  const choosing = decided && mode === "asked" && !sending

  /** Letters answer only while the card itself has the focus, so no stray key approves anything. */
  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.target !== event.currentTarget || !choosing || event.ctrlKey || event.metaKey || event.altKey) return
    const act = KEYS[event.code]
    if (!act) return
    event.preventDefault()
    if (act !== "approve") setMode(act)
    else if (mayApprove) approve()
  }

  return (
    <section
      aria-label={`${value.artel?.agent ?? ""} ${say("asksYou")}: ${heading}`}
      aria-describedby={choosing ? `keys-${asked.approval_id}` : undefined}
      data-testid="approval"
      tabIndex={0}
      onKeyDown={onKeyDown}
      className="overflow-hidden rounded-xl border border-warn/40 bg-raised shadow-[0_6px_20px_-8px_rgb(0_0_0/0.15)]"
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-warn-bg px-3 py-2.5 text-sm sm:px-4">
        <ShieldQuestion size={18} className="shrink-0 text-warn" aria-hidden />
        <h2 className="min-w-0 font-semibold [overflow-wrap:anywhere]">{heading}</h2>
        <span className="ml-auto flex gap-3 text-xs text-soft">
          {place && <span>{place}</span>}
          <Countdown until={asked.expires_at} />
        </span>
      </header>
      <div className="space-y-3 p-3 sm:p-4">
        <p className="flex flex-wrap gap-x-2 text-sm text-soft">
          <span>
            {value.artel?.agent && <b className="font-medium text-ink">{value.artel.agent}</b>} {say("asksYou")}
            {value.artel?.risk && ` · ${say(riskKey(value.artel.risk))}`}
          </span>
          {value.artel?.path && parts.length < 2 && (
            <span className="ml-auto flex min-w-0 gap-2 font-mono text-[13px]">
              <span className="truncate text-ink">{value.artel.path}</span>
              {size && (
                <>
                  <span className="sr-only">{say("changed", size)}</span>
                  <span className="text-good" aria-hidden>
                    +{size.added}
                  </span>
                  <span className="text-bad" aria-hidden>
                    −{size.removed}
                  </span>
                </>
              )}
            </span>
          )}
        </p>
        {value.artel?.problem && <p className="text-sm text-bad">{value.artel.problem}</p>}
        {value.artel?.tainted && <p className="text-sm text-warn">{say("tainted")}</p>}
        {parts.length > 1 && mode !== "edit" && (
          <Parts files={files} chosen={new Set(taken)} choose={choose} />
        )}
        {diff && parts.length < 2 && mode !== "edit" && (
          <Diff diff={diff} label={value.artel?.path ?? "diff"} more={(n) => say("showAll", { n })} />
        )}
        {!diff && asked.kind === "tool_call" && mode !== "edit" && (
          <pre
            className="max-h-72 overflow-auto rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
            tabIndex={0}
            role="group"
            aria-label={say("args")}
          >
            {value.artel?.command ?? JSON.stringify(asked.args ?? asked.value, null, 2)}
          </pre>
        )}
        {asked.kind === "plan" && mode !== "edit" && <Steps steps={value.plan?.steps ?? []} />}
        {questions.length > 0 ? (
          <Questions questions={questions} sending={sending} decide={decide} />
        ) : asked.kind === "question" ? (
          <Choice value={value} sending={sending} decide={decide} />
        ) : !decided ? (
          <JsonAnswer asked={asked.value as Json} sending={sending} send={(said) => void send(() => resume(said))} />
        ) : mode === "asked" ? (
          <div className="flex flex-wrap items-center gap-2">
            {offers.length > 0 && left.size === 0 && (
              <select
                aria-label={say("askAgain")}
                value={kept}
                onChange={(event) => setKept(event.target.value)}
                className="mb-1 w-full min-w-0 rounded-lg border border-line bg-page px-2 py-1.5 text-sm pointer-coarse:min-h-11"
              >
                <option value="">{say("askEachTime")}</option>
                {offers.map((offer) => (
                  <option key={offer.key} value={offer.key}>
                    {say(`grant_${offer.grant.scope}`, { what: offer.label })}
                  </option>
                ))}
              </select>
            )}
            <Button look="main" disabled={sending || !mayApprove} onClick={approve}>
              {left.size ? say("approveParts", { n: taken.length, all: parts.length }) : say("approve")}
            </Button>
            <Button disabled={sending} onClick={() => setMode("edit")}>
              {say("edit")}
            </Button>
            <Button look="bad" disabled={sending} onClick={() => setMode("reject")}>
              {say("reject")}
            </Button>
            <Button look="bare" disabled={sending} onClick={() => setMode("respond")}>
              {say("respond")}
            </Button>
            <span id={`keys-${asked.approval_id}`} className="sr-only">
              {say("onlyFocused")}
            </span>
          </div>
        ) : mode === "edit" && asked.kind === "plan" ? (
          <EditPlan args={value.args ?? {}} sending={sending} decide={decide} back={() => setMode("asked")} />
        ) : mode === "edit" ? (
          <EditArgs asked={asked} sending={sending} decide={decide} back={() => setMode("asked")} />
        ) : (
          <Say mode={mode} sending={sending} decide={decide} back={() => setMode("asked")} />
        )}
        {problem && (
          <p role="alert" className="text-sm text-bad">
            {problem}
          </p>
        )}
      </div>
    </section>
  )
}

function title(asked: Approval, value: Question): string {
  return value.question ?? value.description ?? asked.tool ?? asked.kind
}

function riskKey(risk: string): "risk_read" | "risk_write" | "risk_execute" | "risk_network" {
  return risk === "write" || risk === "execute" || risk === "network" ? `risk_${risk}` : "risk_read"
}

function Countdown({ until }: { until: string | null }) {
  const { say } = useLanguage()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  if (!until) return null
  const left = Math.max(0, Math.round((Date.parse(until) - now) / 1000))
  if (!left) return <span>{say("expired")}</span>
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`
  return <span className="tabular-nums">{say("expires", { time })}</span>
}

interface Part {
  sending: boolean
  decide: (decision: Decision) => void
  back: () => void
}

const ORDER = ["file_path", "path", "old_string", "new_string", "content"]
const LONG = new Set(["old_string", "new_string", "content"])

/** Where first, then what is there, then what shall be; the database keeps no order. */
function inOrder(args: Args): [string, Json][] {
  const place = (name: string) => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1)
  return Object.entries(args).sort(([one], [other]) => place(one) - place(other))
}

/** Texts as text areas, the rest as JSON: numbers stay numbers. */
function EditArgs({ asked, sending, decide, back }: Part & { asked: Approval }) {
  const { say } = useLanguage()
  const [args, setArgs] = useState<Args>(asked.args ?? {})
  const [wrong, setWrong] = useState("")
  const set = (name: string, value: Json) => setArgs((before) => ({ ...before, [name]: value }))
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault()
        decide({ type: "edit", edited_action: { name: asked.tool ?? "", args } })
      }}
    >
      <p className="text-sm text-soft">{say("editing")}</p>
      {inOrder(args).map(([name, value]) => (
        <label key={name} className="block text-sm">
          <span className="font-mono text-soft">{name}</span>
          <textarea
            className="mt-1 block w-full resize-y rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
            rows={Math.min(16, Math.max(LONG.has(name) ? 3 : 1, String(value).split("\n").length))}
            defaultValue={typeof value === "string" ? value : JSON.stringify(value)}
            onChange={(event) => {
              if (typeof (asked.args ?? {})[name] === "string") return set(name, event.target.value)
              try {
                set(name, JSON.parse(event.target.value) as Json)
                setWrong("")
              } catch {
                setWrong(say("notJson"))
              }
            }}
          />
        </label>
      ))}
      {wrong && <p className="text-sm text-bad">{wrong}</p>}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" disabled={sending || wrong !== ""}>
          {say("sendEdited")}
        </Button>
        <Button onClick={back}>{say("back")}</Button>
      </div>
    </form>
  )
}

/** A no with its reason, or words in place of the tool's result. */
function Say({ mode, sending, decide, back }: Part & { mode: "reject" | "respond" }) {
  const { say } = useLanguage()
  const [words, setWords] = useState("")
  const said = words.trim()
  const label = say(mode === "reject" ? "reason" : "respondHint")
  return (
    <form
      className="flex flex-wrap gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        if (mode === "respond") decide({ type: "respond", message: said })
        else decide(said ? { type: "reject", message: said } : { type: "reject" })
      }}
    >
      <input
        autoFocus
        aria-label={label}
        placeholder={label}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && back()}
        className="min-w-0 flex-1 basis-60 rounded-lg border border-line bg-page px-3 py-1.5 text-sm"
      />
      <Button type="submit" look={mode === "reject" ? "bad" : "plain"} disabled={sending || (mode === "respond" && !said)}>
        {say(mode)}
      </Button>
      <Button look="bare" onClick={back}>
        {say("back")}
      </Button>
    </form>
  )
}

function Choice({ value, sending, decide }: { value: Question } & Omit<Part, "back">) {
  const { say } = useLanguage()
  const [words, setWords] = useState("")
  return (
    <div className="flex flex-wrap gap-2">
      {value.options?.map((option) => (
        <Button key={option.id} disabled={sending} onClick={() => decide({ type: "respond", message: option.id })}>
          {option.label}
        </Button>
      ))}
      <form
        className="flex min-w-0 flex-1 basis-60 gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (words.trim()) decide({ type: "respond", message: words.trim() })
        }}
      >
        <input
          aria-label={say("answer")}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="min-w-0 flex-1 rounded-lg border border-line bg-page px-3 py-1.5 text-sm"
        />
        <Button type="submit" disabled={sending || !words.trim()}>
          {say("answer")}
        </Button>
      </form>
    </div>
  )
}

function JsonAnswer({ asked, sending, send }: { asked: Json; sending: boolean; send: (answer: Json) => void }) {
  const { say } = useLanguage()
  const [text, setText] = useState(() => suggested(asked))
  const [wrong, setWrong] = useState(false)
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault()
        try {
          const said = JSON.parse(text) as Json
          setWrong(false)
          send(said)
        } catch {
          setWrong(true)
        }
      }}
    >
      <pre
        className="max-h-72 overflow-auto rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
        tabIndex={0}
        role="group"
        aria-label={say("args")}
      >
        {JSON.stringify(asked, null, 2)}
      </pre>
      <p className="text-sm text-soft">{say("unknownQuestion")}</p>
      <textarea
        aria-label={say("answer")}
        rows={Math.min(12, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="block w-full resize-y rounded-lg border border-line bg-page p-2 font-mono text-[13px]"
      />
      {wrong && <p className="text-sm text-bad">{say("notJson")}</p>}
      <Button type="submit" disabled={sending}>
        {say("answer")}
      </Button>
    </form>
  )
}

/** The usual form of an answer, to be changed before it is sent. */
function suggested(asked: Json): string {
  const many = asked && typeof asked === "object" && !Array.isArray(asked) ? asked["action_requests"] : null
  if (!Array.isArray(many)) return '"yes"'
  return JSON.stringify({ decisions: many.map(() => ({ type: "reject", message: "" })) }, null, 2)
}
