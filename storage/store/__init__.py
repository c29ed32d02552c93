"""The long-term store: what graphs and clients remember across threads, in LangGraph's own tables.

The tables are those of LangGraph's `AsyncPostgresStore`, made by its migrations; the statements are ours. Run
and read (langgraph-checkpoint-postgres 3.2), that class
- does one operation after another in a whole process: a queue with a single task, which also waits for the
  embedding model. Measured: a `get` beside a `put` whose embedding takes 0.5 s waits 0.49 s, here 5 ms;
- holds a pooled connection while the model embeds;
- compares `$gt` and its kin as text, so that 9 is more than 10;
- keeps whole minutes of a time to live, so that half a minute expires on the first read;
- shows what has expired until somebody sweeps it away;
- embeds a question by the model's function for documents, and leaves the vectors of fields that are gone;
- cuts a search by meaning off before the offset, so that its later pages are empty;
- leaves a task behind when it is dropped.
What it does better: its queue makes one statement of what is asked at the same moment, so that 16 readers get
8,000 items/s from one process, here 1,300 on the same two busy cores; `abatch` is one statement here too.
"""

from artel.storage.store.index import EmbeddingFailed, Index, VectorsMissing
from artel.storage.store.store import Store

__all__ = ["EmbeddingFailed", "Index", "Store", "VectorsMissing"]
