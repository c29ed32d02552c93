import { idle } from "../ui/idle"
import { later } from "../ui/later"
import { read } from "./route"

/** A conversation. It is asked for with the page where the address names one, and else as soon as nothing else is to do. */
export const Bench = later(() => import("./Bench"), <div className="flex-1" />)

const route = read(location.pathname)
if (route.page === "chat" && route.thread) void Bench.fetch()
else idle(() => void Bench.fetch())
