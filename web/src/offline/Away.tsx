import { CloudOff } from "lucide-react"
import { tag, useLanguage } from "../i18n/language"

/** Says that the server is away, and of when what is shown is; `at` in ms, 0 while it is there. */
export function Away({ at }: { at: number }) {
  const { language, say } = useLanguage()
  const sameDay = new Date(at).toDateString() === new Date().toDateString()
  const time = new Intl.DateTimeFormat(tag(language), {
    timeStyle: "short",
    ...(sameDay ? {} : { dateStyle: "medium" as const }),
  }).format(at)
  return (
    <p role="status" className={at ? "flex items-center gap-2 bg-warn-bg px-4 py-2 text-sm text-warn" : "sr-only"}>
      {at > 0 && (
        <>
          <CloudOff size={16} className="shrink-0" aria-hidden /> {say("offlineSince", { time })}
        </>
      )}
    </p>
  )
}
