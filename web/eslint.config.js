import hooks from "eslint-plugin-react-hooks"
import tseslint from "typescript-eslint"

// Features never import each other, `shell` puts them together; `ui` knows nothing of agents.
const features = ["approvals", "chat", "files", "graph", "history", "inbox", "plan", "settings", "threads", "tour"]
const zone = (folder, forbidden) => ({
  files: [`src/${folder}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: forbidden.map((name) => ({
          group: [`**/${name}/*`],
          allowTypeImports: name === "shell",
          message: `${folder} may not import ${name}`,
        })),
      },
    ],
  },
})
const WORDS = "JSXText[value=/\\p{L}{2}/u]"

export default tseslint.config(
  ...tseslint.configs.strict,
  { plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  { rules: { "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }] } },
  {
    files: ["src/**/*.tsx"],
    rules: { "no-restricted-syntax": ["error", { selector: WORDS, message: "words stand in src/i18n/words, in both languages" }] },
  },
  ...features.map((name) => zone(name, [...features.filter((other) => other !== name), "shell"])),
  zone("ui", [...features, "run", "api", "shell"]),
  zone("run", [...features, "ui", "shell"]),
  zone("api", [...features, "ui", "run", "i18n", "shell"]),
)
