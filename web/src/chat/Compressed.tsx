import { FoldVertical } from "lucide-react"
import { useLanguage } from "../i18n/language"
import type { Chapter } from "../api/types"
import type { Mark } from "./rows"

/** Where the part of a conversation ends of which the model is shown chapters only; it unfolds to them. */
export function Compressed({ mark }: { mark: Mark }) {
  const { say } = useLanguage()
  return (
    <details className="group text-sm" data-testid="compressed">
      <summary className="flex min-h-9 items-center gap-3 text-xs text-soft pointer-coarse:min-h-11">
        <span className="h-px flex-1 bg-line" aria-hidden />
        <span className="flex items-center gap-1.5">
          <FoldVertical size={14} aria-hidden />
          {say("chatCompressed", { n: mark.count })}
        </span>
        <span className="h-px flex-1 bg-line" aria-hidden />
      </summary>
      <div className="mt-2 space-y-3 rounded-lg border border-line bg-panel px-4 py-3">
        <p className="text-soft">{say("chatCompressedHint")}</p>
        {mark.compacted.chapters.map((chapter, index) => (
          <Told key={index} chapter={chapter} />
        ))}
      </div>
    </details>
  )
}

function Told({ chapter }: { chapter: Partial<Chapter> }) {
  const { say } = useLanguage()
  const { words = [], unsaid = 0, tools = {}, failed = 0, files = [], answers = [], prose = "" } = chapter
  const called = Object.entries(tools).map(([name, times]) => `${name} × ${times}`)
  return (
    <div className="space-y-2 [overflow-wrap:anywhere]">
      {prose && (
        <p dir="auto" className="whitespace-pre-wrap">
          {prose}
        </p>
      )}
      <Part name={say("chatCompressedSaid")} items={words} more={unsaid ? say("chatCompressedMissing", { n: unsaid }) : ""} />
      <Part name={say("chatCompressedAnswers")} items={answers} />
      <Part
        name={say("chatCompressedTools")}
        items={called.length ? [called.join(", ")] : []}
        more={failed ? say("chatCompressedFailed", { n: failed }) : ""}
      />
      <Part name={say("chatCompressedFiles")} items={files.length ? [files.join(", ")] : []} />
    </div>
  )
}

function Part({ name, items, more = "" }: { name: string; items: string[]; more?: string }) {
  if (!items.length) return null
  return (
    <div>
      <p className="text-xs text-soft">{name}</p>
      {items.map((item, index) => (
        <p key={index} dir="auto" className="whitespace-pre-wrap">
          {item}
        </p>
      ))}
      {more && <p className="text-soft">{more}</p>}
    </div>
  )
}
