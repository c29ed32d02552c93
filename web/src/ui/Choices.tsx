import { Popover } from "radix-ui"
import { useState } from "react"
import type { ChooserProps } from "./Chooser"
import { Options } from "./Options"

interface Props extends ChooserProps {
  button: React.RefObject<HTMLButtonElement | null>
  close: () => void
}

/** The list that a chooser opens, fetched when one is first opened. */
export default function Choices({ button, close, choose, foot, ...options }: Props) {
  const [problem, setProblem] = useState("")

  async function chosen(id: string) {
    setProblem("")
    try {
      await choose(id)
      close()
    } catch (failure) {
      setProblem(failure instanceof Error ? failure.message : String(failure))
    }
  }

  return (
    <Popover.Root open onOpenChange={(now) => now || close()}>
      <Popover.Anchor virtualRef={button as React.RefObject<HTMLButtonElement>} />
      <Popover.Portal>
        <Popover.Content
          align="start"
          side="top"
          sideOffset={6}
          collisionPadding={8}
          aria-label={options.label}
          onInteractOutside={(event) => button.current?.contains(event.target as Node) && event.preventDefault()}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            button.current?.focus()
          }}
          className="z-40 flex max-h-[min(26rem,var(--radix-popover-content-available-height))] w-[min(24rem,calc(100vw-1rem))] flex-col overflow-hidden rounded-xl border border-line bg-raised text-ink shadow-lg"
        >
          <Options {...options} choose={(id) => void chosen(id)} />
          {problem && (
            <p role="alert" className="border-t border-line px-3.5 py-2.5 text-sm text-bad [overflow-wrap:anywhere]">
              {problem}
            </p>
          )}
          {foot?.(close)}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
