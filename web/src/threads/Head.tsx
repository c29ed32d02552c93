import { Command, Search, SquarePen } from "lucide-react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { NEW, PALETTE } from "../ui/keys"

interface Props {
  start: () => void
  palette: () => void
  sought: string
  seek: (words: string) => void
  /** Go on to what was found. */
  down: () => void
}

/** What stands over the list: the way to a new conversation, and to an old one. */
export function Head({ start, palette, sought, seek, down }: Props) {
  const { say } = useLanguage()
  return (
    <div className="space-y-3 p-3">
      <div className="flex items-center gap-2 pl-1 text-[17px] font-semibold tracking-tight">
        <img src="/icon.svg" alt="" className="size-6" /> {"Artel"}
        <Button look="bare" className="ml-auto !px-2" aria-label={say("paletteOpen")} title={`${say("paletteOpen")} (${PALETTE})`} onClick={palette}>
          <Command size={16} aria-hidden />
        </Button>
      </div>
      <Button className="w-full" onClick={start} title={`${say("newThread")} (${NEW})`}>
        <SquarePen size={15} aria-hidden /> {say("newThread")}
      </Button>
      <label className="flex items-center gap-2 rounded-lg border border-line bg-page px-2.5 text-sm focus-within:border-accent pointer-coarse:min-h-11">
        <Search size={15} className="shrink-0 text-soft" aria-hidden />
        <input
          type="search"
          aria-label={say("search")}
          placeholder={say("search")}
          value={sought}
          onChange={(event) => seek(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "ArrowDown") return
            event.preventDefault()
            down()
          }}
          className="quiet min-w-0 flex-1 bg-transparent py-1.5"
        />
      </label>
    </div>
  )
}
