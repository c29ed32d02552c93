const PICTURES = /\.(png|jpe?g|gif|webp|avif)$/i

/** How a file is shown: as a picture, or as text that may have another face as well. */
export function faceOf(path: string): "picture" | "drawing" | "markdown" | "text" {
  if (PICTURES.test(path)) return "picture"
  if (/\.svg$/i.test(path)) return "drawing"
  return /\.(md|markdown)$/i.test(path) ? "markdown" : "text"
}

/** A number of bytes as people read it. */
export function sizeOf(bytes: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"]
  const step = Math.min(Math.max(0, Math.floor(Math.log2(bytes || 1) / 10)), units.length - 1)
  const unit = units[step] ?? "byte"
  const digits = { maximumFractionDigits: step ? 1 : 0 }
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", ...digits }).format(bytes / 1024 ** step)
}
