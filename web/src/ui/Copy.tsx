import { useState } from "react"
import { useLanguage } from "../i18n/language"

interface Props {
  text: string
  className?: string
  label?: string
  children?: (done: boolean) => React.ReactNode
}

const SHOWN_MS = 1500

/** Takes a text to the clipboard, and says that it did. */
export function Copy({ text, className = "", label, children }: Props) {
  const { say } = useLanguage()
  const [done, setDone] = useState(false)
  const take = () => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), SHOWN_MS)
    })
  }
  const name = done ? say("copied") : label
  return (
    <button type="button" className={className} onClick={take} aria-label={name} title={label}>
      {children ? children(done) : say(done ? "copied" : "copy")}
      <span role="status" className="sr-only">
        {done ? say("copied") : ""}
      </span>
    </button>
  )
}
