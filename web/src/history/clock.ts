import { type Language, tag } from "../i18n/language"

/** The time of day to the second; with the day where it was not today. */
export function clock(at: string | null, language: Language): string {
  if (!at) return "–"
  const when = new Date(at)
  const today = when.toDateString() === new Date().toDateString()
  const day = { day: "numeric", month: "short" } as const
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const
  return when.toLocaleString(tag(language), today ? time : { ...day, ...time })
}
