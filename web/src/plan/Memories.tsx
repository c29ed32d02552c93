import { ChevronRight } from "lucide-react"
import { useState } from "react"
import { memories, type Memory } from "../api/plan"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { Fact } from "./Fact"

/** What agents remember of the person and of this project; fetched when it is unfolded. */
export function Memories({ workspace }: { workspace: string }) {
  const { say } = useLanguage()
  const [found, setFound] = useState<Memory[] | null>(null)
  const [failed, setFailed] = useState("")

  function load() {
    setFailed("")
    memories.of(workspace).then(setFound, (failure: unknown) => setFailed(failure instanceof Error ? failure.message : String(failure)))
  }

  return (
    <details className="group rounded-xl border border-line bg-raised" onToggle={(event) => event.currentTarget.open && load()}>
      <summary className="flex min-h-10 items-center gap-2 px-3 py-2 text-sm font-medium pointer-coarse:min-h-11">
        <ChevronRight size={15} className="text-soft transition-transform group-open:rotate-90" aria-hidden />
        {say("planMemories")}
      </summary>
      <div className="space-y-2 px-3 pb-3 text-sm">
        {failed && (
          <div role="alert" className="flex flex-wrap items-center gap-3 text-bad">
            <p>{failed}</p>
            <Button onClick={load}>{say("retry")}</Button>
          </div>
        )}
        {!found && !failed && <p className="beats text-soft">{say("loading")}</p>}
        {found?.length === 0 && <p className="text-soft">{say("planNoMemories")}</p>}
        {found && found.length > 0 && (
          <ul className="divide-y divide-line">
            {found.map((one) => (
              <Fact key={`${one.scope} ${one.key}`} one={one} workspace={workspace} changed={load} />
            ))}
          </ul>
        )}
      </div>
    </details>
  )
}
