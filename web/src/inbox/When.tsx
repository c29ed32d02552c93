import { useEffect, useState } from "react"
import { tag, useLanguage } from "../i18n/language"

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
]

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** How long ago something was. */
export function Ago({ at }: { at: string }) {
  const { language } = useLanguage()
  const now = useNow(20_000)
  const passed = Math.max(0, (now - Date.parse(at)) / 1000)
  const [unit, size] = UNITS.find(([, seconds]) => passed >= seconds) ?? (["second", 1] as const)
  const words = new Intl.RelativeTimeFormat(tag(language), { numeric: "auto", style: "short" })
  return (
    <time dateTime={at} title={new Date(at).toLocaleString(tag(language))} className="whitespace-nowrap tabular-nums">
      {words.format(-Math.floor(passed / size), unit)}
    </time>
  )
}

/** How much time is left for an answer. */
export function Left({ until }: { until: string }) {
  const { say } = useLanguage()
  const now = useNow(1_000)
  const left = Math.max(0, Math.round((Date.parse(until) - now) / 1000))
  const hours = Math.floor(left / 3600)
  const minutes = String(Math.floor((left % 3600) / 60)).padStart(hours ? 2 : 1, "0")
  const time = `${hours ? `${hours}:` : ""}${minutes}:${String(left % 60).padStart(2, "0")}`
  return (
    <span className={`whitespace-nowrap tabular-nums ${left < 60 ? "text-bad" : ""}`}>
      {left ? say("inboxLeft", { time }) : say("expired")}
    </span>
  )
}
