import { useState } from "react"
import { Composer } from "../chat/Composer"
import type { Attach } from "../chat/useAttachments"
import { useLanguage } from "../i18n/language"

interface Props {
  begin: (words: string) => Promise<void>
  attach: Attach
  tray: React.ReactNode
}

/** What stands where no conversation is open yet. */
export function Welcome({ begin, attach, tray }: Props) {
  const { say } = useLanguage()
  const [problem, setProblem] = useState("")
  const tries = [say("try1"), say("try2"), say("try3")]
  const start = (words: string) =>
    begin(words).catch((failure: unknown) => setProblem(failure instanceof Error ? failure.message : String(failure)))
  return (
    <>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex min-h-full max-w-3xl flex-col justify-center gap-6 px-5 py-8">
          <div className="space-y-2">
            <img src="/icon.svg" alt="" className="mb-4 size-12" />
            <h2 className="text-2xl font-semibold tracking-tight">{say("welcome")}</h2>
            <p className="max-w-lg text-soft">{say("emptyChat")}</p>
          </div>
          <ul className="grid gap-2 sm:grid-cols-3" aria-label={say("tried")}>
            {tries.map((words) => (
              <li key={words}>
                <button
                  type="button"
                  onClick={() => void start(words)}
                  className="h-full w-full rounded-xl border border-line bg-raised px-4 py-3 text-left text-sm transition-colors hover:border-accent"
                >
                  {words}
                </button>
              </li>
            ))}
          </ul>
          {problem && (
            <p role="alert" className="text-sm text-bad">
              {problem}
            </p>
          )}
        </div>
      </div>
      <Composer thread="new" busy={false} send={begin} stop={() => undefined} ready tray={tray} attach={attach} />
    </>
  )
}
