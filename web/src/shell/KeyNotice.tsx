import { KeyRound } from "lucide-react"
import { useSyncExternalStore } from "react"
import { isWanted, subscribe } from "../api/key"
import { useLanguage } from "../i18n/language"
import { Link } from "./Link"

/** Stands over everything while the server does not let one in. */
export function KeyNotice() {
  const { say } = useLanguage()
  const wanted = useSyncExternalStore(subscribe, isWanted)
  if (!wanted) return null
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-warn-bg px-4 py-2 text-sm text-warn">
      <KeyRound size={15} aria-hidden />
      <span className="min-w-0 flex-1">{say("setKeyWanted")}</span>
      <Link href="/settings/keys" className="inline-flex min-h-6 items-center font-medium underline pointer-coarse:min-h-11">
        {say("setKeyWhere")}
      </Link>
    </div>
  )
}
