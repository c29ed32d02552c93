const KEPT = "artel.folders"
const MOST = 8

/** Folders that were worked in, the last one first. */
export function recent(): string[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]") as unknown
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : []
  } catch {
    return []
  }
}

export function remember(folder: string): void {
  if (!folder) return
  const others = recent().filter((one) => one !== folder)
  localStorage.setItem(KEPT, JSON.stringify([folder, ...others].slice(0, MOST)))
}

/** The end of a path, by which people know a folder. */
export function short(path: string): string {
  const parts = path.split("/").filter(Boolean)
  return parts.length > 2 ? `…/${parts.slice(-2).join("/")}` : path
}
