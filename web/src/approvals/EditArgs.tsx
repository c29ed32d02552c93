import { useMemo, useState } from "react"
import type { Args, Decision, Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { inOrder } from "./Args"
import type { Action } from "./forms"
import { isMap, type Shape, shapeFrom, shapeOf } from "./schema"
import { SchemaForm } from "./SchemaForm"

interface Props {
  action: Action
  sending: boolean
  decide: (decision: Decision) => void
  back: () => void
}

const JSON_SHAPE: Shape = { title: "", about: "", start: undefined, kind: "json" }
const LONG = new Set(["old_string", "new_string", "content", "patch"])

/** Other arguments for a call: fields of its schema, else of what it has; or all of them as JSON. */
export function EditArgs({ action, sending, decide, back }: Props) {
  const { say } = useLanguage()
  const [whole, setWhole] = useState(false)
  const [wrong, setWrong] = useState(false)
  const args = useMemo(() => Object.fromEntries(inOrder(action.args)), [action.args])
  const fields = useMemo(() => named(action.schema ? shapeOf(action.schema) : shapeFrom(args)), [action.schema, args])
  const shape = whole || fields.kind !== "group" ? JSON_SHAPE : fields

  function send(value: Json) {
    setWrong(!isMap(value))
    if (isMap(value)) decide({ type: "edit", edited_action: { name: action.tool, args: value as Args } })
  }

  return (
    <div className="space-y-3">
      <p className="text-sm text-soft">{say("editing")}</p>
      <SchemaForm key={String(whole)} shape={shape} given={args} label={say("args")} submit={say("sendEdited")} sending={sending} send={send}>
        <Button onClick={back}>{say("back")}</Button>
        {fields.kind === "group" && (
          <Button look="bare" onClick={() => setWhole(!whole)}>
            {say(whole ? "askEditFields" : "askEditJson")}
          </Button>
        )}
      </SchemaForm>
      {wrong && (
        <p role="alert" className="text-sm text-bad">
          {say("notJson")}
        </p>
      )}
    </div>
  )
}

/** Arguments go by their names, which the agent uses too, and code has room. */
function named(shape: Shape): Shape {
  if (shape.kind !== "group") return shape
  const fields = shape.fields.map((one) => ({
    ...one,
    shape: { ...one.shape, title: "", ...(one.shape.kind === "text" && LONG.has(one.name) ? { long: true } : {}) } as Shape,
  }))
  return { ...shape, fields }
}
