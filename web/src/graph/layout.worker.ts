import { place } from "./layout"
import type { Model } from "./model"

export interface Order {
  model: Model
  ratio: number
}

self.onmessage = ({ data }: MessageEvent<Order>) => self.postMessage(place(data.model, data.ratio))
