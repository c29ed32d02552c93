import { useState } from "react"
import type { Plan } from "../api/types"
import { useLanguage } from "../i18n/language"
import { changes } from "./figures"

/** Tells those who listen when a step begins or ends, and nothing else. */
export function Spoken({ plan }: { plan: Plan | null }) {
  const { say } = useLanguage()
  const [before, setBefore] = useState(plan)
  const [words, setWords] = useState("")
  if (plan !== before) {
    setBefore(plan)
    const told = changes(before, plan).map((step) => `${step.title}: ${say(`todo_${step.status}`)}`)
    if (told.length) setWords(told.join(". "))
  }
  return (
    <p role="status" className="sr-only">
      {words}
    </p>
  )
}
