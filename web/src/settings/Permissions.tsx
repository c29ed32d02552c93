import { useState } from "react"
import { type Grant, grants, MOST_GRANTS } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { Asking } from "./Asking"
import { Empty, Failed, Part, Rows, Shown } from "./Parts"
import { Rules } from "./Rules"
import { useLoaded } from "./useLoaded"

export function Permissions() {
  const { say } = useLanguage()
  return (
    <>
      <Part title={say("setGrants")} about={say("setGrantsAbout")}>
        <Grants />
      </Part>
      <Part title={say("setAsk")} about={say("setAskAbout")}>
        <Asking />
      </Part>
      <Part title={say("setRules")} about={say("setRulesAbout")}>
        <Rules />
      </Part>
    </>
  )
}

function Grants() {
  const { say } = useLanguage()
  const given = useLoaded(grants.all)
  const [problem, setProblem] = useState("")
  const [going, setGoing] = useState("")

  /** It is gone from the list when the server says so: until then it still allows. */
  function revoke(one: Grant) {
    setGoing(one.grant_id)
    setProblem("")
    grants
      .revoke(one.grant_id)
      .then(
        () => given.set((now) => now.filter((other) => other.grant_id !== one.grant_id)),
        (failure: unknown) => setProblem(sentence(failure)),
      )
      .finally(() => setGoing(""))
  }
  return (
    <Shown loaded={given}>
      {(found) => (
        <>
          {problem && <Failed words={problem} />}
          {found.length === 0 && <Empty words={say("setGrantsNone")} />}
          {found.length > 0 && (
            <Rows label={say("setGrants")}>
              {found.map((one) => (
                <Row key={one.grant_id} grant={one} going={going === one.grant_id} revoke={() => revoke(one)} />
              ))}
            </Rows>
          )}
          {found.length >= MOST_GRANTS && <p className="text-sm text-soft">{say("setNewest", { n: MOST_GRANTS })}</p>}
        </>
      )}
    </Shown>
  )
}

const SCOPES = { thread: "setScopeThread", project: "setScopeProject", always: "setScopeAlways" } as const

function Row({ grant, going, revoke }: { grant: Grant; going: boolean; revoke: () => void }) {
  const { language, say } = useLanguage()
  const day = (time: string) => new Date(time).toLocaleDateString(language === "ru" ? "ru" : "en")
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium [overflow-wrap:anywhere]">{grant.label}</p>
        <p className="text-soft [overflow-wrap:anywhere]">
          {say(SCOPES[grant.scope])}
          {grant.workspace && ` ${grant.workspace}`}
          {` · ${say("setUsed", { n: grant.used })}`}
          {grant.expires_at && ` · ${say("setUntil", { day: day(grant.expires_at) })}`}
        </p>
      </div>
      {grant.thread_id && (
        <a href={`/t/${grant.thread_id}`} className="text-accent hover:underline">
          {say("conversation")}
        </a>
      )}
      <Button onClick={revoke} disabled={going} aria-label={say("setRevokeOne", { what: grant.label })}>
        {say("setRevoke")}
      </Button>
    </li>
  )
}
