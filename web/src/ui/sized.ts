const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const

/** How large something is, as people say it. */
export function sized(bytes: number, language: string): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log(bytes) / Math.log(1000)))
  const value = bytes / 1000 ** step
  return new Intl.NumberFormat(language === "ru" ? "ru" : "en", {
    style: "unit",
    unit: UNITS[step] ?? "byte",
    unitDisplay: step ? "short" : "narrow",
    maximumFractionDigits: value < 10 && step ? 1 : 0,
  }).format(value)
}
