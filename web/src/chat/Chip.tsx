const HUES: Record<string, number> = { orchestrator: 300, coder: 45, ask: 230 }
const TURN = 360

/** Who speaks: a name in a colour of its own. */
export function Chip({ name }: { name: string }) {
  if (!name) return null
  const hue = HUES[name] ?? [...name].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7) % TURN
  return (
    <span className="flex min-w-0 items-center gap-2 text-sm font-medium" style={{ "--hue": hue } as React.CSSProperties}>
      <span
        aria-hidden
        className="tinted grid size-5 shrink-0 place-items-center rounded-md text-[11px] leading-none font-semibold uppercase"
      >
        {name[0]}
      </span>
      <span className="toned truncate" data-testid="agent">
        {name}
      </span>
    </span>
  )
}
