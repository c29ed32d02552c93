import { X } from "lucide-react"
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { type Asked, isKept, one } from "../api/approvals"
import { Refused } from "../api/client"
import type { Approval, Decision, Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { sentence, type Session } from "../run/session"
import { Button } from "../ui/Button"
import { whoKey } from "./verdicts"
import { ApprovalCard } from "./ApprovalCard"
import { type Reply, replyOf } from "./forms"
import { type Stop, stopsOf } from "./stops"

interface Props {
  session: Pick<Session, "answer" | "resume" | "load">
  open: Approval[]
  assistant: string
}

/** What waits for the person, one at a time, above where they write. */
export default function Deck({ session, open, assistant }: Props) {
  const { say } = useLanguage()
  const stops = useMemo(() => stopsOf(open), [open])
  const [at, setAt] = useState("")
  const [folded, setFolded] = useState(false)
  const [decided, setDecided] = useState<Record<string, Decision>>({})
  const [late, setLate] = useState<Asked | "unknown" | null>(null)
  const [failed, setFailed] = useState<string[]>([])
  const deck = useRef<HTMLDivElement>(null)
  const byKey = useRef(false)
  const place = Math.max(0, stops.findIndex((stop) => stop.key === at))
  const current = stops[place]
  const key = current?.key

  const focus = () => deck.current?.querySelector<HTMLElement>('[data-testid="approval"]:not([hidden])')?.focus()
  useEffect(() => {
    function jump(event: KeyboardEvent) {
      if (event.code !== "KeyA" || !event.altKey || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      setFolded(false)
      focus()
    }
    window.addEventListener("keydown", jump)
    return () => window.removeEventListener("keydown", jump)
  }, [])
  useLayoutEffect(() => {
    if (!byKey.current) return
    byKey.current = false
    if (key) focus()
    else document.querySelector<HTMLElement>("form textarea.quiet")?.focus()
  }, [key])

  function turn(by: 1 | -1) {
    byKey.current = document.activeElement?.getAttribute("data-testid") === "approval"
    setAt(stops[(place + by + stops.length) % stops.length]?.key ?? "")
  }

  /** Send an answer; one that came late shows who was first. */
  async function send(asked: Approval, reply: Reply): Promise<void> {
    setLate(null)
    const first = await ("decision" in reply ? session.answer(asked, reply.decision) : session.resume(assistant, asked, reply.value)).catch(
      async (failure: unknown) => {
        if (isKept(asked) || !(failure instanceof Refused) || ![404, 409].includes(failure.status)) throw failure
        await session.load()
        return false
      },
    )
    if (!first) setLate(isKept(asked) ? await one(asked.approval_id).catch(() => "unknown" as const) : "unknown")
  }

  async function decide(stop: Stop, decision: Decision): Promise<void> {
    byKey.current = deck.current?.contains(document.activeElement) === true && !pressed.current
    if (stop.form.kind !== "actions") return send(stop.asked, { decision })
    if (!stop.batch.length) return send(stop.asked, replyOf(stop.asked, stop.form.dialect, [decision]))
    const now = { ...decided, [stop.key]: decision }
    setDecided(now)
    const next = stop.batch.find((action) => !now[action.key])
    if (next) setAt(next.key)
  }

  const single = stops.filter((stop) => stop.action?.verbs.includes("approve") && !stop.batch.length)
  async function approveAll(): Promise<void> {
    setFailed([])
    const problems: string[] = []
    for (const stop of single) {
      try {
        await decide(stop, { type: "approve" })
      } catch (failure) {
        problems.push(say("askAllFailed", { what: stop.action?.description || stop.action?.tool || "", why: sentence(failure) }))
      }
    }
    setFailed(problems)
  }
  function all(stop: Stop) {
    if (stop.batch.length) {
      const open = stop.batch.filter((action) => action.verbs.includes("approve") && !decided[action.key])
      const approved = Object.fromEntries(open.map((action) => [action.key, { type: "approve" } as const]))
      return open.length > 1 ? { n: open.length, approve: () => setDecided({ ...decided, ...approved }) } : undefined
    }
    return single.length > 1 && single.includes(stop) ? { n: single.length, approve: () => void approveAll() } : undefined
  }

  const pressed = useRef(false) // by a pointer: the focus stays where it is
  return (
    <div
      ref={deck}
      role="region"
      aria-label={say("askFor")}
      onPointerDownCapture={() => (pressed.current = true)}
      onKeyDownCapture={() => (pressed.current = false)}
      className="mx-auto w-full max-w-3xl space-y-2 px-3 has-[section]:pb-2 sm:px-4"
    >
      <p role="status" className="sr-only">
        {current && `${stops.length > 1 ? say("askPlace", { at: place + 1, all: stops.length }) : ""} ${askerOf(current) ?? assistant} ${say("asksYou")}`}
      </p>
      {late && <Late row={late} hide={() => setLate(null)} />}
      {failed.map((problem) => (
        <p key={problem} role="alert" className="rounded-lg bg-bad-bg px-3 py-2 text-sm text-bad">
          {problem}
        </p>
      ))}
      {stops.map((stop) => (
        <ApprovalCard
          key={stop.key}
          stop={stop}
          asker={askerOf(stop) ?? assistant}
          place={{ at: place + 1, all: stops.length }}
          turn={turn}
          shown={stop === current}
          folded={folded}
          fold={() => setFolded(!folded)}
          decide={(decision) => decide(stop, decision)}
          reply={(value: Json) => send(stop.asked, { value })}
          all={all(stop)}
          decided={decided[stop.key]}
          foot={stop.batch.length > 0 && <Batch stop={stop} decided={decided} send={send} />}
        />
      ))}
    </div>
  )
}

/** Who asks; the version of a role, which stands behind `@`, is nothing for a person. */
function askerOf(stop: Stop): string | undefined {
  return (stop.action?.shown.agent ?? stop.asked.agent)?.split("@")[0]
}

interface BatchProps {
  stop: Stop
  decided: Record<string, Decision>
  send: (asked: Approval, reply: Reply) => Promise<void>
}

/** How far a question about several calls is; nothing is sent before each has its decision. */
function Batch({ stop, decided, send }: BatchProps) {
  const { say } = useLanguage()
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState("")
  const { asked, form, batch } = stop
  const decisions = batch.flatMap((action) => decided[action.key] ?? [])
  async function submit() {
    if (form.kind !== "actions") return
    setSending(true)
    setProblem("")
    await send(asked, replyOf(asked, form.dialect, decisions)).catch((failure: unknown) => setProblem(sentence(failure)))
    setSending(false)
  }
  return (
    <div className="flex flex-wrap items-center justify-end gap-3 border-t border-line bg-panel px-3 py-2 text-sm sm:px-4">
      <span role="status">{say("askDecided", { done: decisions.length, all: batch.length })}</span>
      <Button look="main" disabled={sending || decisions.length < batch.length} onClick={() => void submit()}>
        {say("send")}
      </Button>
      {problem && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
    </div>
  )
}

/** A question that somebody else answered first. */
function Late({ row, hide }: { row: Asked | "unknown"; hide: () => void }) {
  const { say } = useLanguage()
  const who = row === "unknown" ? "" : (row.decided_by ?? "")
  const key = whoKey(who)
  const words =
    row !== "unknown" && row.status === "timeout"
      ? say("askLate")
      : row !== "unknown" && row.status === "superseded"
        ? say("askAside")
        : who
          ? say("askElsewhere", { who: key ? say(key) : who })
          : say("askElsewhereUnknown")
  return (
    <div role="status" className="flex items-center gap-2 rounded-lg border border-line bg-panel py-1 pr-1 pl-3 text-sm text-warn">
      <span className="min-w-0 flex-1">{words}</span>
      <Button look="bare" aria-label={say("askHide")} title={say("askHide")} onClick={hide}>
        <X size={14} aria-hidden />
      </Button>
    </div>
  )
}
