import { Check, CheckCheck, Clock3 } from "lucide-react"
import { memo } from "react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import type { Said } from "../run/events"
import { Sliced } from "../ui/slices"
import { CopyMessage } from "./Actions"
import { Attached } from "./Attached"
import { When } from "./When"

export type Fate = "sending" | "sent" | "read"

const FATES: Record<Fate, { Icon: typeof Check; word: Key }> = {
  sending: { Icon: Clock3, word: "chatSending" },
  sent: { Icon: Check, word: "chatSent" },
  read: { Icon: CheckCheck, word: "chatRead" },
}

interface Props {
  one: Said
  fate: Fate
  /** It is the last that a person said. */
  last: boolean
  foot: ((one: Said) => React.ReactNode) | undefined
}

/** What a person said, and whether it was heard. */
export const Person = memo(function Person({ one, fate, last, foot }: Props) {
  const { say } = useLanguage()
  const { Icon, word } = FATES[fate]
  const hidden = last
    ? ""
    : "opacity-0 group-hover/message:opacity-100 group-focus-within/message:opacity-100 pointer-coarse:opacity-100"
  return (
    <div className="group group/message flex flex-col items-end gap-1" data-role="person">
      {one.attached && <Attached files={one.attached} />}
      <div className="flex w-full flex-col items-end gap-1 sm:flex-row-reverse">
        {one.text && (
          <div
            dir="auto"
            className="max-w-[85%] min-w-0 rounded-2xl rounded-br-md bg-accent/10 px-4 py-2 whitespace-pre-wrap [overflow-wrap:anywhere] sm:max-w-[75%]"
          >
            <span className="sr-only">{say("you")}: </span>
            <Sliced text={one.text} />
          </div>
        )}
        <div className={`flex shrink-0 items-center transition-opacity ${hidden}`}>
          <CopyMessage text={one.text} />
          <When time={one.time} />
          <span className="px-1 text-soft" title={say(word)} data-testid="fate" data-fate={fate}>
            <Icon size={14} aria-hidden />
            <span className="sr-only">{say(word)}</span>
          </span>
        </div>
      </div>
      {foot?.(one)}
    </div>
  )
})
