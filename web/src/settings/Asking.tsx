import { useState } from "react"
import { models, policy, type Verdict } from "../api/settings"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { Failed, Tag } from "./Parts"
import { useLoaded } from "./useLoaded"

interface Kind {
  word: Key
  example: string
  args: (words: string) => Record<string, string>
}

const KINDS: Record<string, Kind> = {
  execute: { word: "setDoRun", example: "npm test", args: (command) => ({ command }) },
  read_file: { word: "setDoRead", example: ".env", args: (file_path) => ({ file_path }) },
  write_file: { word: "setDoWrite", example: "notes.txt", args: (file_path) => ({ file_path, content: "" }) },
  web_fetch: { word: "setDoFetch", example: "https://example.com/", args: (url) => ({ url }) },
}
export const TONES = { allow: "good", ask: "warn", deny: "bad" } as const
export const VERDICTS = { allow: "setAllowed", ask: "setAsked", deny: "setDenied" } as const
const USUAL = "coder"
const field = "min-h-9 rounded-lg border border-line bg-raised px-2 text-sm pointer-coarse:min-h-11"

/** Would this be allowed? Nothing is done. */
export function Asking() {
  const { say } = useLanguage()
  const told = useLoaded(models)
  const [agent, setAgent] = useState(USUAL)
  const [tool, setTool] = useState("execute")
  const [words, setWords] = useState("")
  const [verdict, setVerdict] = useState<Verdict | null>(null)
  const [problem, setProblem] = useState("")
  const kind = KINDS[tool]
  const agents = Object.keys(told.value?.agents ?? {})

  function ask() {
    if (!kind) return
    setProblem("")
    policy.explain(agent, tool, kind.args(words.trim())).then(setVerdict, (failure: unknown) => {
      setVerdict(null)
      setProblem(sentence(failure))
    })
  }
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault()
        ask()
      }}
    >
      <div className="flex flex-wrap gap-2">
        <select aria-label={say("agent")} value={agent} onChange={(event) => setAgent(event.target.value)} className={field}>
          {(agents.length ? agents : [USUAL]).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <select aria-label={say("setDo")} value={tool} onChange={(event) => setTool(event.target.value)} className={field}>
          {Object.entries(KINDS).map(([name, { word }]) => (
            <option key={name} value={name}>
              {say(word)}
            </option>
          ))}
        </select>
        <input
          aria-label={say("setDoWhat")}
          placeholder={kind?.example}
          value={words}
          required
          spellCheck={false}
          onChange={(event) => setWords(event.target.value)}
          className={`${field} min-w-0 flex-1 basis-48 px-3 font-mono`}
        />
        <Button type="submit" disabled={!words.trim()}>
          {say("setAskButton")}
        </Button>
      </div>
      {problem && <Failed words={problem} />}
      <div role="status" className="text-sm">
        {verdict && (
          <p className="flex flex-wrap items-center gap-2" data-testid="verdict">
            <Tag tone={TONES[verdict.verdict]}>{say(VERDICTS[verdict.verdict])}</Tag>
            <span className="min-w-0 [overflow-wrap:anywhere]">{verdict.reason}</span>
            <span className="font-mono text-[13px] text-soft">{verdict.rule}</span>
          </p>
        )}
      </div>
    </form>
  )
}
