import { useEffect, useRef } from "react"
import { Button } from "./Button"

interface Props {
  question: string
  about: string
  yes: string
  no: string
  act: () => void
  close: () => void
}

/** A question before something that cannot be undone; the focus is on the harmless answer. */
export function Confirm({ question, about, yes, no, act, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      onClose={close}
      aria-label={question}
      className="m-auto w-[min(26rem,calc(100vw-2rem))] rounded-2xl border border-line bg-raised p-5 text-ink shadow-xl backdrop:bg-black/40"
    >
      <form method="dialog" className="space-y-4">
        <p className="font-medium">{question}</p>
        <p className="truncate text-sm text-soft">{about}</p>
        <div className="flex justify-end gap-2">
          <Button type="submit" autoFocus>
            {no}
          </Button>
          <Button type="submit" look="bad" onClick={act}>
            {yes}
          </Button>
        </div>
      </form>
    </dialog>
  )
}
