import { Paperclip } from "lucide-react"
import { useRef } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

/** Chooses files from the machine. */
export function AttachButton({ take }: { take: (files: File[]) => void }) {
  const { say } = useLanguage()
  const chooser = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        data-testid="chooser"
        onChange={(event) => {
          take([...(event.target.files ?? [])])
          event.target.value = ""
        }}
      />
      <Button
        look="bare"
        className="size-9 shrink-0 !p-0 pointer-coarse:size-11"
        aria-label={say("composerAttach")}
        title={say("composerAttach")}
        onClick={() => chooser.current?.click()}
      >
        <Paperclip size={16} aria-hidden />
      </Button>
    </>
  )
}
