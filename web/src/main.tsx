import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./shell/App"
import "./styles.css"
import { colour, theme } from "./theme"

colour(theme())
document.documentElement.lang = localStorage.getItem("artel.language") ?? navigator.language.slice(0, 2)

const root = document.getElementById("root")
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
