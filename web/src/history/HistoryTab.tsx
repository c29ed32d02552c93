import { useEffect, useMemo, useState } from "react"
import { useLanguage } from "../i18n/language"
import { follows, grow } from "../run/branches"
import { sentence } from "../run/session"
import type { TabProps } from "../shell/tabs"
import { Button } from "../ui/Button"
import { Actions } from "./Actions"
import { rows } from "./lanes"
import { Moment } from "./Moment"

/** The states of a conversation, newest first, its branches in lanes. One that is chosen is shown in place of the newest. */
export default function HistoryTab({ session, now }: TabProps) {
  const { say } = useLanguage()
  const { past, shown } = now
  const [problem, setProblem] = useState("")
  const head = past[0]?.checkpoint_id ?? ""
  const drawn = useMemo(() => rows(past, head), [past, head])
  const nodes = useMemo(() => grow(past).nodes, [past])
  const here = shown?.checkpoint ?? drawn[0]?.one.checkpoint_id ?? ""

  const attempt = (act: Promise<void>) => {
    setProblem("")
    act.catch((failure: unknown) => setProblem(sentence(failure)))
  }
  useEffect(() => {
    session.remember().catch((failure: unknown) => setProblem(sentence(failure)))
  }, [session])

  function walk(event: React.KeyboardEvent<HTMLOListElement>) {
    const all = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button[data-moment]")]
    const at = all.indexOf(document.activeElement as HTMLButtonElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key]
    if (at < 0 || to === undefined) return
    event.preventDefault()
    all[Math.max(0, Math.min(all.length - 1, to))]?.focus()
  }

  return (
    <div className="py-2">
      {problem && (
        <div role="alert" className="mx-4 mb-2 flex flex-wrap items-center gap-3 text-sm text-bad">
          {problem}
          <Button onClick={() => attempt(session.remember())}>{say("retry")}</Button>
        </div>
      )}
      {!drawn.length && !problem && <p className="px-4 py-2 text-sm text-soft">{say("historyEmpty")}</p>}
      <ol aria-label={say("historyList")} onKeyDown={walk}>
        {drawn.map((row, place) => {
          const { one } = row
          const id = one.checkpoint_id
          return (
            <Moment
              key={id}
              row={row}
              before={nodes.get(follows(nodes, one))}
              head={place === 0}
              open={id === here}
              choose={() => (place === 0 ? session.back() : attempt(session.show(id, "past")))}
            >
              {id === here && <Actions key={id} one={one} past={past} session={session} busy={now.run !== ""} head={place === 0} />}
            </Moment>
          )
        })}
      </ol>
      {now.older && (
        <Button look="bare" className="mx-4 my-2" onClick={() => attempt(session.remember({ older: true }))}>
          {say("historyOlder")}
        </Button>
      )}
    </div>
  )
}
