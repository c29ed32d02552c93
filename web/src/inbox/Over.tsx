import { CircleAlert, CircleCheck } from "lucide-react"
import type { Ended } from "../api/inbox"
import { useLanguage } from "../i18n/language"
import { markSeen } from "../run/waiting"
import { Button } from "../ui/Button"
import type { LinkTo } from "./InboxPage"
import { Ago } from "./When"

/** What has ended since the person was here: what failed, and what took long. */
export function Over({ ended, Link }: { ended: Ended[]; Link: LinkTo }) {
  const { say } = useLanguage()
  if (!ended.length) return null
  return (
    <section aria-labelledby="worth-a-look" className="space-y-2">
      <div className="flex items-center gap-2">
        <h2 id="worth-a-look" className="flex-1 text-sm font-medium text-soft">
          {say("inboxWorth")}
        </h2>
        <Button look="bare" onClick={markSeen}>
          {say("inboxSeen")}
        </Button>
      </div>
      <ul className="overflow-hidden rounded-xl border border-line bg-raised">
        {ended.map((one) => (
          <li key={one.run_id} className="border-t border-line first:border-t-0">
            <Link
              href={`/t/${one.thread_id}`}
              className="flex min-h-10 flex-wrap items-center gap-x-2.5 px-3 py-1.5 text-sm hover:bg-panel pointer-coarse:min-h-11"
            >
              {one.failed ? (
                <CircleAlert size={15} className="shrink-0 text-bad" aria-hidden />
              ) : (
                <CircleCheck size={15} className="shrink-0 text-good" aria-hidden />
              )}
              <span className="min-w-0 flex-1 basis-40 truncate">{one.title || say("newThread")}</span>
              <span className="flex gap-3 text-xs text-soft">
                <span className={one.failed ? "text-bad" : ""}>{say(one.failed ? "inboxFailed" : "inboxFinished")}</span>
                <Ago at={one.ended_at} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
