import { X } from "lucide-react"
import { Dialog } from "radix-ui"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { NEW, NOW, PALETTE } from "../ui/keys"
import { useFocusBack } from "../ui/useFocusBack"

const KEYS: [Key, [string, Key][]][] = [
  [
    "keysEverywhere",
    [
      [PALETTE, "paletteOpen"],
      [NEW, "newThread"],
      ["?", "keysTitle"],
    ],
  ],
  [
    "keysWriting",
    [
      ["Enter", "send"],
      ["Shift+Enter", "keysBreak"],
      [NOW, "keysSteer"],
      ["↑", "keysLast"],
      ["Esc", "keysStop"],
    ],
  ],
  [
    "menu",
    [
      ["↑ ↓", "keysMove"],
      ["Enter", "keysOpen"],
      ["F2", "rename"],
      ["Delete", "delete"],
    ],
  ],
  [
    "keysAsked",
    [
      ["A", "approve"],
      ["E", "edit"],
      ["R", "reject"],
    ],
  ],
]

/** The keys of the page. */
export default function Shortcuts({ close }: { close: () => void }) {
  const { say } = useLanguage()
  const focusBack = useFocusBack()
  return (
    <Dialog.Root open onOpenChange={(now) => now || close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={focusBack}
          className="fixed top-1/2 left-1/2 z-50 max-h-[85dvh] w-[min(40rem,calc(100vw-1.5rem))] -translate-1/2 overflow-y-auto rounded-2xl border border-line bg-raised p-5 text-ink shadow-xl"
        >
          <div className="flex items-center justify-between pb-2">
            <Dialog.Title className="font-semibold">{say("keysTitle")}</Dialog.Title>
            <Dialog.Close asChild>
              <Button look="bare" aria-label={say("keysClose")} title={say("keysClose")}>
                <X size={16} aria-hidden />
              </Button>
            </Dialog.Close>
          </div>
          <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
            {KEYS.map(([where, keys]) => (
              <section key={where} aria-label={say(where)}>
                <h3 className="pb-1 text-xs font-medium text-soft">{say(where)}</h3>
                <dl>
                  {keys.map(([pressed, does]) => (
                    <div key={pressed} className="flex min-h-8 items-center justify-between gap-3 border-b border-line/60 py-1 text-sm last:border-0">
                      <dt>{say(does)}</dt>
                      <dd className="shrink-0">
                        <kbd className="rounded-md border border-line bg-panel px-1.5 py-0.5 font-mono text-xs">{pressed}</kbd>
                      </dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
