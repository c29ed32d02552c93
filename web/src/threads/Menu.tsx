import { Pencil, Pin, PinOff, Trash2 } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import { useRef, useState } from "react"
import type { Thread } from "../api/types"
import { useLanguage } from "../i18n/language"
import type { Wish } from "./Item"

interface Props {
  thread: Thread
  button: HTMLButtonElement
  ask: (what: Wish) => void
  close: () => void
}

const CHOICE =
  "flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm outline-none select-none data-highlighted:bg-line/50 pointer-coarse:min-h-11"

/** What can be done with a conversation, below the button that was pressed; fetched when first needed. */
export default function Menu({ thread, button, ask, close }: Props) {
  const { say } = useLanguage()
  const [{ top, left, width, height }] = useState(() => button.getBoundingClientRect())
  const wish = useRef<Wish | null>(null) // carried out once the focus is back
  const PinIcon = thread.metadata.pinned ? PinOff : Pin
  return (
    <DropdownMenu.Root open onOpenChange={(now) => now || close()}>
      <DropdownMenu.Trigger asChild>
        <span aria-hidden className="pointer-events-none fixed" style={{ top, left, width, height }} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={button.getAttribute("aria-label") ?? ""}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            button.focus()
            if (wish.current) ask(wish.current)
          }}
          className="z-40 min-w-44 rounded-xl border border-line bg-raised p-1 text-ink shadow-lg"
        >
          <DropdownMenu.Item className={CHOICE} onSelect={() => void (wish.current = "rename")}>
            <Pencil size={15} className="text-soft" aria-hidden /> {say("rename")}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={CHOICE} onSelect={() => void (wish.current = "pin")}>
            <PinIcon size={15} className="text-soft" aria-hidden /> {say(thread.metadata.pinned ? "threadsUnpin" : "threadsPin")}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={`${CHOICE} text-bad`} onSelect={() => void (wish.current = "delete")}>
            <Trash2 size={15} aria-hidden /> {say("delete")}
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
