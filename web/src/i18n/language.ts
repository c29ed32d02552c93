import { useSyncExternalStore } from "react"
import { english, type Key, russian } from "./catalogue"

/** `pseudo` is English that is longer and looks foreign: for tests of what fits and of what is not translated. */
export type Language = "en" | "ru" | "pseudo"

const KEPT = "artel.language"
const listeners = new Set<() => void>()
let current: Language = first()
document.documentElement.lang = tag(current)

function first(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === "en" || kept === "ru" || kept === "pseudo") return kept
  return navigator.language.startsWith("ru") ? "ru" : "en"
}

/** Speak this language from now on, here and after a reload. */
export function speak(language: Language): void {
  current = language
  localStorage.setItem(KEPT, language)
  document.documentElement.lang = tag(language)
  for (const listener of listeners) listener()
}

/** The language as documents and dates name it. */
export function tag(language: Language): string {
  return language === "ru" ? "ru" : "en"
}

export type Say = (key: Key, values?: Record<string, string | number>) => string

const PLACE = /\{(\w+)(?:#([^}]*))?\}/g
const FORMS = { en: ["one", "other"], ru: ["one", "few", "many"] }

/** How words are filled in: `{n}` is a value, `{n#file|files}` the form that goes with it. */
function sayer(language: "en" | "ru", words: Record<Key, string>): Say {
  let rules: Intl.PluralRules | undefined
  const form = (n: number) => (rules ??= new Intl.PluralRules(language)).select(n)
  return (key, values = {}) =>
    words[key].replace(PLACE, (_, name: string, forms?: string) => {
      if (forms === undefined) return String(values[name] ?? "")
      const each = forms.split("|")
      return each[FORMS[language].indexOf(form(Number(values[name])))] ?? each.at(-1) ?? ""
    })
}

const FOREIGN = "áƀćđéƒǧħíĵķłḿńóƥɋŕśŧúṽŵẋýž"

/** Mark letters and make the sentence two fifths longer; places stay as they are. */
function estranged(words: string): string {
  const marked = words.replace(/\{[^}]*\}|[a-z]/g, (one) => (one.length > 1 ? one : (FOREIGN[one.charCodeAt(0) - 97] ?? one)))
  return `${marked}${" ~".repeat(Math.ceil(words.length / 5))}`
}

const strange = () =>
  Object.fromEntries(Object.entries(english).map(([key, words]) => [key, estranged(words)])) as Record<Key, string>
const says: Record<"en" | "ru", Say> & { pseudo?: Say } = { en: sayer("en", english), ru: sayer("ru", russian) }

export function useLanguage(): { language: Language; say: Say } {
  const language = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => current,
  )
  return { language, say: language === "pseudo" ? (says.pseudo ??= sayer("en", strange())) : says[language] }
}
