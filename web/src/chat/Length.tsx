import { FileText } from "lucide-react"
import { tag, useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

export const LONGEST = 100_000 // characters of a message, as the server takes them
const SAID_FROM = 0.8 * LONGEST

interface Props {
  words: string
  /** A long text that was pasted into them; none: "". */
  pasted: string
  asFile: () => void
}

/** How long a message is, once that matters; nothing is ever cut. */
export function Length({ words, pasted, asFile }: Props) {
  const { language, say } = useLanguage()
  const figure = (n: number) => n.toLocaleString(tag(language))
  const over = words.length - LONGEST
  const counted = words.length > SAID_FROM
  return (
    <div className={counted || pasted ? "flex flex-wrap items-center gap-2 px-4 pt-1 text-xs" : ""}>
      <p role="status" className={over > 0 ? "text-bad" : "text-soft"}>
        {counted && say(over > 0 ? "composerOver" : "composerLength", { n: figure(words.length), most: figure(LONGEST), over: figure(over) })}
        {!counted && pasted && say("composerPasted", { n: figure(pasted.length) })}
      </p>
      {pasted && (
        <Button onClick={asFile}>
          <FileText size={14} aria-hidden /> {say("composerAsFile")}
        </Button>
      )}
    </div>
  )
}
