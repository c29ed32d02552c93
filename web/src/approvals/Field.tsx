import { Plus, X } from "lucide-react"
import { useId } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { type Draft, draftOf, isMap, type Problem, type Schema, type Shape } from "./schema"

const BOX = "block w-full min-w-0 rounded-lg border border-line bg-page px-3 py-1.5 text-sm pointer-coarse:min-h-11 aria-invalid:border-bad"
const CHECK = "flex min-h-8 items-center gap-2 text-sm pointer-coarse:min-h-11"
const BOXES = "size-4 shrink-0 accent-accent"
const MOST_ROWS = 14

export interface FieldProps {
  shape: Shape
  draft: Draft
  change: (draft: Draft) => void
  path: string
  label: string
  required: boolean
  problems: Problem[]
}

/** A field of a form, by the shape of what it takes. */
export function Field(props: FieldProps) {
  const { shape, draft, change, path, label, required, problems } = props
  const { say } = useLanguage()
  const id = useId()
  const problem = problems.find((one) => one.path === path)
  const about = [shape.about && `${id}-about`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined
  const control = { id, "data-path": path, "aria-describedby": about, "aria-invalid": problem ? true : undefined }
  const name = (
    <>
      {label}
      {!required && <span className="font-normal text-soft"> · {say("optional")}</span>}
    </>
  )
  const notes = (
    <>
      {shape.about && (
        <p id={`${id}-about`} className="mt-1 text-xs text-soft">
          {shape.about}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="mt-1 text-xs text-bad">
          {say(problem.word, { n: problem.n ?? 0 })}
        </p>
      )}
    </>
  )
  const labelled = (field: React.ReactNode) => (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-sm font-medium [overflow-wrap:anywhere]">
        {name}
      </label>
      {field}
      {notes}
    </div>
  )
  const grouped = (fields: React.ReactNode) => (
    <fieldset className="min-w-0" aria-describedby={about} data-path={path} tabIndex={-1}>
      {label && <legend className="mb-1 text-sm font-medium [overflow-wrap:anywhere]">{name}</legend>}
      {fields}
      {notes}
    </fieldset>
  )
  switch (shape.kind) {
    case "text":
    case "json": {
      const text = typeof draft === "string" ? draft : ""
      const long = shape.kind === "json" || shape.long || text.includes("\n")
      if (!long) return labelled(<input {...control} className={BOX} value={text} onChange={(event) => change(event.target.value)} />)
      const rows = Math.min(MOST_ROWS, Math.max(3, text.split("\n").length))
      return labelled(
        <textarea
          {...control}
          rows={rows}
          spellCheck={shape.kind === "text"}
          className={`${BOX} resize-y font-mono !text-[13px]`}
          value={text}
          onChange={(event) => change(event.target.value)}
        />,
      )
    }
    case "number":
      return labelled(
        <input
          {...control}
          inputMode={shape.whole && shape.least >= 0 ? "numeric" : "text"}
          autoComplete="off"
          className={`${BOX} max-w-48 tabular-nums`}
          value={typeof draft === "string" ? draft : ""}
          onChange={(event) => change(event.target.value)}
        />,
      )
    case "flag":
      return (
        <div>
          <label className={CHECK}>
            <input {...control} type="checkbox" className={BOXES} checked={draft === true} onChange={(event) => change(event.target.checked)} />
            <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
          </label>
          {notes}
        </div>
      )
    case "choice":
      return labelled(
        <select
          {...control}
          className={BOX}
          value={typeof draft === "number" ? draft : ""}
          onChange={(event) => change(event.target.value === "" ? null : Number(event.target.value))}
        >
          <option value="">{say("formNone")}</option>
          {shape.options.map((one, place) => (
            <option key={place} value={place}>
              {one.label}
            </option>
          ))}
        </select>,
      )
    case "several": {
      const chosen = Array.isArray(draft) ? draft : []
      return grouped(
        shape.options.map((one, place) => (
          <label key={place} className={CHECK}>
            <input
              type="checkbox"
              className={BOXES}
              checked={chosen.includes(place)}
              onChange={(event) => change(event.target.checked ? [...chosen, place].sort() : chosen.filter((each) => each !== place))}
            />
            <span className="min-w-0 [overflow-wrap:anywhere]">{one.label}</span>
          </label>
        )),
      )
    }
    case "list":
      return grouped(<List {...props} shape={shape} />)
    case "group":
      return grouped(<Group {...props} shape={shape} />)
    case "cases": {
      const { at = 0, each = [] } = (isMap(draft) ? draft : {}) as { at?: number; each?: Draft[] }
      const one = shape.cases[at]
      return grouped(
        <div className="space-y-2">
          <select aria-label={say("formCase")} className={BOX} value={at} onChange={(event) => change({ at: Number(event.target.value), each })}>
            {shape.cases.map((each, place) => (
              <option key={place} value={place}>
                {each.title || place + 1}
              </option>
            ))}
          </select>
          {one && <Field {...props} shape={one} label="" draft={each[at] ?? null} change={(next) => change({ at, each: each.with(at, next) })} />}
        </div>,
      )
    }
    case "fixed":
      return null
  }
}

/** The fields of an object, one below the other. */
export function Group({ shape, draft, change, path, problems }: FieldProps & { shape: Shape & { kind: "group" } }) {
  const { fields = {}, rest = {} } = (isMap(draft) ? draft : {}) as Record<string, Schema>
  const nested = path ? "border-l-2 border-line pl-3" : ""
  return (
    <div className={`space-y-3 ${nested}`}>
      {shape.fields.map((one) => (
        <Field
          key={one.name}
          shape={one.shape}
          draft={fields[one.name] ?? null}
          change={(next) => change({ fields: { ...fields, [one.name]: next }, rest })}
          path={path ? `${path}.${one.name}` : one.name}
          label={one.shape.title || one.name}
          required={one.required}
          problems={problems}
        />
      ))}
    </div>
  )
}

function List({ shape, draft, change, path, label, problems }: FieldProps & { shape: Shape & { kind: "list" } }) {
  const { say } = useLanguage()
  const each = Array.isArray(draft) ? draft : []
  return (
    <div className="space-y-2">
      {each.map((one, place) => (
        <div key={place} className="flex items-end gap-1">
          <div className="min-w-0 flex-1">
            <Field
              shape={shape.of}
              draft={one}
              change={(next) => change(each.with(place, next))}
              path={`${path}.${place}`}
              label={`${label} ${place + 1}`}
              required
              problems={problems}
            />
          </div>
          <Button
            look="bare"
            aria-label={say("formRemove", { what: `${label} ${place + 1}` })}
            onClick={() => change(each.filter((_, other) => other !== place))}
          >
            <X size={15} aria-hidden />
          </Button>
        </div>
      ))}
      {each.length < shape.most && (
        <Button onClick={() => change([...each, draftOf(shape.of)])}>
          <Plus size={14} aria-hidden /> {say("formAdd")}
          <span className="sr-only">: {label}</span>
        </Button>
      )}
    </div>
  )
}
