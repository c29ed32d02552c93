import { useEffect, useState } from "react"
import { checkpoints } from "../api/history"
import type { Json, WireMessage } from "../api/types"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { compare, type Difference, words } from "./compare"

interface Props {
  thread: string
  one: string
  other: string
}

const SHOWN = 4000 // characters of a value

/** What differs between two states, the earlier one first. */
export function Compared({ thread, one, other }: Props) {
  const { say } = useLanguage()
  const [found, setFound] = useState<Difference | null>(null)
  const [problem, setProblem] = useState("")
  useEffect(() => {
    let gone = false
    const [before = one, after = other] = [one, other].sort()
    Promise.all([checkpoints.state(thread, before), checkpoints.state(thread, after)])
      .then(([old, now]) => !gone && setFound(compare(old.values, now.values)))
      .catch((failure: unknown) => !gone && setProblem(sentence(failure)))
    return () => {
      gone = true
    }
  }, [thread, one, other])

  if (problem)
    return (
      <p role="alert" className="text-bad">
        {problem}
      </p>
    )
  if (!found) return <p className="text-soft">{say("loading")}</p>
  const { added, gone, changed, keys } = found
  const nothing = !added.length && !gone.length && !changed.length && !keys.length
  return (
    <div className="space-y-3" role="group" aria-label={say("historyCompare")} data-testid="compared">
      {nothing && <p className="text-soft">{say("historySame")}</p>}
      <Said sign="+" look="bg-good-bg text-good" all={added} word={say("historyMessagesAdded", { n: added.length })} />
      <Said sign="−" look="bg-bad-bg text-bad" all={gone} word={say("historyMessagesGone", { n: gone.length })} />
      <Said
        sign="±"
        look="bg-warn-bg text-warn"
        all={changed.map((each) => each.after)}
        word={say("historyMessagesChanged", { n: changed.length })}
      />
      {keys.length > 0 && (
        <div className="space-y-1.5">
          <p className="text-xs text-soft">{say("historyKeys")}</p>
          {keys.map(({ key, before, after }) => (
            <details key={key} className="overflow-hidden rounded-lg border border-line">
              <summary className="flex min-h-8 items-center gap-2 px-3 font-mono text-[13px] hover:bg-panel">
                <span className="min-w-0 flex-1 truncate">{key}</span>
                {before === undefined && <span className="font-sans text-xs text-good">{say("historyKeyAdded")}</span>}
                {after === undefined && <span className="font-sans text-xs text-bad">{say("historyKeyGone")}</span>}
              </summary>
              {before !== undefined && <Value look="bg-bad-bg text-bad" value={before} />}
              {after !== undefined && <Value look="bg-good-bg text-good" value={after} />}
            </details>
          ))}
        </div>
      )}
    </div>
  )
}

function Said({ sign, look, all, word }: { sign: string; look: string; all: WireMessage[]; word: string }) {
  if (!all.length) return null
  return (
    <div className="space-y-1">
      <p className="text-xs text-soft">{word}</p>
      <ul className="overflow-hidden rounded-lg border border-line">
        {all.map((one) => (
          <li key={one.id} className={`flex gap-2 px-3 py-1 ${look}`}>
            <span aria-hidden>{sign}</span>
            <span className="shrink-0 font-medium">{one.name || one.type}</span>
            <span className="min-w-0 truncate">{words(one)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Value({ look, value }: { look: string; value: Json }) {
  const text = JSON.stringify(value, null, 2)
  return (
    <pre tabIndex={0} className={`max-h-60 overflow-auto px-3 py-2 font-mono text-[13px] leading-5 ${look}`}>
      {text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}
    </pre>
  )
}
