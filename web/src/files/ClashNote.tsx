import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  gone: boolean
  comparing: boolean
  compare: () => void
  take: () => void
  overwrite: () => void
}

/** Somebody else changed the file that a person is writing in: nothing is lost before they say what holds. */
export function ClashNote({ gone, comparing, compare, take, overwrite }: Props) {
  const { say } = useLanguage()
  return (
    <div role="alert" className="space-y-2 border-b border-line bg-warn-bg px-3 py-2 text-sm text-warn">
      <p>{say(gone ? "filesClashGone" : "filesClash")}</p>
      <div className="flex flex-wrap gap-2">
        {!gone && (
          <Button aria-pressed={comparing} onClick={compare} className="text-ink">
            {say("filesCompare")}
          </Button>
        )}
        <Button onClick={take} className="text-ink">
          {say(gone ? "filesDiscard" : "filesTake")}
        </Button>
        <Button onClick={overwrite} className="text-ink">
          {say("filesOverwrite")}
        </Button>
      </div>
    </div>
  )
}
