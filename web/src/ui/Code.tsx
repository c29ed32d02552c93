import { memo, useEffect, useState } from "react"
import { Copy } from "./Copy"
import { idle } from "./idle"

interface Props {
  text: string
  language: string
  /** More of it will come: it is not coloured yet. */
  open: boolean
}

/** A block of code. It is coloured when nothing else is to be done. */
export const Code = memo(function Code({ text, language, open }: Props) {
  const [html, setHtml] = useState({ of: "", html: "" })
  useEffect(() => {
    if (open || !language) return
    let wanted = true
    const later = idle(() => {
      void import("./highlight").then(({ colour }) => {
        const found = wanted && colour(text, language)
        if (found) setHtml({ of: text, html: found })
      })
    })
    return () => {
      wanted = false
      later()
    }
  }, [text, language, open])
  return (
    <div className="code" dir="ltr">
      <div className="code-head">
        <span>{language}</span>
        <Copy text={text} />
      </div>
      <pre tabIndex={0} role="group" aria-label={language || "code"}>
        {html.of === text && html.html ? <code dangerouslySetInnerHTML={{ __html: html.html }} /> : <code>{text}</code>}
      </pre>
    </div>
  )
})
