import { info } from "../api/client"
import { useLanguage } from "../i18n/language"
import { Empty, Part, Rows, Shown } from "./Parts"
import { useLoaded } from "./useLoaded"

export function About() {
  const { say } = useLanguage()
  const told = useLoaded(info)
  return (
    <Shown loaded={told}>
      {({ version, model, roots, off }) => (
        <>
          <Part title={`Artel ${version}`} about={say("setLicence")}>
            <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
              <dt className="text-soft">{say("graphModel")}</dt>
              <dd className="[overflow-wrap:anywhere]">{model ? (model.offline ? say("offline") : model.label) : "—"}</dd>
              <dt className="text-soft">{say("setRoots")}</dt>
              <dd className="font-mono text-[13px] [overflow-wrap:anywhere]">{roots.join(", ") || "—"}</dd>
            </dl>
            <ul className="flex flex-wrap gap-x-4 text-sm">
              {LINKS.map(([href, word]) => (
                <li key={href}>
                  <a href={href} target="_blank" rel="noreferrer" className="inline-flex min-h-6 items-center text-accent hover:underline pointer-coarse:min-h-11">
                    {say(word)}
                  </a>
                </li>
              ))}
            </ul>
          </Part>
          <Part title={say("setOff")} about={say("setOffAbout")}>
            {off.length ? (
              <Rows label={say("setOff")}>
                {off.map((words) => (
                  <li key={words} className="px-4 py-3 [overflow-wrap:anywhere]">
                    {words}
                  </li>
                ))}
              </Rows>
            ) : (
              <Empty words={say("setNothingOff")} />
            )}
          </Part>
        </>
      )}
    </Shown>
  )
}

const LINKS = [
  ["/docs", "setApiDocs"],
  ["/openapi.json", "setOpenApi"],
  ["/metrics", "setMetrics"],
] as const
