import hooks from "eslint-plugin-react-hooks"
import tseslint from "typescript-eslint"

// Features never import each other; `ui` knows nothing of agents; what is drawn never fetches by itself.
const features = ["chat", "threads", "approvals"]
const zone = (folder, forbidden) => ({
  files: [`src/${folder}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: forbidden.map((name) => ({ group: [`**/${name}/*`], message: `${folder} may not import ${name}` })) },
    ],
  },
})

export default tseslint.config(
  ...tseslint.configs.strict,
  { plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  ...features.map((name) => zone(name, features.filter((other) => other !== name))),
  zone("ui", [...features, "run", "api"]),
  zone("run", [...features, "ui"]),
  zone("api", [...features, "ui", "run", "i18n"]),
)
