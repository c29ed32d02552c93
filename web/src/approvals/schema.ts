import type { Json } from "../api/types"
import type { Key } from "../i18n/catalogue"

export type Schema = Record<string, Json>

/** A field as a person fills it in; `json` is whatever no field fits. */
export type Shape = { title: string; about: string; start: Json | undefined } & (
  | { kind: "text"; long: boolean; least: number; most: number; form: string }
  | { kind: "number"; whole: boolean; least: number; most: number; above: number; below: number }
  | { kind: "flag" }
  | { kind: "choice"; options: Option[] }
  | { kind: "several"; options: Option[]; least: number; most: number }
  | { kind: "list"; of: Shape; least: number; most: number }
  | { kind: "group"; fields: Field[] }
  | { kind: "cases"; cases: Shape[] }
  | { kind: "fixed"; value: Json }
  | { kind: "json" }
)
export interface Option {
  label: string
  value: Json
}
export interface Field {
  name: string
  required: boolean
  shape: Shape
}

/** What is filled in so far: texts and numbers as they are typed, null where nothing was. */
export type Draft = Json

/** What is wrong with a field, in words of the catalogue. */
export interface Problem {
  path: string
  word: Key
  n?: number
}

const DEEPEST = 8 // a schema may refer to itself
const LONG_CHARS = 80

export const isMap = (value: Json | undefined): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Follow `$ref`, and put together what `allOf` says in one part. */
export function resolved(schema: Json | undefined, root: Schema): Schema {
  if (!isMap(schema)) return {}
  const ref = schema["$ref"]
  if (typeof ref === "string") {
    const found = ref.replace(/^#\//, "").split("/").reduce<Json | undefined>((at, name) => (isMap(at) ? at[name] : undefined), root)
    return { ...(isMap(found) ? found : {}), ...without(schema, "$ref") }
  }
  const [only, ...rest] = Array.isArray(schema["allOf"]) ? schema["allOf"] : []
  return only && !rest.length ? { ...resolved(only, root), ...without(schema, "allOf") } : schema
}

function without(schema: Schema, name: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name))
}

/** The fields that a JSON schema asks for. */
export function shapeOf(given: Json | undefined, root: Schema = isMap(given) ? given : {}, depth = 0): Shape {
  const schema = resolved(given, root)
  const told = { title: textOf(schema["title"]), about: textOf(schema["description"]), start: schema["default"] }
  if (depth > DEEPEST) return { ...told, kind: "json" }
  const number = (name: string, otherwise: number) => (typeof schema[name] === "number" ? schema[name] : otherwise)
  const inner = (one: Json | undefined) => shapeOf(one, root, depth + 1)
  if ("const" in schema) return { ...told, kind: "fixed", value: schema["const"] ?? null }
  if (Array.isArray(schema["enum"])) return { ...told, kind: "choice", options: schema["enum"].map(optionOf) }
  const union = schema["oneOf"] ?? schema["anyOf"]
  if (Array.isArray(union)) return { ...unionOf(union, root, inner), ...known(told) }
  const types = [schema["type"] ?? []].flat().filter((one) => one !== "null")
  switch (types.length === 1 ? types[0] : isMap(schema["properties"]) ? "object" : "") {
    case "string": {
      const [least, most] = [number("minLength", 0), number("maxLength", Infinity)]
      const long = most > 200 && most < Infinity
      return { ...told, kind: "text", long: long || schema["format"] === "textarea", least, most, form: textOf(schema["pattern"]) }
    }
    case "integer":
    case "number": {
      const [least, most] = [number("minimum", -Infinity), number("maximum", Infinity)]
      const [above, below] = [number("exclusiveMinimum", -Infinity), number("exclusiveMaximum", Infinity)]
      return { ...told, kind: "number", whole: types[0] === "integer", least, most, above, below }
    }
    case "boolean":
      return { ...told, kind: "flag" }
    case "array": {
      const of = inner(schema["items"] ?? {})
      const [least, most] = [number("minItems", 0), number("maxItems", Infinity)]
      if (of.kind === "choice") return { ...told, kind: "several", options: of.options, least, most }
      return { ...told, kind: "list", of, least, most }
    }
    case "object": {
      const required = Array.isArray(schema["required"]) ? schema["required"] : []
      const fields = Object.entries(isMap(schema["properties"]) ? schema["properties"] : {})
      if (!fields.length) return { ...told, kind: "json" }
      return { ...told, kind: "group", fields: fields.map(([name, one]) => ({ name, required: required.includes(name), shape: inner(one) })) }
    }
    default:
      return { ...told, kind: "json" }
  }
}

