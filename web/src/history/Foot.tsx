import { ChevronLeft, ChevronRight, Pencil, RefreshCw } from "lucide-react"
import { useState, useSyncExternalStore } from "react"
import type { RunStart } from "../api/client"
import { useLanguage } from "../i18n/language"
import { withFiles } from "../run/attached"
import type { Fork } from "../run/branches"
import type { Said } from "../run/events"
import { sentence, type Session } from "../run/session"
import { Button } from "../ui/Button"
import { COMPOSER, rescue } from "./focus"
import { Reword } from "./Reword"

interface Props {
  one: Said
  session: Session
  start: Omit<RunStart, "input">
}

const SHY = "opacity-0 group-hover:opacity-100 group-focus-within:opacity-100 pointer-coarse:opacity-100 transition-opacity"
const SMALL = "!min-h-7 !px-1.5 pointer-coarse:!min-h-11"

/** What can be done at a message: say it otherwise, have it answered anew, look at its other branches. */
export function Foot({ one, session, start }: Props) {
  const { say } = useLanguage()
  const read = <Value,>(pick: (now: ReturnType<Session["snapshot"]>) => Value) => pick(session.snapshot())
  const foot = useSyncExternalStore(session.subscribe, () => read((now) => now.feet.get(one.id)))
  const looks = useSyncExternalStore(session.subscribe, () => read((now) => now.shown?.kind === "past"))
  const busy = useSyncExternalStore(session.subscribe, () => read((now) => now.run !== ""))
  const asked = useSyncExternalStore(session.subscribe, () => read((now) => now.approvals.length > 0))
  const editing = useSyncExternalStore(session.subscribe, () => read((now) => now.editing === one.id))
  const [problem, setProblem] = useState("")
  const [sure, setSure] = useState(false)
  if (!foot || looks) return null

  const attempt = (act: Promise<void>) => {
    setProblem("")
    setSure(false)
    act.catch((failure: unknown) => setProblem(sentence(failure)))
  }
  const answer = (act: Promise<void>) => attempt(act.finally(() => rescue(COMPOSER)))
  const go = (head: string, way: number) => attempt(session.show(head, "branch").then(() => follow(session, head, way)))
  const reason = busy ? say("historyBusy") : undefined
  const { edit, again, forks } = foot
  if (editing) {
    return (
      <Reword
        words={one.text}
        asked={asked}
        send={(words) => session.edit(one.id, withFiles(words, one.attached ?? []), start)}
        close={() => session.reword("")}
      />
    )
  }
  return (
    <>
      <div className="-mx-1 flex flex-wrap items-center text-soft" data-foot={one.id}>
        {one.role === "person" && edit && (
          <Button
            look="bare"
            className={`${SMALL} ${SHY}`}
            disabled={busy}
            aria-label={say("historyEdit")}
            title={reason ?? say("historyEdit")}
            onClick={() => session.reword(one.id)}
          >
            <Pencil size={14} aria-hidden />
          </Button>
        )}
        {forks.map((fork, index) => (
          <Ways key={index} fork={fork} go={go} />
        ))}
        {again && (
          <Button
            look="bare"
            className={one.role === "agent" ? "" : SMALL}
            disabled={busy}
            aria-label={say("historyAgain")}
            title={reason ?? say("historyAgainHint")}
            onClick={() => (asked ? setSure(true) : answer(session.again(again, start)))}
          >
            <RefreshCw size={14} aria-hidden />
          </Button>
        )}
      </div>
      {sure && again && (
        <div className="flex w-full flex-wrap items-center gap-2 text-sm text-warn" role="alert">
          {say("historyAsked")}
          <Button onClick={() => answer(session.again(again, start))}>{say("historyAgain")}</Button>
          <Button look="bare" autoFocus onClick={() => setSure(false)}>
            {say("cancel")}
          </Button>
        </div>
      )}
      {problem && (
        <p role="alert" className="w-full text-sm text-bad">
          {problem}
        </p>
      )}
    </>
  )
}

/** Keep the focus on the switch: on another branch it stands at another message. */
function follow(session: Session, head: string, way: number) {
  const place = [...session.ahead().feet].find(([, foot]) => foot.forks.some((fork) => fork.heads[fork.at] === head))?.[0]
  const at = place ? `[data-foot="${CSS.escape(place)}"] [data-way` : "none"
  rescue(`${at}="${way}"]:enabled`, `${at}]:enabled`, COMPOSER)
}

/** `‹ 2/3 ›`: the ways a conversation took from here. */
function Ways({ fork, go }: { fork: Fork; go: (head: string, way: number) => void }) {
  const { say } = useLanguage()
  const all = fork.heads.length
  const step = (by: 1 | -1, label: string, Icon: typeof ChevronLeft) => {
    const head = fork.heads[fork.at + by]
    return (
      <Button
        look="bare"
        className={SMALL}
        aria-label={label}
        title={label}
        disabled={head === undefined}
        data-way={by}
        onClick={() => head && go(head, by)}
      >
        <Icon size={15} aria-hidden />
      </Button>
    )
  }
  return (
    <span role="group" aria-label={say("historyWays")} className="inline-flex items-center text-sm">
      {step(-1, say("historyEarlierWay"), ChevronLeft)}
      <span className="tabular-nums" role="status" aria-label={say("historyWay", { n: fork.at + 1, all })}>
        {fork.at + 1}/{all}
      </span>
      {step(1, say("historyLaterWay"), ChevronRight)}
    </span>
  )
}
