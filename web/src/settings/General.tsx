import { Compass, Eraser } from "lucide-react"
import { useState } from "react"
import type { Key } from "../i18n/catalogue"
import { type Language, speak, useLanguage } from "../i18n/language"
import { wipe } from "../offline/kept"
import { colour, type Theme, theme } from "../theme"
import { again } from "../toured"
import { Button } from "../ui/Button"
import { Part } from "./Parts"

const LANGUAGES: [Language, string][] = [
  ["en", "English"],
  ["ru", "Русский"],
]
const THEMES: [Theme, Key][] = [
  ["system", "system"],
  ["light", "light"],
  ["dark", "dark"],
]

export function General() {
  const { language, say } = useLanguage()
  const [chosen, setChosen] = useState(theme)
  const paint = (next: Theme) => {
    colour(next)
    setChosen(next)
  }
  return (
    <>
      <Choice title={say("setLanguage")} name="language" options={LANGUAGES} chosen={language} choose={speak} />
      <Choice title={say("theme")} name="theme" options={THEMES.map(([one, word]) => [one, say(word)])} chosen={chosen} choose={paint} />
      <Part title={say("setPictures")} about={say("setPicturesOff")} />
      <Forget />
      <Part title={say("setTour")} about={say("setTourAbout")}>
        <a
          href="/"
          onClick={again}
          className="inline-flex min-h-9 items-center gap-1.5 rounded-lg border border-line bg-raised px-3 text-sm hover:bg-panel pointer-coarse:min-h-11"
        >
          <Compass size={15} aria-hidden /> {say("setTourAgain")}
        </a>
      </Part>
    </>
  )
}

/** Forgets what is kept for the time without a server. */
function Forget() {
  const { say } = useLanguage()
  const [done, setDone] = useState("")
  const act = () => wipe().then(() => setDone(say("setKeptHereGone")), (failure: unknown) => setDone(String(failure)))
  return (
    <Part title={say("setKeptHere")} about={say("setKeptHereAbout")}>
      <Button look="bad" onClick={() => void act()}>
        <Eraser size={15} aria-hidden /> {say("setKeptHereForget")}
      </Button>
      <p role="status" className="text-sm text-good">
        {done}
      </p>
    </Part>
  )
}

interface ChoiceProps<T extends string> {
  title: string
  name: string
  options: [T, string][]
  chosen: T
  choose: (one: T) => void
}

function Choice<T extends string>({ title, name, options, chosen, choose }: ChoiceProps<T>) {
  return (
    <fieldset className="space-y-3">
      <legend className="font-semibold">{title}</legend>
      <div className="flex flex-wrap gap-2">
        {options.map(([value, label]) => (
          <label
            key={value}
            className="flex min-h-9 cursor-pointer items-center gap-2 rounded-lg border border-line bg-raised px-3 text-sm has-checked:border-accent has-checked:bg-accent/8 pointer-coarse:min-h-11"
          >
            <input type="radio" name={name} value={value} checked={chosen === value} onChange={() => choose(value)} className="accent-accent" />
            <span lang={name === "language" ? value : undefined}>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
