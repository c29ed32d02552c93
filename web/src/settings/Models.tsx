import { Fragment } from "react"
import { health, models, type ModelStanding } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { Empty, Failed, Part, Rows, Shown, Tag } from "./Parts"
import { useLoaded } from "./useLoaded"

const STATES = {
  closed: { tone: "good", word: "setModelClosed" },
  half_open: { tone: "warn", word: "setModelHalfOpen" },
  open: { tone: "bad", word: "setModelOpen" },
} as const
const HOW = ["ARTEL_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY"]

export function Models() {
  const { say } = useLanguage()
  const told = useLoaded(models)
  const now = useLoaded(health)
  return (
    <>
      <Part alone title={say("setModels")} about={say("setModelsAbout", { names: HOW.join(", ") })}>
        <Shown loaded={told}>
          {(found) => (
            <>
              {found.problem && <Failed words={found.problem} />}
              {found.models.length ? (
                <Rows label={say("setModels")}>
                  {found.models.map((one) => (
                    <Standing key={one.model} one={one} place={found.default.indexOf(one.model)} />
                  ))}
                </Rows>
              ) : (
                <Empty words={say("setModelsNone")} />
              )}
            </>
          )}
        </Shown>
      </Part>
      <Part title={say("setAgents")} about={say("setAgentsAbout")}>
        <Shown loaded={told}>
          {({ agents }) => (
            <dl className="grid grid-cols-[minmax(0,auto)_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
              {Object.entries(agents).map(([name, chain]) => (
                <Fragment key={name}>
                  <dt className="text-soft [overflow-wrap:anywhere]">{name}</dt>
                  <dd className="font-mono text-[13px] [overflow-wrap:anywhere]">{chain.join(" → ")}</dd>
                </Fragment>
              ))}
            </dl>
          )}
        </Shown>
      </Part>
      <Part title={say("setHealth")}>
        <Shown loaded={now}>
          {({ dependencies }) => (
            <Rows label={say("setHealth")}>
              {Object.entries(dependencies).map(([name, { status, reason }]) => (
                <li key={name} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
                  <span className="font-medium">{name}</span>
                  <span className="min-w-0 flex-1 text-soft [overflow-wrap:anywhere]">{reason}</span>
                  <Tag tone={status === "ok" ? "good" : "warn"}>{status}</Tag>
                </li>
              ))}
            </Rows>
          )}
        </Shown>
      </Part>
    </>
  )
}

function Standing({ one, place }: { one: ModelStanding; place: number }) {
  const { language, say } = useLanguage()
  const number = (n: number) => n.toLocaleString(language === "ru" ? "ru" : "en", { maximumFractionDigits: 2 })
  const { tone, word } = STATES[one.state]
  const facts = [
    place === 0 ? say("setModelFirst") : place > 0 ? say("setModelNext", { n: place + 1 }) : "",
    one.window ? say("setModelWindow", { n: number(one.window) }) : "",
    one.price ? say("setModelPrice", { input: number(one.price.input), output: number(one.price.output) }) : say("setModelUnpriced"),
    one.latency.whole_p50_s ? say("setModelTook", { n: number(one.latency.whole_p50_s), answers: one.latency.answers }) : "",
    one.rate_left ? say("setModelLeft", { left: Object.entries(one.rate_left).map(([what, n]) => `${what} ${number(n)}`).join(", ") }) : "",
  ]
  return (
    <li className="space-y-1 px-4 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 flex-1 font-mono text-[13px] font-medium [overflow-wrap:anywhere]">{one.model}</span>
        <Tag tone={tone}>{say(word)}</Tag>
      </div>
      <p className="text-soft">{facts.filter(Boolean).join(" · ")}</p>
      {one.last_error && <p className="text-bad [overflow-wrap:anywhere]">{one.last_error}</p>}
    </li>
  )
}