/** The fields of a value of which no schema is known: what it is decides; lists and what is empty are JSON. */
export function shapeFrom(value: Json): Shape {
  const told = { title: "", about: "", start: undefined }
  if (typeof value === "string")
    return { ...told, kind: "text", long: value.includes("\n") || value.length > LONG_CHARS, least: 0, most: Infinity, form: "" }
  if (typeof value === "boolean") return { ...told, kind: "flag" }
  if (typeof value === "number")
    return { ...told, kind: "number", whole: false, least: -Infinity, most: Infinity, above: -Infinity, below: Infinity }
  if (!isMap(value) || !Object.keys(value).length) return { ...told, kind: "json" }
  const fields = Object.entries(value).map(([name, one]) => ({ name, required: true, shape: shapeFrom(one) }))
  return { ...told, kind: "group", fields }
}

const textOf = (value: Json | undefined) => (typeof value === "string" ? value : "")
const optionOf = (value: Json): Option => ({ label: typeof value === "string" ? value : JSON.stringify(value), value })
const known = (told: { title: string; about: string; start: Json | undefined }) =>
  Object.fromEntries(Object.entries(told).filter(([, one]) => one !== "" && one !== undefined))

function unionOf(union: Json[], root: Schema, inner: (one: Json) => Shape): Shape {
  const real = union.map((one) => resolved(one, root)).filter((one) => one["type"] !== "null")
  const cases = real.map(inner)
  const told = { title: "", about: "", start: undefined }
  if (cases.length === 1 && cases[0]) return cases[0]
  const fixed = cases.flatMap((one) => (one.kind === "fixed" ? [{ label: one.title || optionOf(one.value).label, value: one.value }] : []))
  if (fixed.length && fixed.length === cases.length) return { ...told, kind: "choice", options: fixed }
  return cases.length ? { ...told, kind: "cases", cases } : { ...told, kind: "json" }
}

/** What stands in a field at first: the value it has, or its default. */
export function draftOf(shape: Shape, given?: Json): Draft {
  const value = given === undefined ? shape.start : given
  switch (shape.kind) {
    case "text":
      return typeof value === "string" ? value : null
    case "number":
      return typeof value === "number" ? String(value) : null
    case "flag":
      return typeof value === "boolean" ? value : null
    case "choice": {
      const place = shape.options.findIndex((one) => same(one.value, value))
      return place < 0 ? null : place
    }
    case "several":
      return shape.options.flatMap((one, place) => (Array.isArray(value) && value.some((each) => same(one.value, each)) ? [place] : []))
    case "list":
      return Array.isArray(value) ? value.map((one) => draftOf(shape.of, one)) : shape.least ? Array.from({ length: shape.least }, () => draftOf(shape.of)) : []
    case "group": {
      const has = isMap(value) ? value : {}
      const fields = Object.fromEntries(shape.fields.map(({ name, shape: one }) => [name, draftOf(one, has[name])]))
      const rest = Object.fromEntries(Object.entries(has).filter(([name]) => !(name in fields)))
      return { fields, rest }
    }
    case "cases": {
      const place = Math.max(0, value === undefined ? 0 : shape.cases.findIndex((one) => fits(one, value)))
      return { at: place, each: shape.cases.map((one, index) => draftOf(one, index === place ? given : undefined)) }
    }
    case "fixed":
      return null
    case "json":
      return value === undefined ? null : JSON.stringify(value, null, 1)
  }
}

function fits(shape: Shape, value: Json): boolean {
  if (shape.kind === "text") return typeof value === "string"
  if (shape.kind === "number") return typeof value === "number"
  if (shape.kind === "flag") return typeof value === "boolean"
  if (shape.kind === "list" || shape.kind === "several") return Array.isArray(value)
  if (shape.kind !== "group") return false
  return isMap(value) && shape.fields.every((one) => one.shape.kind !== "fixed" || same(one.shape.value, value[one.name]))
}

const same = (one: Json | undefined, other: Json | undefined) => JSON.stringify(one) === JSON.stringify(other)

interface Reading {
  /** An empty text is a text, not a missing answer. */
  blank: boolean
  problems: Problem[]
}

/** What a filled-in form says; with problems there is no value to send. */
export function valueOf(shape: Shape, draft: Draft, { blank = false } = {}): { value: Json; problems: Problem[] } {
  const reading: Reading = { blank, problems: [] }
  const value = read(shape, draft, true, "", reading)
  return { value: value ?? null, problems: reading.problems }
}

