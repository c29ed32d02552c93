import { useState } from "react"
import type { Decided } from "../api/plan"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  one: Decided
  save: (answer: string[]) => Promise<void>
  close: () => void
}

/** Another answer: of what was offered then, or in own words. */
export function EditAnswer({ one, save, close }: Props) {
  const { say } = useLanguage()
  const [chosen, setChosen] = useState(one.answer.filter((label) => one.options.includes(label)))
  const [words, setWords] = useState(one.answer.filter((label) => !one.options.includes(label)).join("\n"))
  const [saving, setSaving] = useState(false)
  const answer = [...chosen, ...(words.trim() ? [words.trim()] : [])]

  function choose(label: string) {
    if (!one.multiple) {
      setChosen([label])
      setWords("")
    } else setChosen(one.options.filter((other) => (other === label ? !chosen.includes(label) : chosen.includes(other))))
  }

  return (
    <form
      className="space-y-2"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return
        event.stopPropagation()
        close()
      }}
      onSubmit={(event) => {
        event.preventDefault()
        setSaving(true)
        void save(answer).finally(() => setSaving(false))
      }}
    >
      {one.options.length > 0 && (
        <fieldset className="space-y-1">
          <legend className="sr-only">{one.question}</legend>
          {one.options.map((label) => (
            <label key={label} className="flex min-h-7 items-center gap-2 pointer-coarse:min-h-11">
              <input
                type={one.multiple ? "checkbox" : "radio"}
                name={one.id}
                checked={chosen.includes(label)}
                onChange={() => choose(label)}
                className="size-4 accent-(--accent)"
              />
              <span className="min-w-0 [overflow-wrap:anywhere]">{label}</span>
            </label>
          ))}
        </fieldset>
      )}
      <textarea
        autoFocus
        rows={one.options.length ? 1 : 3}
        aria-label={say("ownWords")}
        placeholder={say("ownWords")}
        value={words}
        onChange={(event) => {
          setWords(event.target.value)
          if (!one.multiple && event.target.value) setChosen([])
        }}
        className="block w-full resize-y rounded-lg border border-line bg-page px-2 py-1.5"
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="main" disabled={saving || !answer.length}>
          {say("save")}
        </Button>
        <Button onClick={close}>{say("cancel")}</Button>
      </div>
    </form>
  )
}
