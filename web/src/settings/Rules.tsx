import { policy, type Rule } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { TONES, VERDICTS } from "./Asking"
import { Rows, Shown, Tag } from "./Parts"
import { useLoaded } from "./useLoaded"

const SHOWN_PATTERNS = 4

/** The policy that holds, to read. */
export function Rules() {
  const { say } = useLanguage()
  const held = useLoaded(policy.get)
  return (
    <Shown loaded={held}>
      {({ policy: { floor, rules, default: otherwise } }) => (
        <div className="space-y-2">
          <List title={say("setFloor", { n: floor.length })} rules={floor} />
          <List title={say("setRulesCount", { n: rules.length })} rules={rules} />
          <p className="flex items-center gap-2 text-sm text-soft">
            {say("setOtherwise")} <Tag tone={TONES[otherwise]}>{say(VERDICTS[otherwise])}</Tag>
          </p>
        </div>
      )}
    </Shown>
  )
}

function List({ title, rules }: { title: string; rules: Rule[] }) {
  return (
    <details>
      <summary className="min-h-8 text-sm hover:text-accent pointer-coarse:min-h-11">{title}</summary>
      <Rows label={title}>
        {rules.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
            <Tag tone={TONES[one.effect]}>
              <Effect of={one} />
            </Tag>
            <span className="min-w-0 flex-1 basis-48 font-mono text-[13px] [overflow-wrap:anywhere]">{matched(one)}</span>
            <span className="min-w-0 text-soft [overflow-wrap:anywhere]">{one.reason}</span>
          </li>
        ))}
      </Rows>
    </details>
  )
}

function Effect({ of }: { of: Rule }) {
  const { say } = useLanguage()
  return say(VERDICTS[of.effect])
}

function matched({ action, argv, path }: Rule): string {
  const more = path.length > SHOWN_PATTERNS ? " …" : ""
  return [action, argv.join(" "), path.slice(0, SHOWN_PATTERNS).join(" ") + more].filter(Boolean).join(" ")
}