function read(shape: Shape, draft: Draft, required: boolean, path: string, reading: Reading): Json | undefined {
  const wrong = (word: Key, n?: number) => void reading.problems.push(n === undefined ? { path, word } : { path, word, n })
  const missing = () => (required ? wrong("formMissing") : undefined)
  switch (shape.kind) {
    case "text": {
      const text = typeof draft === "string" ? draft : ""
      if (!text && !(reading.blank && draft === "")) return missing()
      if (text.length < shape.least) wrong("formShort", shape.least)
      else if (text.length > shape.most) wrong("formLong", shape.most)
      else if (shape.form && !matches(shape.form, text)) wrong("formPattern")
      return text
    }
    case "number":
      return numberOf(shape, typeof draft === "string" ? draft.trim() : "", missing, wrong)
    case "flag":
      return typeof draft === "boolean" ? draft : required ? false : undefined
    case "choice":
      return typeof draft === "number" ? shape.options[draft]?.value : missing()
    case "several": {
      const chosen = (Array.isArray(draft) ? draft : []).flatMap((one) => shape.options[Number(one)]?.value ?? [])
      return counted(shape, chosen, required, wrong)
    }
    case "list": {
      const each = Array.isArray(draft) ? draft : []
      const found = each.map((one, place) => read(shape.of, one, true, `${path}.${place}`, reading) ?? null)
      return counted(shape, found, required, wrong)
    }
    case "group":
      return groupOf(shape, draft, required, path, reading)
    case "cases": {
      const { at, each } = isMap(draft) ? draft : {}
      const one = shape.cases[Number(at ?? 0)]
      const told = Array.isArray(each) ? (each[Number(at ?? 0)] ?? null) : null
      return one && read(one, told, required, path, reading)
    }
    case "fixed":
      return shape.value
    case "json": {
      if (typeof draft !== "string" || !draft.trim()) return missing()
      try {
        return JSON.parse(draft) as Json
      } catch {
        return wrong("notJson")
      }
    }
  }
}

type Wrong = (word: Key, n?: number) => undefined

function numberOf(shape: Shape & { kind: "number" }, text: string, missing: () => undefined, wrong: Wrong): number | undefined {
  if (!text) return missing()
  const value = Number(text.replace(",", "."))
  if (!Number.isFinite(value)) return wrong("formNumber")
  if (shape.whole && !Number.isInteger(value)) return wrong("formWhole")
  if (value < shape.least) return wrong("formLeast", shape.least)
  if (value > shape.most) return wrong("formMost", shape.most)
  if (value <= shape.above) return wrong("formAbove", shape.above)
  if (value >= shape.below) return wrong("formBelow", shape.below)
  return value
}

function counted({ least, most }: { least: number; most: number }, found: Json[], required: boolean, wrong: Wrong): Json[] | undefined {
  if (!found.length && !required) return undefined
  if (found.length < least) return wrong("formFew", least)
  if (found.length > most) return wrong("formMany", most)
  return found
}

function groupOf(shape: Shape & { kind: "group" }, draft: Draft, required: boolean, path: string, reading: Reading): Json | undefined {
  const { fields = {}, rest = {} } = (isMap(draft) ? draft : {}) as Record<string, Schema>
  const before = reading.problems.length
  const found = shape.fields.flatMap((one) => {
    const value = read(one.shape, fields[one.name] ?? null, one.required, path ? `${path}.${one.name}` : one.name, reading)
    return value === undefined ? [] : [[one.name, value] as const]
  })
  const said = shape.fields.some((one) => touched(one.shape, fields[one.name] ?? null))
  if (!required && !said && !Object.keys(rest).length) {
    reading.problems.length = before // nobody has to fill in half of what may be left out
    return undefined
  }
  return { ...rest, ...Object.fromEntries(found) }
}

function touched(shape: Shape, draft: Draft): boolean {
  if (shape.kind === "fixed") return false
  if (shape.kind === "group") {
    const { fields = {} } = (isMap(draft) ? draft : {}) as Record<string, Schema>
    return shape.fields.some((one) => touched(one.shape, fields[one.name] ?? null))
  }
  return Array.isArray(draft) ? draft.length > 0 : draft !== null && draft !== ""
}

function matches(form: string, text: string): boolean {
  try {
    return new RegExp(form, "u").test(text)
  } catch {
    return true // a form that this browser cannot read is the server's to check
  }
}
