import { RotateCcw } from "lucide-react"
import { useState } from "react"
import { mcp, type McpServer } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { Empty, Part, Rows, Shown, Tag } from "./Parts"
import { useLoaded } from "./useLoaded"

const STATES = {
  idle: { tone: "plain", word: "setMcpIdle" },
  connecting: { tone: "warn", word: "setMcpConnecting" },
  ready: { tone: "good", word: "setMcpReady" },
  failed: { tone: "bad", word: "setMcpFailed" },
} as const

export function Tools() {
  const { say } = useLanguage()
  const servers = useLoaded(mcp.all)
  return (
    <Part title={say("setMcp")} about={say("setMcpAbout")}>
      <Shown loaded={servers}>
        {(found) =>
          found.length ? (
            <Rows label={say("setMcp")}>
              {found.map((one) => (
                <Row key={one.name} one={one} changed={(fresh) => servers.set((now) => now.map((old) => (old.name === fresh.name ? fresh : old)))} />
              ))}
            </Rows>
          ) : (
            <Empty words={say("setMcpNone")} />
          )
        }
      </Shown>
    </Part>
  )
}

function Row({ one, changed }: { one: McpServer; changed: (fresh: McpServer) => void }) {
  const { say } = useLanguage()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const { tone, word } = STATES[one.state]

  async function restart() {
    setBusy(true)
    setProblem("")
    try {
      changed(await mcp.restart(one.name))
    } catch (failure) {
      setProblem(sentence(failure))
    }
    setBusy(false)
  }
  return (
    <li className="space-y-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 flex-1 font-medium [overflow-wrap:anywhere]">{one.name}</span>
        <Tag tone={tone}>{say(word)}</Tag>
        <Button disabled={busy} aria-label={say("setRestartOne", { name: one.name })} onClick={() => void restart()}>
          <RotateCcw size={14} className={busy ? "turns" : ""} aria-hidden /> {say("setRestart")}
        </Button>
      </div>
      <p className="text-soft [overflow-wrap:anywhere]">{[one.transport, one.agents.join(", ")].filter(Boolean).join(" · ")}</p>
      {(problem || one.error) && <p className="text-bad [overflow-wrap:anywhere]">{problem || one.error}</p>}
      {one.tools.length > 0 && (
        <details>
          <summary className="min-h-6 text-soft hover:text-ink">{say("setMcpTools", { n: one.tools.length })}</summary>
          <ul className="space-y-1 pt-1">
            {one.tools.map((tool) => (
              <li key={tool.name} className="[overflow-wrap:anywhere]">
                <span className="font-mono text-[13px]">{tool.name}</span> <span className="text-soft">{tool.description}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {one.left_out.map((words) => (
        <p key={words} className="text-warn [overflow-wrap:anywhere]">
          {words}
        </p>
      ))}
    </li>
  )
}
