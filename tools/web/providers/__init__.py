"""Search providers, one file each.

`URL` is where it is unless the settings say otherwise, `NEEDS_KEY` whether it must be given a key,
`request(base, key, query, most)` asks it, `hits(answer)` reads what it answers.
"""
