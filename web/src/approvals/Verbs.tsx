import { useState } from "react"
import type { Decision, Offer } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { FOOT } from "./foot"
import type { Verb } from "./forms"

export type Mode = "asked" | Exclude<Verb, "approve">

interface Props {
  verbs: Verb[]
  sending: boolean
  /** How many of the parts of a change are taken; null: all of it. */
  parts: { taken: number; all: number } | null
  grants: Offer[]
  approve: (grant?: { scope: Offer["scopes"][number]; covers: string }) => void
  choose: (mode: Mode) => void
}

/** The answers that a call allows. The keys before them hold while the card has the focus. */
export function Verbs({ verbs, sending, parts, grants, approve, choose }: Props) {
  const { say } = useLanguage()
  const [kept, setKept] = useState("")
  const offers = grants.flatMap((offer) =>
    offer.scopes.map((scope) => ({ key: `${offer.id} ${scope}`, label: offer.label, grant: { scope, covers: offer.id } })),
  )
  const may = (verb: Verb) => verbs.includes(verb)
  return (
    <div className={`flex flex-wrap items-center gap-2 ${FOOT}`}>
      {may("approve") && offers.length > 0 && !parts && (
        <select
          aria-label={say("askAgain")}
          value={kept}
          onChange={(event) => setKept(event.target.value)}
          className="w-full min-w-0 rounded-lg border border-line bg-page px-2 py-1.5 text-sm pointer-coarse:min-h-11"
        >
          <option value="">{say("askEachTime")}</option>
          {offers.map((offer) => (
            <option key={offer.key} value={offer.key}>
              {say(`grant_${offer.grant.scope}`, { what: offer.label })}
            </option>
          ))}
        </select>
      )}
      {may("approve") && (
        <Button
          look="main"
          data-verb="approve"
          disabled={sending || parts?.taken === 0}
          onClick={() => approve(offers.find((offer) => offer.key === kept)?.grant)}
        >
          {parts ? say("approveParts", { n: parts.taken, all: parts.all }) : say("approve")}
        </Button>
      )}
      {may("edit") && (
        <Button data-verb="edit" disabled={sending} onClick={() => choose("edit")}>
          {say("edit")}
        </Button>
      )}
      {may("reject") && (
        <Button look="bad" data-verb="reject" disabled={sending} onClick={() => choose("reject")}>
          {say("reject")}
        </Button>
      )}
      {may("respond") && (
        <Button look="bare" disabled={sending} onClick={() => choose("respond")}>
          {say("respond")}
        </Button>
      )}
    </div>
  )
}

interface SayProps {
  mode: "reject" | "respond"
  sending: boolean
  decide: (decision: Decision) => void
  back: () => void
}

/** A no with its reason, or words in place of the tool's result. */
export function Words({ mode, sending, decide, back }: SayProps) {
  const { say } = useLanguage()
  const [words, setWords] = useState("")
  const said = words.trim()
  const label = say(mode === "reject" ? "reason" : "respondHint")
  return (
    <form
      className={`flex flex-wrap gap-2 ${FOOT}`}
      onSubmit={(event) => {
        event.preventDefault()
        if (mode === "respond") decide({ type: "respond", message: said })
        else decide(said ? { type: "reject", message: said } : { type: "reject" })
      }}
    >
      <input
        autoFocus
        aria-label={label}
        placeholder={label}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && back()}
        className="min-w-0 flex-1 basis-60 rounded-lg border border-line bg-page px-3 py-1.5 text-sm pointer-coarse:min-h-11"
      />
      <Button type="submit" look={mode === "reject" ? "bad" : "plain"} disabled={sending || (mode === "respond" && !said)}>
        {say(mode)}
      </Button>
      <Button look="bare" onClick={back}>
        {say("back")}
      </Button>
    </form>
  )
}
