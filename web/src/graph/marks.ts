import { drawnAt, type Model } from "./model"
import type { Pass, Path } from "./path"

export type Look = "running" | "waiting" | "failed" | "passed"

/** What a run did at a node or box. */
export interface Mark {
  look: Look
  pass: Pass | null
}

/** Mark what is drawn with the way of a run; a place that is not drawn marks the graph that it is in. */
export function marks(model: Model, path: Path): Map<string, Mark> {
  const ids = new Set([...model.nodes, ...model.boxes].map((one) => one.id))
  const found = new Map<string, Mark>()
  for (const [place, pass] of path.passed) if (ids.has(place)) found.set(place, { look: "passed", pass })
  const look = (places: Iterable<string>, look: Look) => {
    for (const place of places) {
      const id = drawnAt(place, ids)
      if (id) found.set(id, { look, pass: path.passed.get(id) ?? null })
    }
  }
  look(path.running.values(), "running")
  look(path.waits, "waiting")
  look(path.failed, "failed")
  return found
}

/** The deepest places of a set: `coder:model` says more than `coder`. */
export function deepest(places: Iterable<string>): string[] {
  const all = [...new Set(places)]
  return all.filter((one) => !all.some((other) => other.startsWith(`${one}:`)))
}
