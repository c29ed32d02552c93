import { KeyRound } from "lucide-react"
import { useState } from "react"
import { forget, isKept, keep, type Key, key } from "../api/key"
import { letsIn } from "../api/settings"
import { useLanguage } from "../i18n/language"
import { wipe } from "../offline/kept"
import { sentence } from "../run/session"
import { Button } from "../ui/Button"
import { Empty, Failed, Part, Shown } from "./Parts"
import { useLoaded } from "./useLoaded"

const ask = () => letsIn().then(() => true)

/** The key for this server: whether it wants one, whether it takes ours. */
export function Keys() {
  const { say } = useLanguage()
  const kept = key()
  const asked = useLoaded(ask)
  return (
    <>
      <Part title={say("setKeyState")}>
        <Shown loaded={asked}>
          {() => (
            <p role="status" className="rounded-xl bg-good-bg px-4 py-2.5 text-sm text-good">
              {say(kept ? "setKeyTaken" : "setKeyNone")}
            </p>
          )}
        </Shown>
      </Part>
      <Entry kept={kept} />
      {kept && (
        <Part title={say("setKeyKept")} about={say(isKept() ? "setKeyInBrowser" : "setKeyInTab")}>
          <Button
            look="bad"
            onClick={() => {
              forget()
              void wipe().finally(() => location.reload())
            }}
          >
            {say("setKeyForget")}
          </Button>
        </Part>
      )}
      {!kept && <Empty words={say("setKeyNoneKept")} />}
    </>
  )
}

function Entry({ kept }: { kept: Key | null }) {
  const { say } = useLanguage()
  const [value, setValue] = useState("")
  const [as, setAs] = useState<Key["as"]>(kept?.as ?? "x-api-key")
  const [inBrowser, setInBrowser] = useState(isKept)
  const [problem, setProblem] = useState("")

  async function save() {
    const before = key()
    const where = isKept()
    keep({ value: value.trim(), as }, inBrowser)
    try {
      await letsIn()
      if (before?.value !== value.trim()) await wipe() // what another one was shown is not for this one
      location.reload() // what could not be read before is read now
    } catch (failure) {
      if (before) keep(before, where)
      else forget()
      setProblem(sentence(failure))
    }
  }
  return (
    <Part title={say("setKeyEnter")} about={say("setKeyAbout")}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <label className="block space-y-1 text-sm">
          <span>{say("setKey")}</span>
          <input
            type="password"
            autoComplete="off"
            required
            value={value}
            onChange={(event) => setValue(event.target.value)}
            className="block min-h-9 w-full max-w-md rounded-lg border border-line bg-raised px-3 font-mono pointer-coarse:min-h-11"
          />
        </label>
        <label className="block space-y-1 text-sm">
          <span>{say("setKeyAs")}</span>
          <select
            value={as}
            onChange={(event) => setAs(event.target.value as Key["as"])}
            className="block min-h-9 w-full max-w-md rounded-lg border border-line bg-raised px-2 pointer-coarse:min-h-11"
          >
            <option value="x-api-key">{"X-Api-Key: …"}</option>
            <option value="bearer">{"Authorization: Bearer …"}</option>
          </select>
        </label>
        <label className="flex min-h-6 items-center gap-2 text-sm pointer-coarse:min-h-11">
          <input type="checkbox" checked={inBrowser} onChange={(event) => setInBrowser(event.target.checked)} className="size-4 accent-accent" />
          {say("setKeyKeep")}
        </label>
        {problem && <Failed words={`${say("setKeyNotTaken")} ${problem}`} />}
        <Button type="submit" look="main" disabled={!value.trim()}>
          <KeyRound size={15} aria-hidden /> {say("setKeyTry")}
        </Button>
      </form>
    </Part>
  )
}
