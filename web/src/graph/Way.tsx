import { MessageSquare } from "lucide-react"
import { useLanguage, type Say } from "../i18n/language"
import type { Shown } from "./follow"
import { deepest } from "./marks"

/** How the run goes, in a sentence that is also spoken. */
export function Way({ thread, way, failed }: { thread: string; way: Shown | null; failed: string }) {
  const { say } = useLanguage()
  return (
    <section aria-label={say("graphLive")} className="space-y-1.5 rounded-xl border border-line bg-panel px-3.5 py-3 text-sm">
      <h2 className="font-semibold">{say("graphLive")}</h2>
      {failed ? (
        <p role="alert" className="text-bad">
          {failed}
        </p>
      ) : (
        <p role="status" data-testid="way" className="[overflow-wrap:anywhere]">
          {way ? told(way, say) : say("loading")}
        </p>
      )}
      <a href={`/t/${thread}`} className="inline-flex min-h-6 items-center gap-1.5 text-accent hover:underline pointer-coarse:min-h-11">
        <MessageSquare size={14} aria-hidden /> {say("graphConversation")}
      </a>
    </section>
  )
}

function told({ path, status }: Shown, say: Say): string {
  const list = (places: Iterable<string>) => deepest(places).map(readable).join(", ")
  if (!status) return say("graphNever")
  if (path.running.size) return say("graphRuns", { way: list(path.running.values()) })
  if (path.failed.size) return say("graphStopped", { way: list(path.failed) })
  if (path.waits.size) return say("graphWaits", { way: list(path.waits) })
  const passed = [...path.passed].sort(([, a], [, b]) => a.order - b.order).map(([place]) => readable(place))
  const live = status === "running" || status === "pending"
  if (live && !passed.length) return say("graphStarts")
  return say(live ? "graphSoFar" : "graphOver", { way: passed.join(" → ") })
}

function readable(place: string): string {
  return place.replaceAll(":", " › ")
}
