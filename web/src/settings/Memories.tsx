import { useState } from "react"
import { memories, type Memory } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"
import { Empty, Failed, Part, Rows, Shown, Tag } from "./Parts"
import { useLoaded } from "./useLoaded"

const MOST_CHARS = 500
const FIRST = 100 // on screen; more are shown when wanted

export function Memories() {
  const { say } = useLanguage()
  const known = useLoaded(memories.all)
  const [problem, setProblem] = useState("")
  const [all, setAll] = useState(false)

  /** Show it at once; taken back if the server says no. */
  async function attempt(one: Memory, after: Memory | null, act: () => Promise<unknown>) {
    known.set((now) => now.flatMap((other) => (other !== one ? [other] : after ? [after] : [])))
    setProblem("")
    try {
      await act()
    } catch (failure) {
      known.again()
      setProblem(sentence(failure))
    }
  }
  return (
    <Part alone title={say("setMemories")} about={say("setMemoriesAbout")}>
      <Shown loaded={known}>
        {(found) => (
          <>
            {problem && <Failed words={problem} />}
            {found.length === 0 && <Empty words={say("setMemoriesNone")} />}
            {found.length > 0 && (
              <Rows label={say("setMemories")}>
                {(all ? found : found.slice(0, FIRST)).map((one) => (
                  <Row
                    key={`${one.scope}/${one.key}`}
                    one={one}
                    change={(change) => void attempt(one, { ...one, ...change }, () => memories.change(one, change))}
                    forget={() => void attempt(one, null, () => memories.forget(one))}
                  />
                ))}
              </Rows>
            )}
            {!all && found.length > FIRST && <Button onClick={() => setAll(true)}>{say("setShowAll", { n: found.length })}</Button>}
          </>
        )}
      </Shown>
    </Part>
  )
}

interface Props {
  one: Memory
  change: (change: { fact?: string; approved?: boolean }) => void
  forget: () => void
}

function Row({ one, change, forget }: Props) {
  const { say } = useLanguage()
  const [fact, setFact] = useState<string | null>(null)
  const [sure, setSure] = useState(false)
  const save = () => {
    if (fact?.trim()) change({ fact: fact.trim() })
    setFact(null)
  }
  return (
    <li className="space-y-2 px-4 py-3">
      {fact === null ? (
        <p className="[overflow-wrap:anywhere]">{one.fact}</p>
      ) : (
        <textarea
          aria-label={say("setFact")}
          value={fact}
          maxLength={MOST_CHARS}
          rows={2}
          autoFocus
          onChange={(event) => setFact(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setFact(null)}
          className="w-full rounded-lg border border-line bg-page px-3 py-2"
        />
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Tag tone="plain">{say(one.scope === "user" ? "setOfYou" : "setOfProject")}</Tag>
        {!one.approved && <Tag tone="warn">{say("setNotTold")}</Tag>}
        <span className="mr-auto text-soft">{one.agent}</span>
        {!one.approved && <Button onClick={() => change({ approved: true })}>{say("setApprove")}</Button>}
        {fact === null ? (
          <Button onClick={() => setFact(one.fact)}>{say("edit")}</Button>
        ) : (
          <>
            <Button look="main" disabled={!fact.trim()} onClick={save}>
              {say("save")}
            </Button>
            <Button onClick={() => setFact(null)}>{say("cancel")}</Button>
          </>
        )}
        <Button look="bad" onClick={() => setSure(true)}>
          {say("setForget")}
        </Button>
      </div>
      {sure && (
        <Confirm question={say("setForgetSure")} about={one.fact} yes={say("setForget")} no={say("cancel")} act={forget} close={() => setSure(false)} />
      )}
    </li>
  )
}
