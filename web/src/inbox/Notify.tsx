import { Bell, BellOff } from "lucide-react"
import { useState } from "react"
import { useLanguage } from "../i18n/language"
import { permission, want } from "./notices"

/** Whether the browser tells the person that something waits; it asks them only when this is turned on. */
export function Notify() {
  const { say } = useLanguage()
  const [now, setNow] = useState(permission)
  if (now === "unknown") return null
  const on = now === "on"
  const Icon = on ? Bell : BellOff
  return (
    <div className="min-w-0 text-sm">
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-describedby={now === "denied" ? "notify-denied" : undefined}
        onClick={() => void want(!on).then(setNow)}
        className="flex min-h-9 items-center gap-2 rounded-lg border border-line bg-raised px-3 text-sm hover:bg-panel pointer-coarse:min-h-11"
      >
        <Icon size={15} className={on ? "text-accent" : "text-soft"} aria-hidden />
        <span>{say("inboxNotify")}</span>
        <span
          aria-hidden
          className={`ml-1 flex h-4 w-7 shrink-0 items-center rounded-full p-0.5 transition-colors ${on ? "bg-accent" : "bg-soft/50"}`}
        >
          <span className={`size-3 rounded-full bg-page transition-transform ${on ? "translate-x-3" : ""}`} />
        </span>
      </button>
      {now === "denied" && (
        <p id="notify-denied" role="status" className="mt-1 max-w-prose text-xs text-warn">
          {say("inboxDenied")}
        </p>
      )}
    </div>
  )
}
