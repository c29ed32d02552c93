import { useLanguage } from "../i18n/language"
import { Link } from "./Link"
import { PAGES } from "./pages"
import type { Route } from "./route"

interface Props {
  page: Route["page"]
  /** How many questions wait for an answer; none: "". */
  waiting: string
  visited: () => void
}

/** The way to the other pages. */
export function Navigation({ page, waiting, visited }: Props) {
  const { say } = useLanguage()
  const listed = Object.entries(PAGES).filter(([, one]) => one.listed)
  if (!listed.length) return null
  return (
    <nav aria-label={say("pages")} className="border-t border-line p-2">
      <ul className="space-y-0.5">
        {listed.map(([name, { Icon, word }]) => (
          <li key={name}>
            <Link
              href={`/${name}`}
              onClick={visited}
              aria-current={name === page ? "page" : undefined}
              className={`flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm pointer-coarse:min-h-11 ${name === page ? "bg-accent/12" : "hover:bg-line/40"}`}
            >
              <Icon size={16} className="text-soft" aria-hidden />
              <span className="flex-1">{say(word)}</span>
              {name === "inbox" && waiting && (
                <span className="rounded-full bg-warn-bg px-2 text-xs text-warn tabular-nums">{waiting}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
