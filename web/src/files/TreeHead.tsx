import { Download, RefreshCw, Search } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  filter: string
  setFilter: (words: string) => void
  changedOnly: boolean
  setChangedOnly: (only: boolean) => void
  /** How many files were changed. */
  changed: number
  look: () => void
  /** What can be taken away: a name and where it is. */
  downloads: { name: string; url: string }[]
}

const ITEM =
  "flex min-h-9 cursor-pointer items-center rounded-md px-2.5 text-sm outline-none data-[highlighted]:bg-panel pointer-coarse:min-h-11"

/** What stands above the tree: a filter, changed files only, and what can be taken away. */
export function TreeHead({ filter, setFilter, changedOnly, setChangedOnly, changed, look, downloads }: Props) {
  const { say } = useLanguage()
  return (
    <div className="space-y-1.5 border-b border-line px-3 py-2">
      <div className="flex items-center gap-1">
        <label className="flex min-h-9 min-w-0 flex-1 items-center gap-2 rounded-lg border border-line bg-raised px-2.5 pointer-coarse:min-h-11">
          <Search size={14} aria-hidden className="shrink-0 text-soft" />
          <input
            type="search"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
            aria-label={say("filesFilter")}
            placeholder={say("filesFilter")}
            className="quiet w-full min-w-0 bg-transparent text-sm placeholder:text-soft"
          />
        </label>
        <Button look="bare" className="w-9 px-0! pointer-coarse:w-11" aria-label={say("filesReload")} title={say("filesReload")} onClick={look}>
          <RefreshCw size={15} aria-hidden />
        </Button>
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger asChild>
            <Button look="bare" className="w-9 px-0! pointer-coarse:w-11" aria-label={say("filesDownloadMenu")} title={say("filesDownloadMenu")}>
              <Download size={16} aria-hidden />
            </Button>
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="end" sideOffset={4} className="z-50 max-w-[min(22rem,90vw)] rounded-xl border border-line bg-raised p-1 text-ink shadow-lg">
              {downloads.map(({ name, url }) => (
                <DropdownMenu.Item key={url} asChild>
                  <a href={url} download className={ITEM}>
                    <span className="truncate">{name}</span>
                  </a>
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </div>
      <label className="flex min-h-7 items-center gap-2 text-sm pointer-coarse:min-h-11">
        <input
          type="checkbox"
          role="switch"
          checked={changedOnly}
          onChange={(event) => setChangedOnly(event.target.checked)}
          className="size-4 accent-accent"
        />
        {say("filesChangedOnly")}
        <span className="text-soft">{changed || ""}</span>
      </label>
    </div>
  )
}
