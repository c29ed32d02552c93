import type { Placed } from "./layout"

const PAINTED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"]
const SVG = "http://www.w3.org/2000/svg"

/** Hand out the drawing as a file that looks the same without this page. */
export function save(drawing: SVGGElement, { width, height }: Placed, name: string): void {
  const copy = drawing.cloneNode(true) as SVGGElement
  const drawn = [drawing, ...drawing.querySelectorAll<SVGElement>("*")]
  const copied = [copy, ...copy.querySelectorAll<SVGElement>("*")]
  drawn.forEach((one, index) => {
    const seen = getComputedStyle(one)
    const to = copied[index]
    to?.removeAttribute("class")
    for (const property of PAINTED) to?.setAttribute(property, seen.getPropertyValue(property))
  })
  copy.removeAttribute("transform")
  const whole = document.createElementNS(SVG, "svg")
  whole.setAttribute("viewBox", `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`)
  const ground = document.createElementNS(SVG, "rect")
  ground.setAttribute("width", "100%")
  ground.setAttribute("height", "100%")
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor)
  whole.append(ground, copy)
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(whole)], { type: "image/svg+xml" }))
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
