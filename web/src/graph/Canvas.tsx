import { Download, type LucideIcon, Maximize, Minus, Plus } from "lucide-react"
import { useEffect, useRef } from "react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import type { Placed } from "./layout"
import type { Mark } from "./marks"
import type { Model } from "./model"
import { save } from "./save"
import { Shapes } from "./Shapes"
import { useView } from "./useView"

interface Props {
  name: string
  model: Model
  placed: Placed
  marks: ReadonlyMap<string, Mark>
  chosen: string
  choose: (id: string) => void
  /** A node that was chosen in the list is brought to the middle. */
  sought: string
}

const STEP = 1.2

/** A drawing to move and to scale. */
export function Canvas({ name, model, placed, marks, chosen, choose, sought }: Props) {
  const { say } = useLanguage()
  const drawing = useRef<SVGGElement>(null)
  const { frame, view, fit, zoom, centre, handlers } = useView(placed)
  useEffect(fit, [fit])
  useEffect(() => {
    const at = placed.nodes[sought]
    if (at) centre(at.x + at.width / 2, at.y + at.height / 2)
  }, [sought, placed, centre])
  return (
    <div
      ref={frame}
      tabIndex={0}
      role="group"
      aria-label={say("graphCanvas")}
      {...handlers}
      className="relative h-full min-h-0 touch-none overflow-hidden bg-page select-none -outline-offset-2"
    >
      <svg aria-hidden="true" className="size-full cursor-grab active:cursor-grabbing" data-testid="drawing">
        <g ref={drawing} transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          <Shapes model={model} placed={placed} marks={marks} chosen={chosen} choose={choose} words={{ start: say("graphStart"), end: say("graphEnd") }} />
        </g>
      </svg>
      <div className="absolute right-3 bottom-3 flex overflow-hidden rounded-lg border border-line bg-raised shadow-sm">
        <Control word="graphZoomIn" Icon={Plus} act={() => zoom(STEP)} />
        <Control word="graphZoomOut" Icon={Minus} act={() => zoom(1 / STEP)} />
        <Control word="graphFit" Icon={Maximize} act={fit} />
        <Control word="graphSave" Icon={Download} act={() => drawing.current && save(drawing.current, placed, `${name}.svg`)} />
      </div>
    </div>
  )
}

function Control({ word, Icon, act }: { word: Key; Icon: LucideIcon; act: () => void }) {
  const { say } = useLanguage()
  return (
    <Button look="bare" className="rounded-none px-2.5 -outline-offset-2" aria-label={say(word)} title={say(word)} onClick={act}>
      <Icon size={16} aria-hidden />
    </Button>
  )
}
