import { Ban, Check, Circle, LoaderCircle, X } from "lucide-react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"

export type Standing = "pending" | "in_progress" | "completed" | "failed" | "cancelled"

const SIGNS: Record<Standing, { Icon: typeof Check; look: string; word: Key }> = {
  pending: { Icon: Circle, look: "text-soft", word: "todo_pending" },
  in_progress: { Icon: LoaderCircle, look: "text-accent turns", word: "todo_in_progress" },
  completed: { Icon: Check, look: "text-good", word: "todo_completed" },
  failed: { Icon: X, look: "text-bad", word: "todo_failed" },
  cancelled: { Icon: Ban, look: "text-soft", word: "todo_cancelled" },
}

/** How far a piece of work is: a sign to see, a word to hear. `still`: nothing goes on now, so nothing turns. */
export function Sign({ status, still = false }: { status: Standing; still?: boolean }) {
  const { say } = useLanguage()
  const { Icon, look, word } = SIGNS[status]
  return (
    <>
      <Icon size={15} className={`mt-0.5 shrink-0 ${still ? look.replace("turns", "") : look}`} aria-hidden />
      <span className="sr-only">{say(word)}: </span>
    </>
  )
}
