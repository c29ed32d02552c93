import { useSyncExternalStore } from "react"
import { english, type Key, russian } from "./catalogue"

export type Language = "en" | "ru"

const KEPT = "artel.language"
const listeners = new Set<() => void>()
let current: Language = first()

function first(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === "en" || kept === "ru") return kept
  return navigator.language.startsWith("ru") ? "ru" : "en"
}

/** Speak this language from now on, here and after a reload. */
export function speak(language: Language): void {
  current = language
  localStorage.setItem(KEPT, language)
  document.documentElement.lang = language
  for (const listener of listeners) listener()
}

export type Say = (key: Key, values?: Record<string, string | number>) => string

function say(language: Language): Say {
  const words = language === "ru" ? russian : english
  return (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""))
}

const says = { en: say("en"), ru: say("ru") }

export function useLanguage(): { language: Language; say: Say } {
  const language = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => current,
  )
  return { language, say: says[language] }
}
