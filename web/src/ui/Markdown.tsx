import DOMPurify from "dompurify"
import { marked, type Token } from "marked"
import { memo, useMemo, useState } from "react"

/** Markdown, block by block: while text streams only its last block is parsed into HTML again. */
export function Markdown({ text, copy, copied }: { text: string; copy: string; copied: string }) {
  const blocks = useMemo(() => marked.lexer(text).filter((token) => token.type !== "space"), [text])
  return (
    <div className="prose min-w-0 [overflow-wrap:anywhere]">
      {blocks.map((token, index) =>
        token.type === "code" ? (
          <Code key={index} text={token["text"] as string} copy={copy} copied={copied} />
        ) : (
          <Block key={index} raw={token.raw} token={token} />
        ),
      )}
    </div>
  )
}

// No picture and no style from a model: both can call a foreign host.
const ALLOWED = { FORBID_TAGS: ["img", "style", "form", "input", "video", "audio", "iframe"], FORBID_ATTR: ["style"] }

const Block = memo(
  ({ token }: { raw: string; token: Token }) => {
    const html = DOMPurify.sanitize(marked.parser([token]), ALLOWED)
    return <div dangerouslySetInnerHTML={{ __html: html }} />
  },
  (before, after) => before.raw === after.raw,
)
Block.displayName = "Block"

const Code = memo(({ text, copy, copied }: { text: string; copy: string; copied: string }) => {
  const [done, setDone] = useState(false)
  const take = () => {
    void navigator.clipboard.writeText(text).then(() => {
      setDone(true)
      setTimeout(() => setDone(false), 1500)
    })
  }
  return (
    <div className="group relative">
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <button
        type="button"
        onClick={take}
        className="absolute top-1.5 right-1.5 rounded-md border border-line bg-raised px-2 py-0.5 text-xs text-soft opacity-0 group-hover:opacity-100 focus:opacity-100"
      >
        {done ? copied : copy}
      </button>
    </div>
  )
})
Code.displayName = "Code"
