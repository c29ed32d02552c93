import { useEffect, useState } from "react"
import { useLanguage } from "../i18n/language"

const SOON_S = 60

/** How long an answer still counts. */
export function Countdown({ until }: { until: string | null }) {
  const { say } = useLanguage()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!until) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [until])
  if (!until) return null
  const left = Math.max(0, Math.round((Date.parse(until) - now) / 1000))
  if (!left) return <span className="text-bad">{say("expired")}</span>
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`
  return <span className={`tabular-nums ${left < SOON_S ? "text-warn" : ""}`}>{say("expires", { time })}</span>
}
