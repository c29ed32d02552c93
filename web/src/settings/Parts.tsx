import { RotateCcw } from "lucide-react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import type { Loaded } from "./useLoaded"

interface PartProps {
  title: string
  about?: string
  /** The section has the same title over it. */
  alone?: boolean
  children?: React.ReactNode
}

/** A part of a section, under its heading. */
export function Part({ title, about, alone, children }: PartProps) {
  return (
    <section aria-label={title} className="space-y-3">
      <div className="space-y-0.5">
        <h3 className={alone ? "sr-only" : "font-semibold"}>{title}</h3>
        {about && <p className="max-w-prose text-sm text-soft">{about}</p>}
      </div>
      {children}
    </section>
  )
}

/** What was asked for: while it comes, where it failed, and when it is there. */
export function Shown<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => React.ReactNode }) {
  const { say } = useLanguage()
  if (loaded.failed) return <Failed words={loaded.failed} retry={loaded.again} />
  if (loaded.value !== null) return children(loaded.value)
  return (
    <div role="status" className="space-y-2">
      <span className="sr-only">{say("loading")}</span>
      <div className="beats h-10 rounded-lg bg-panel" aria-hidden />
      <div className="beats h-10 rounded-lg bg-panel" aria-hidden />
    </div>
  )
}

export function Failed({ words, retry }: { words: string; retry?: () => void }) {
  const { say } = useLanguage()
  return (
    <div role="alert" className="flex flex-wrap items-center gap-3 rounded-xl bg-bad-bg px-4 py-2.5 text-sm text-bad">
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">{words}</p>
      {retry && (
        <Button onClick={retry}>
          <RotateCcw size={14} aria-hidden /> {say("retry")}
        </Button>
      )}
    </div>
  )
}

export function Empty({ words }: { words: string }) {
  return <p className="rounded-xl border border-dashed border-line px-4 py-5 text-center text-sm text-soft">{words}</p>
}

/** Rows in one frame. */
export function Rows({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <ul aria-label={label} className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-raised text-sm">
      {children}
    </ul>
  )
}

const TONES = {
  good: "bg-good-bg text-good",
  warn: "bg-warn-bg text-warn",
  bad: "bg-bad-bg text-bad",
  plain: "bg-panel text-soft",
}

export function Tag({ tone, children }: { tone: keyof typeof TONES; children: React.ReactNode }) {
  return <span className={`inline-block shrink-0 rounded-full px-2 py-0.5 text-xs ${TONES[tone]}`}>{children}</span>
}
