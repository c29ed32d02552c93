import { tag, useLanguage } from "../i18n/language"

const forms = new Map<string, { time: Intl.DateTimeFormat; full: Intl.DateTimeFormat }>()

function formsOf(language: string) {
  const known = forms.get(language)
  if (known) return known
  const made = {
    time: new Intl.DateTimeFormat(language, { timeStyle: "medium" }),
    full: new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" }),
  }
  forms.set(language, made)
  return made
}

/** When something was said, to the second; the day too, where one asks. */
export function When({ time }: { time: number | undefined }) {
  const { language } = useLanguage()
  if (!time) return null
  const { time: short, full } = formsOf(tag(language))
  return (
    <time dateTime={new Date(time).toISOString()} title={full.format(time)} className="px-1 text-xs text-soft tabular-nums">
      {short.format(time)}
    </time>
  )
}
