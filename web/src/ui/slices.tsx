import { useState } from "react"
import { useLanguage } from "../i18n/language"

export const SLICE = 20_000 // characters that are drawn at once

/** The beginning of a text, cut at the end of a line where one is near, never within a letter. */
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text
  const line = text.lastIndexOf("\n", most)
  const end = line > most / 2 ? line + 1 : most
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? "") ? text.slice(0, end - 1) : text.slice(0, end)
}

/** As much of a text as is drawn, how much is left, and what draws more. What comes bit by bit is drawn if it `follows`. */
export function useSlice(text: string, step = SLICE, follows = false) {
  const [most, setMost] = useState(step)
  if (follows && text.length > most && text.length < most + step) setMost(most + step)
  const shown = beginning(text, most)
  return { shown, left: text.length - shown.length, more: () => setMost(most + step) }
}

/** Draws more of what is long. */
export function More({ left, more }: { left: number; more: () => void }) {
  const { say, language } = useLanguage()
  if (left <= 0) return null
  const n = left.toLocaleString(language === "ru" ? "ru" : "en", { notation: "compact" })
  return (
    <button
      type="button"
      className="my-1 min-h-8 rounded-lg px-2 font-sans text-sm text-accent hover:bg-line/40 pointer-coarse:min-h-11"
      onClick={more}
    >
      {say("chatMore", { n })}
    </button>
  )
}

/** Plain text, however long: drawn slice by slice. */
export function Sliced({ text }: { text: string }) {
  const { shown, left, more } = useSlice(text)
  return (
    <>
      {shown}
      <More left={left} more={more} />
    </>
  )
}
