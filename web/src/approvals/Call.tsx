import { useState } from "react"
import type { Decision } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Diff } from "../ui/Diff"
import { Args, Command } from "./Args"
import { EditArgs } from "./EditArgs"
import type { Action } from "./forms"
import { Parts, partsOf } from "./Parts"
import { type Mode, Verbs, Words } from "./Verbs"

interface Props {
  action: Action
  sending: boolean
  mode: Mode
  choose: (mode: Mode) => void
  decide: (decision: Decision) => void
  /** What was decided, where it is not sent before the others are decided too. */
  decided: Decision | undefined
}

/** One call: what it would do, and what may be said to it. */
export function Call({ action, sending, mode, choose, decide, decided }: Props) {
  const { say } = useLanguage()
  const { shown } = action
  const files = shown.files ?? []
  const parts = partsOf(files)
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const taken = parts.filter((id) => !left.has(id))

  function leave(ids: string[], wanted: boolean) {
    setLeft((before) => {
      const after = new Set(before)
      for (const id of ids) {
        if (wanted) after.delete(id)
        else after.add(id)
      }
      return after
    })
  }

  const back = () => choose("asked")
  return (
    <>
      {shown.problem && <p className="text-sm text-bad">{shown.problem}</p>}
      {shown.tainted && <p className="text-sm text-warn">{say("tainted")}</p>}
      {action.unknown.length > 0 && <p className="text-sm text-soft">{say("askUnknown", { names: action.unknown.join(", ") })}</p>}
      {mode === "edit" ? (
        <EditArgs action={action} sending={sending} decide={decide} back={back} />
      ) : parts.length > 1 ? (
        <Parts files={files} chosen={new Set(taken)} choose={leave} />
      ) : shown.diff ? (
        <Diff diff={shown.diff} label={shown.path ?? action.tool} />
      ) : shown.command ? (
        <Command line={shown.command} folder={shown.workdir && shown.workdir !== "." ? shown.workdir : ""} />
      ) : (
        <Args args={action.args} />
      )}
      {decided && mode === "asked" && <p className="text-sm font-medium">{say(`askDecidedAs_${decided.type}`)}</p>}
      {mode === "asked" &&
        (action.verbs.length ? (
          <Verbs
            verbs={action.verbs}
            sending={sending}
            parts={left.size ? { taken: taken.length, all: parts.length } : null}
            grants={shown.grants ?? []}
            approve={(grant) => decide({ type: "approve", ...(left.size ? { hunks: taken } : {}), ...(grant ? { grant } : {}) })}
            choose={choose}
          />
        ) : (
          <p className="text-sm text-bad">{say("askBadForm")}</p>
        ))}
      {(mode === "reject" || mode === "respond") && <Words mode={mode} sending={sending} decide={decide} back={back} />}
    </>
  )
}
