import DOMPurify from "dompurify"
import { marked, type Token } from "marked"
import { memo, useEffect, useMemo, useState } from "react"

interface Props {
  text: string
  copy: string
  copied: string
  /** More text will come: its last block is not coloured yet. */
  open: boolean
}

/** Markdown, block by block: while text streams only its last block is turned into HTML again. */
export const Markdown = memo(function Markdown({ text, copy, copied, open }: Props) {
  const blocks = useMemo(() => marked.lexer(text).filter((token) => token.type !== "space"), [text])
  return (
    <div className="prose min-w-0 [overflow-wrap:anywhere]">
      {blocks.map((token, index) =>
        token.type === "code" ? (
          <Code
            key={index}
            text={token["text"] as string}
            language={((token["lang"] as string | undefined) ?? "").split(/\s/)[0] ?? ""}
            copy={copy}
            copied={copied}
            open={open && index === blocks.length - 1}
          />
        ) : (
          <Block key={index} raw={token.raw} token={token} />
        ),
      )}
    </div>
  )
})

// No picture and no style from a model: both can call a foreign host.
const ALLOWED = {
  FORBID_TAGS: ["img", "style", "form", "input", "button", "textarea", "select", "video", "audio", "source", "iframe", "svg", "math"],
  FORBID_ATTR: ["style", "class", "id", "name"],
}

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return
  node.setAttribute("target", "_blank")
  node.setAttribute("rel", "noopener noreferrer")
})

const Block = memo(
  function Block({ token }: { raw: string; token: Token }) {
    const html = useMemo(() => DOMPurify.sanitize(marked.parser([token]), ALLOWED), [token])
    return <div dangerouslySetInnerHTML={{ __html: html }} />
  },
  (before, after) => before.raw === after.raw,
)

interface CodeProps {
  text: string
  language: string
  copy: string
  copied: string
  open: boolean
}

const Code = memo(function Code({ text, language, copy, copied, open }: CodeProps) {
  const [done, setDone] = useState(false)
  const [html, setHtml] = useState({ of: "", html: "" })
  useEffect(() => {
    if (open || !language) return
    let wanted = true
    void import("./highlight").then(({ colour }) => {
      const found = wanted && colour(text, language)
      if (found) setHtml({ of: text, html: found })
    })
    return () => void (wanted = false)
  }, [text, language, open])
  const take = () => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    })
  }
  return (
    <div className="code">
      <div className="code-head">
        <span>{language}</span>
        <button type="button" onClick={take}>
          {done ? copied : copy}
        </button>
      </div>
      <pre tabIndex={0} role="group" aria-label={language || "code"}>
        {html.of === text && html.html ? (
          <code dangerouslySetInnerHTML={{ __html: html.html }} />
        ) : (
          <code>{text}</code>
        )}
      </pre>
    </div>
  )
})
